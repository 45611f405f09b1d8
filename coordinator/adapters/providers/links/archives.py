"""Zip files from strangers: what is in them, within limits, and one member at a time.

Nothing is ever unpacked under a name that the archive says, so names can't lead anywhere.
"""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from coordinator.domain.file_kinds import HEAD_BYTES, MESHES, kind_of, suffix_of

MIB = 1024 * 1024
CHUNK_BYTES = 256 * 1024

# A library's zip has some hundred files. Deflate's best is 1:1030; of geometry text STLs pack best:
# 1:17 at most of those that were tried.
MEMBERS_MAX = 2000
MEMBER_BYTES_MAX = 512 * MIB
UNPACKED_BYTES_MAX = 2048 * MIB
RATIO_MAX = 200
_RATIO_COUNTS_FROM_BYTES = 1 * MIB
NAME_CHARACTERS_MAX = 500

# The list of members is read into memory at once, so its length is looked at before (APPNOTE.TXT,
# 4.3.16: the end record, of 22 bytes and a comment, and 4.3.15: the locator of zip64 before it).
_LIST_BYTES_MAX = 2 * MIB
_END, _END_BYTES, _COMMENT_BYTES_MAX = b"PK\x05\x06", 22, 65535
_LOCATOR64, _LOCATOR64_BYTES = b"PK\x06\x07", 20
_ENCRYPTED = 0x1
_KNOWN_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# What the library raises of files that are none; several are bugs of it, met by spoiling bytes.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    RuntimeError,
)
# What tools of Apple's leave beside the files.
_LITTER = ("__MACOSX/", "._")


class ArchiveRefused(Exception):
    """An archive is damaged, or nothing that is opened here; the text says why, for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A mesh in an archive.

    Attributes:
        name: as the archive says, with folders.
        suffix: of its name, one of `MESHES`.
    """

    name: str
    suffix: str
    size_bytes: int


def is_3mf(path: Path) -> bool:
    """Return whether a zip is a 3MF (OPC: its parts' types stand in a part of that name)."""
    try:
        with _opened(path) as archive:
            names = {info.filename.lower() for info in archive.infolist()[:MEMBERS_MAX]}
    except ArchiveRefused:
        return False
    return "[content_types].xml" in names and any(name.endswith(".model") for name in names)


def meshes_in(path: Path) -> list[Member]:
    """Return the meshes in an archive, in its order; other files are passed over.

    Raises:
        ArchiveRefused: it is damaged, or beyond a limit.
    """
    with _opened(path) as archive:
        return [
            Member(name=info.filename, suffix=suffix_of(info.filename), size_bytes=info.file_size)
            for info in _checked(archive)
            if suffix_of(info.filename) in MESHES and not _litter(info.filename)
        ]


def chunks_of(path: Path, name: str) -> Iterator[bytes]:
    """Yield the bytes of one member.

    Raises:
        ArchiveRefused: there is none of this name, it is damaged, or longer than it says.
    """
    with _opened(path) as archive:
        infos = {info.filename: info for info in _checked(archive)}
        if name not in infos:
            raise ArchiveRefused("the archive no longer holds this file")
        left = infos[name].file_size
        try:
            with archive.open(infos[name]) as member:
                while chunk := member.read(CHUNK_BYTES):
                    left -= len(chunk)
                    if left < 0:
                        raise ArchiveRefused("a file in the archive is longer than it says")
                    yield chunk
        except _DAMAGE as error:
            raise ArchiveRefused("a file in the archive is damaged") from error


def kind_inside(path: Path, member: Member) -> str:
    """Return what a member is by its bytes, as `kind_of` says.

    Raises:
        ArchiveRefused: it can't be read.
    """
    for chunk in chunks_of(path, member.name):
        return kind_of(chunk[:HEAD_BYTES], member.size_bytes)
    return ""


def _opened(path: Path) -> zipfile.ZipFile:
    if _list_bytes(path) > _LIST_BYTES_MAX:
        raise ArchiveRefused("it holds more files than are looked at")
    try:
        return zipfile.ZipFile(path)
    except _DAMAGE as error:
        raise ArchiveRefused("it is a damaged zip file") from error


def _list_bytes(path: Path) -> float:
    """Return how long an archive says that its list of members is."""
    with path.open("rb") as file:
        size_bytes = file.seek(0, 2)
        file.seek(max(0, size_bytes - _END_BYTES - _COMMENT_BYTES_MAX - _LOCATOR64_BYTES))
        tail = file.read()
    end = tail.rfind(_END)
    if end < 0 or len(tail) < end + _END_BYTES:
        return 0  # none is found, so none is read
    if tail[max(0, end - _LOCATOR64_BYTES) : end].startswith(_LOCATOR64):
        return float("inf")  # made for more than 65,535 files, or 4 GiB
    return int.from_bytes(tail[end + 12 : end + 16], "little")


def _checked(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    infos = [info for info in archive.infolist() if not info.filename.endswith("/")]
    if len(infos) > MEMBERS_MAX:
        raise ArchiveRefused(f"it holds {len(infos)} files: {MEMBERS_MAX} at most are looked at")
    if sum(info.file_size for info in infos) > UNPACKED_BYTES_MAX:
        limit_mib = UNPACKED_BYTES_MAX // MIB
        raise ArchiveRefused(f"unpacked it would be more than {limit_mib} MiB")
    for info in infos:
        if words := _objection(info):
            raise ArchiveRefused(words)
    return infos


def _objection(info: zipfile.ZipInfo) -> str:
    unfit = any(sign < " " for sign in info.filename)
    if unfit or not 0 < len(info.filename) <= NAME_CHARACTERS_MAX:
        return "a file in it has a name that is none"
    parts = info.filename.replace("\\", "/").split("/")
    if ".." in parts or info.filename.startswith(("/", "\\")) or ":" in parts[0]:
        return "a file in it has a name that leads out of it"
    if suffix_of(info.filename) not in MESHES:
        return ""
    if info.flag_bits & _ENCRYPTED:
        return "it is locked with a password: unpack it and bring the models"
    if info.compress_type not in _KNOWN_METHODS:
        return "it is packed in a way that is not known here: pack it again as a usual zip"
    if info.file_size > MEMBER_BYTES_MAX:
        return f"a model in it is larger than {MEMBER_BYTES_MAX // MIB} MiB"
    if info.file_size > max(_RATIO_COUNTS_FROM_BYTES, RATIO_MAX * max(info.compress_size, 1)):
        return f"a model in it unpacks to more than {RATIO_MAX} times its length: that is a trap"
    return ""


def _litter(name: str) -> bool:
    return name.startswith(_LITTER[0]) or name.rpartition("/")[2].startswith(_LITTER[1])
