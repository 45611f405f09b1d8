"""Binary G-code becomes the text that it was made of, or is refused with the reason."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.gcode.meatpack import SWITCH_ON, command, pack
from slicing import bgcode
from slicing.errors import ModelBroken, ModelTooComplex, SlicingError
from slicing.scan import scan_file

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 16, 12) + bytes(99)
LINES = b"G28\nM109 S200\nG1 X10 Y20 E1.5\n;LAYER_CHANGE\nG1 Z.2 F600\nG1 X10.5 Y-2 E.01\n"


def heatshrunk(data: bytes, window_bits: int) -> bytes:
    """Pack as simply as can be: the longest match of up to 16 bytes, else the byte."""
    bits, at = "", 0
    while at < len(data):
        best = (0, 0)
        for distance in range(1, min(at, 1 << window_bits, 300) + 1):
            count = 0
            while count < 16 and at + count < len(data):
                if data[at + count - distance] != data[at + count]:
                    break
                count += 1
            best = max(best, (count, distance))
        if best[0] > 2:
            bits += f"0{best[1] - 1:0{window_bits}b}{best[0] - 1:04b}"
            at += best[0]
        else:
            bits += f"1{data[at]:08b}"
            at += 1
    bits += "0" * (-len(bits) % 8)
    return int(bits or "0", 2).to_bytes(len(bits) // 8, "big")


def block(kind: int, data: bytes, compression: int = 0, parameters: bytes = b"\0\0") -> bytes:
    pack_as = {
        0: lambda: data,
        1: lambda: zlib.compress(data),
        2: lambda: heatshrunk(data, 11),
        3: lambda: heatshrunk(data, 12),
    }
    packed = pack_as[compression]()
    head = struct.pack("<HHI", kind, compression, len(data))
    if compression:
        head += struct.pack("<I", len(packed))
    whole = head + parameters + packed
    return whole + struct.pack("<I", zlib.crc32(whole))


def file_of(*blocks: bytes) -> bytes:
    return struct.pack("<4sIH", b"GCDE", 1, 1) + b"".join(blocks)


def text_of(data: bytes) -> bytes:
    return b"".join(bgcode.read_text(io.BytesIO(data)))


@pytest.mark.parametrize("compression", range(4))
def test_every_compression_gives_back_the_lines(compression: int) -> None:
    assert text_of(file_of(block(1, LINES, compression))) == LINES


@given(st.binary(max_size=300), st.sampled_from([2, 3]))
def test_heatshrink_gives_back_any_bytes(data: bytes, compression: int) -> None:
    assert text_of(file_of(block(1, data, compression))) == data


def test_packed_lines_get_their_blanks_back() -> None:
    glued = b"G1X10Y20E1.5\nM109 S200\nG1Z.2F600\n"
    packed = SWITCH_ON + b"".join(map(pack, glued.splitlines(keepends=True)))
    text = text_of(file_of(block(1, packed, 1, struct.pack("<H", 2))))
    assert text == b"G1 X10 Y20 E1.5\nM109 S200\nG1 Z.2 F600\n"
    without = (
        command(0xFB)
        + command(0xF7)
        + b"".join(map(pack, b"G1X1\n; e\n".splitlines(keepends=True)))
    )
    assert text_of(file_of(block(1, without, 0, b"\1\0"))).startswith(b"G1 X1\n")


def test_what_stands_beside_the_code_becomes_comments_that_are_understood() -> None:
    data = file_of(
        block(0, b"Producer=PrusaSlicer 2.7.0\n"),
        block(5, PNG, 0, struct.pack("<HHH", 0, 16, 12)),
        block(4, b"estimated printing time (normal mode)=1m 40s\nfilament used [mm]=12.5\n"),
        block(2, b"nozzle_diameter=0.4\nfilament_type=PETG\n", 1),
        block(1, LINES),
    )
    text = text_of(data)
    header = scan_file(io.BytesIO(text)).header
    assert (header.slicer, header.version, header.total_s) == ("PrusaSlicer", "2.7.0", 100)
    assert (header.filament_mm, header.nozzle_mm, header.material) == (12.5, 0.4, "PETG")
    assert header.thumbnails[0].read(io.BytesIO(text)) == PNG


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"GCDE", "cut off"),
        (struct.pack("<4sIH", b"GCDE", 2, 1), "version 1"),
        (file_of(block(1, LINES))[:-3], "cut off"),
        (file_of(block(1, LINES)[:-1] + b"\0"), "checksum"),
        (file_of(block(9, LINES)), "unknown kind"),
        (file_of(block(1, LINES, 0, b"\7\0")), "encoded"),
        (file_of(struct.pack("<HHI", 1, 0, 1 << 31)), "says it has"),
    ],
)
def test_a_broken_file_is_refused_with_the_reason(data: bytes, words: str) -> None:
    with pytest.raises(ModelBroken, match=words):
        text_of(data)


@given(st.binary(max_size=60), st.integers(0, 200))
def test_garbled_bytes_are_refused_and_nothing_else(noise: bytes, at: int) -> None:
    data = file_of(block(2, b"a=b\n", 1), block(1, LINES, 2))
    try:
        text_of(data[:at] + noise + data[at + len(noise) :])
    except SlicingError:
        return


def test_a_file_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.bgcode"
    path.write_bytes(file_of(*[block(1, b"G1 X1\n" * 10_000, 1)] * 5))
    with pytest.raises(ModelTooComplex, match="limit"):
        bgcode.write_text(path, tmp_path / "a.gcode", bytes_max=100_000)
