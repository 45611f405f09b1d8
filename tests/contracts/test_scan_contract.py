"""The scan of slicing, many lines at once, and the agent's survey, line by line, find the same."""

import io
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from protocols.gcode.dialects import KLIPPER, MARLIN
from protocols.gcode.extremes import Box, Extremes
from protocols.gcode.rules import Limits, judge
from protocols.gcode.survey import survey
from slicing.blocks import read_blocks, take_apart
from slicing.scan import scan_file

LIMITS = Limits(bed_x_mm=200, bed_y_mm=200, height_mm=200, tools=1, nozzle_mm=0.4, material="PLA")

NUMBER = st.one_of(
    st.floats(-300, 300).map(lambda value: f"{value:.3f}"),
    st.sampled_from(["0", "5", "-5", ".5", "-.25", "7.", "+3", "1234.56789", "0.1234567"]),
)
_FEW = st.text("0123456789", max_size=3)
_MANY = st.text("0123456789", min_size=6, max_size=20)
# Long ones, on either side of the point, signs, several points, and what is an exponent elsewhere.
LONG = st.one_of(
    st.builds(
        lambda *parts: "".join(parts),
        st.sampled_from(["", "", "-", "+", "--"]),
        _FEW | _MANY,
        st.sampled_from(["", ".", ".", ".", "..", "-", "e", "e-", "E", "E-"]),
        _FEW | _MANY,
    ),
    # Beside the next layer by less than eight digits tell.
    st.builds(
        lambda layer, more: f"{layer / 100 + more:.12f}", st.integers(0, 9), st.floats(0, 1e-8)
    ),
    st.floats(0, 1).map(lambda value: f"{value:.9f}"),
    st.floats(0, 1).map(repr),
)
WORD = st.one_of(
    st.builds(lambda letter, number: letter + number, st.sampled_from("XYZEFIJR"), NUMBER),
    st.just("F123456789.5"),  # more digits than are read at once
)
MOVE = st.builds(
    lambda kind, words, blank: blank.join([kind, *words]),
    st.sampled_from(["G0", "G1", "G1", "G1", "G2", "G3", "G01"]),
    st.lists(WORD, max_size=6),
    st.sampled_from([" ", " ", " ", "", "  ", "\t"]),
)
OTHER = st.sampled_from(
    [
        "G90", "G91", "M82", "M83", "G20", "G21", "G92 E0", "G92", "G92 X5", "G92 A1", "G28",
        "G28 X Y", "G28 W", "; note", "", "g1 x5", "G1 F0", "T0", "T1", "M104 S200",
        "M109 S210 T1", "M140 S60", "M190 R50", "M104 S0", "G10 P0 S190", "G10", "M104",
        ";LAYER_CHANGE", ";LAYER:3", ";TYPE:Skin", "; layer 2, Z = 0.4", "M0", "M600", "@pause",
        "M117 Hello X5", "M500", "M106 S255", "START X=5", "%", "G1 X1.2.3", "G1 X", "G1 X-",
        "N5 G1 X1", "M73 P5 R3", "G1 X5 (a comment) E1", "T", "M600 ; X", "G1 Y5 E1 ; Z9",
        "G1 X5*3", "G1 é", "G5.1 X1", "G38.2 Z1", "; gcode_flavor = klipper",
        "; nozzle_diameter = 0.6", "; filament_type = PETG", "G1 X" + "1" * 99,
        "G1 X1" + " " * 99, " G1 X3 E1", "G1 X1 X2 E1", "G1 X1\rE1", ";", ";L", ";TIME:5",
    ]
)  # fmt: skip


def both(data: bytes) -> tuple[Extremes, Extremes]:
    """Return what each found, having held the rest against each other."""
    slow, quick = survey(io.BytesIO(data)), scan_file(io.BytesIO(data))
    assert quick.line_count == slow.line_count
    assert quick.layer_count == slow.layer_count
    heights = [layer.z_mm for layer in quick.layers]
    assert heights == pytest.approx(list(slow.layer_heights_mm), nan_ok=True)
    assert quick.header == slow.header
    for dialect in (MARLIN, KLIPPER):
        found = [(each.rule, each.line) for each in judge(slow, LIMITS, dialect)]
        assert [(each.rule, each.line) for each in judge(quick, LIMITS, dialect)] == found
    return slow.extremes, quick.extremes


def same_box(one: Box, other: Box) -> None:
    assert one.low == pytest.approx(other.low)
    assert one.high == pytest.approx(other.high)


@settings(max_examples=150, deadline=None)
@given(st.lists(MOVE | OTHER, max_size=40), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_both_readers_find_the_same(lines: list[str], end: str, homed: bool) -> None:
    head = ["G28", "M109 S200"] if homed else []
    slow, quick = both(end.join([*head, *lines]).encode())
    same_box(quick.part, slow.part)
    same_box(quick.start, slow.start)
    for name in ("coldest", "unhomed", "celsius", "tools", "names", "macros", "unsendable",
                 "strange", "malformed", "shifted", "marked"):  # fmt: skip
        assert getattr(quick, name) == getattr(slow, name), name
    assert quick.highest == pytest.approx(slow.highest)


LONG_MOVE = st.builds(
    lambda kind, words, blank: blank.join([kind, *words]),
    st.sampled_from(["G0", "G1", "G1", "G1", "G2", "G3"]),
    st.lists(
        st.builds(
            lambda letter, number: letter + number, st.sampled_from("XYZZEEFIJR"), NUMBER | LONG
        ),
        max_size=4,
    ),
    st.sampled_from([" ", " ", " ", ""]),
)
MODE = st.sampled_from(["G90", "G91", "M82", "M83", "G20", "G21", "G92 E0", ";LAYER:1"])


@settings(max_examples=150, deadline=None)
@given(
    lines=st.lists(st.one_of(LONG_MOVE, LONG_MOVE, LONG_MOVE, MODE), max_size=30),
    homed=st.booleans(),
)
@example(lines=["G1 E10000000000000000", "G91", "G1 X1 E1"], homed=True)
@example(  # the last one only travels
    lines=["G1 X1 Z0.2 E2.366170053407", "G1 X2 E0.281578760323", "G1 X3 Z0.4 E0.281578760323"],
    homed=True,
)
def test_both_readers_find_the_same_in_long_numbers(lines: list[str], homed: bool) -> None:
    slow, quick = both("\n".join([*(["G28", "M109 S200"] if homed else []), *lines]).encode())
    same_box(quick.part, slow.part)
    assert quick.highest == pytest.approx(slow.highest)


@settings(max_examples=300, deadline=None)
@given(NUMBER | LONG, st.sampled_from(["", " ", "\r", " E1", ";"]))
def test_a_number_is_read_as_python_reads_it_or_left_to_be_read_alone(text: str, tail: str) -> None:
    block = take_apart(f"G1 X{text}{tail}\n".encode())
    if not len(block.odd):
        assert block.word_values[0] == float(text.partition("E")[0])  # which is a word of its own


@given(st.lists(MOVE | OTHER, max_size=60), st.integers(8, 300))
def test_it_is_of_no_account_where_a_file_is_cut_into_blocks(lines: list[str], size: int) -> None:
    data = "\n".join(lines).encode()
    blocks = list(read_blocks(io.BytesIO(data), block_bytes=size))
    if all(2 * len(line.encode()) < size for line in lines):
        assert b"".join(block.data[: block.size_bytes] for block in blocks) == data
        starts = [block.line for block in blocks]
        assert starts == [1 + data[: block.offset].count(b"\n") for block in blocks]


REAL = Path(__file__).parents[2].parent / "shared" / "data" / "gcode"


@pytest.mark.parametrize("path", sorted(REAL.glob("*.gcode")), ids=lambda path: path.name)
def test_both_readers_find_the_same_in_real_files(path: Path) -> None:
    slow, quick = both(path.read_bytes())
    assert quick == slow
