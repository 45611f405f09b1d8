"""Uploads as nobody of good faith sends them, by kind: bytes from a seed, pure.

What is hostile lies in the HTTP around a file, in the form, or in the file itself; one upload has
one fault, so that a refusal can be understood. The same seed makes the same bytes.
"""

import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

BARN = (Path(__file__).parents[2] / "configs" / "dev" / "barn.stl").read_bytes()
GCODE = b"; a plate\nG28\nG1 X10 Y10 F600\nM84\n"
_BOUNDARY = "x7MA4YWxk"
_MODEL = "3D/3dmodel.model"
# Zeros pack a thousand times: this unpacks to more than any coordinator may hold.
_BOMB_BYTES = 300_000_000
_MESH = (
    b'<?xml version="1.0"?><model unit="millimeter"><resources><object id="1" type="model"><mesh>'
    b"<vertices/><triangles/></mesh></object></resources><build/></model>"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One request, as it goes over the wire.

    Attributes:
        head: its first lines, without the credential.
        body: pieces; may be without end.
        hangs_up: whether the sender closes its side behind them.
    """

    head: str
    body: Iterator[bytes]
    hangs_up: bool = False


Kind = Callable[[Random], Sending]


def in_form(name: str, content: bytes) -> bytes:
    """Return a form with one file."""
    head = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    parts = (f"--{_BOUNDARY}\r\n{head}".encode(), content, f"\r\n--{_BOUNDARY}--\r\n".encode())
    return b"".join(parts)


def posted(body: bytes, *, length: int | None = None, more: str = "") -> Sending:
    """Return a form as it is posted; `length` is what is said of it, else the truth."""
    kind = f"Content-Type: multipart/form-data; boundary={_BOUNDARY}"
    said = f"Content-Length: {len(body) if length is None else length}"
    return Sending(head=f"{_to_jobs()}\r\n{kind}\r\n{said}{more}", body=iter([body]))


def _to_jobs() -> str:
    return "POST /api/v1/jobs HTTP/1.1"


def _chunked(body: Iterator[bytes]) -> Sending:
    kind = f"Content-Type: multipart/form-data; boundary={_BOUNDARY}"
    return Sending(head=f"{_to_jobs()}\r\n{kind}\r\nTransfer-Encoding: chunked", body=body)


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def zipped(members: dict[str, bytes]) -> bytes:
    """Return an archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


@cache
def bomb() -> bytes:
    """Return an archive of a few hundred kilobytes that unpacks to `_BOMB_BYTES`."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(_MODEL, "w", force_zip64=True) as member,
    ):
        for _ in range(_BOMB_BYTES // 1_000_000):
            member.write(bytes(1_000_000))
    return packed.getvalue()


def _lying_bomb(random: Random) -> Sending:
    """Send a bomb whose directory says that it is small."""
    packed = bytearray(bomb())
    directory = packed.rindex(b"PK\x01\x02")
    packed[directory + 24 : directory + 28] = random.randrange(200, 4000).to_bytes(4, "little")
    return posted(in_form("part.3mf", bytes(packed)))


def _many_members(random: Random) -> Sending:
    names = {f"Metadata/{number}.config": b"" for number in range(random.randrange(10_001, 12_000))}
    return posted(in_form("part.3mf", zipped({_MODEL: _MESH, **names})))


def _escaping_member(random: Random) -> Sending:
    where = random.choice(["../../../tmp/owned", "/etc/cron.d/owned", "C:\\owned", "a/../../b"])
    return posted(in_form("part.3mf", zipped({where: b"x", _MODEL: _MESH})))


def _entities(random: Random) -> Sending:
    """Send a model whose XML grows by its entities."""
    levels = random.randrange(8, 14)
    entities = "".join(
        f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "lol">'
        for n in range(levels)
    )
    xml = f'<?xml version="1.0"?><!DOCTYPE m [{entities}]><model>&l{levels - 1};</model>'
    return posted(in_form("part.3mf", zipped({_MODEL: xml.encode()})))


def _bad_name(random: Random) -> Sending:
    names = ["../../../etc/passwd.stl", "..", ".", "/", "a/b\\c.stl", "x" * 5000 + ".stl", "\u202e"]
    names += ["a\x00.stl", "a%00.gcode", "con.stl ", "&lt;.stl", "a.stl\x7f", "%2e%2e/a.gcode"]
    return posted(in_form(random.choice(names), random.choice([b"", b"G", bytes(90)])))


def _wrong_type(random: Random) -> Sending:
    name = random.choice(
        ["part.stl", "part.3mf", "part.gcode", "part.step", "part.glb", "part.png"]
    )
    return posted(in_form(name, random.randbytes(random.randrange(0, 5000))))


def _breaks_off(random: Random) -> Sending:
    """Send less than was said, and hang up."""
    body = in_form("barn.stl", BARN)
    sent = posted(body[: random.randrange(len(body) - 10)], length=len(body))
    return Sending(head=sent.head, body=sent.body, hangs_up=True)


def _short_length(random: Random) -> Sending:
    """Say less than what follows: the rest is taken for the next request."""
    body = in_form("barn.stl", BARN)
    return posted(body, length=random.randrange(1, len(body) // 2))


def _absurd_length(random: Random) -> Sending:
    said = random.choice(["99999999999999999999", "1e9", "-1", "0x10", "5, 6", "", "5\r\nContent-"])
    kind = f"Content-Type: multipart/form-data; boundary={_BOUNDARY}"
    return Sending(
        head=f"{_to_jobs()}\r\n{kind}\r\nContent-Length: {said}",
        body=iter([in_form("barn.stl", BARN)]),
        hangs_up=True,
    )


def _endless_file(random: Random) -> Sending:
    name = random.choice(["part.gcode", "part.stl"])

    def pieces() -> Iterator[bytes]:
        yield _chunk(in_form(name, GCODE).removesuffix(f"\r\n--{_BOUNDARY}--\r\n".encode()))
        piece = _chunk(b"G1 X1 Y1\n" * 20_000)
        while True:
            yield piece

    return _chunked(pieces())


def _endless_beginning(random: Random) -> Sending:
    piece = _chunk(random.choice([b"\r\n", b"--x\r\n", b"word "]) * 20_000)

    def pieces() -> Iterator[bytes]:
        while True:
            yield piece

    return _chunked(pieces())


def _endless_head(random: Random) -> Sending:
    name = random.choice(["X-Note", "Content-Type"])

    def pieces() -> Iterator[bytes]:
        yield _chunk(f"--{_BOUNDARY}\r\n".encode())
        for number in range(10_000_000):
            yield _chunk(f"{name}-{number}: {'y' * 200}\r\n".encode() * 50)

    return _chunked(pieces())


def _bad_chunks(random: Random) -> Sending:
    sizes = ["zz", "-5", "ffffffffffffffff", "5;" + "e" * 9000, "", "0x5", "5 5"]
    bad = f"{random.choice(sizes)}\r\n".encode()
    return Sending(
        head=_chunked(iter(())).head,
        body=iter([_chunk(in_form("a.gcode", GCODE)[:80]), bad, b"G28\r\n" * 50]),
        hangs_up=True,
    )


def _packed_body(random: Random) -> Sending:
    """Send a body that is packed as a whole, or says so."""
    encoding = random.choice(["gzip", "deflate", "br", "zstd", "gzip, gzip"])
    return posted(bomb()[:200_000], more=f"\r\nContent-Encoding: {encoding}")


def _mutated_form(random: Random) -> Sending:
    body = bytearray(in_form("part.gcode", GCODE))
    for _ in range(random.randrange(1, 12)):
        at = random.randrange(len(body))
        match random.randrange(3):
            case 0:
                body[at] = random.randrange(256)
            case 1:
                del body[at : at + random.randrange(1, 20)]
            case _:
                body[at:at] = random.choice([b"\r\n", b"--", b"\x00", b'"', b"; name=", b"\xff"])
    return posted(bytes(body))


def _mutated_file(random: Random) -> Sending:
    content, name = bytearray(BARN), "barn.stl"
    if random.random() < 0.5:
        content, name = bytearray(zipped({_MODEL: _MESH * 20})), "barn.3mf"
    for _ in range(random.randrange(1, 30)):
        content[random.randrange(len(content))] = random.randrange(256)
    return posted(in_form(name, bytes(content[: random.randrange(1, len(content))])))


def _to_slicers(random: Random) -> Sending:
    """Send one of the faults of a file to where slicers send."""
    address = random.choice(
        ["/octoprint/farm/api/files/local", "/api/files/local", "/moonraker/server/files/upload"]
    )
    sent = random.choice([_bad_name, _wrong_type, _mutated_form, _escaping_member])(random)
    return Sending(head=sent.head.replace("/api/v1/jobs", address), body=sent.body)


KINDS: dict[str, Kind] = {
    "a zip bomb": lambda _: posted(in_form("part.3mf", bomb())),
    "a zip bomb that lies": _lying_bomb,
    "an archive of many files": _many_members,
    "an archive that names files outside": _escaping_member,
    "a model that grows by entities": _entities,
    "a bad name": _bad_name,
    "a wrong type": _wrong_type,
    "a body that breaks off": _breaks_off,
    "a length that is too short": _short_length,
    "a length that is none": _absurd_length,
    "an endless file": _endless_file,
    "an endless beginning": _endless_beginning,
    "an endless head of a part": _endless_head,
    "chunks that are none": _bad_chunks,
    "a packed body": _packed_body,
    "a mutated form": _mutated_form,
    "a mutated file": _mutated_file,
    "a slicer's bad upload": _to_slicers,
}
