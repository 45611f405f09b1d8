from collections.abc import Iterator
from dataclasses import astuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.gcode.lines import parse
from protocols.gcode.modal import ModalState
from protocols.gcode.program import read_program
from protocols.gcode.shorten import shorten

DIGITS = st.text("0123456789", max_size=4)
NUMBER = st.builds(
    lambda sign, whole, point, fraction: sign + whole + point + (fraction if point else ""),
    st.sampled_from(["", "-", "+"]), DIGITS, st.sampled_from(["", "."]), DIGITS,
).filter(lambda text: any(c.isdigit() for c in text))  # fmt: skip
WORD = st.builds(str.__add__, st.sampled_from("XYZEFIJRP"), NUMBER)
NAME = st.sampled_from(["G0", "G1", "G2", "G3", "G92", "G28", "G01", "G10", "M104", "M117", "T0"])
LINE = st.builds(
    lambda name, words, blank: name + "".join(blank + word for word in words),
    NAME, st.lists(WORD, max_size=5), st.sampled_from(["", " ", "  ", " \t"]),
)  # fmt: skip
ANYTHING = LINE | st.text(st.characters(codec="ascii", exclude_characters="\r\n"), max_size=30)


@given(ANYTHING, st.booleans())
def test_what_is_said_is_the_same_and_never_longer(text: str, glued: bool) -> None:
    said, meant = parse(shorten(text, glued=glued)), parse(text)
    assert (said and (said.name, said.words)) == (meant and (meant.name, meant.words))
    assert len(shorten(text, glued=glued)) <= len(text)


@given(ANYTHING, st.booleans())
def test_done_twice_it_changes_nothing_more(text: str, glued: bool) -> None:
    once = shorten(text, glued=glued)
    assert shorten(once, glued=glued) == once


@pytest.mark.parametrize(
    ("text", "said", "glued"),
    [("G1 X10.000 Y0.50 F1800.0", "G1 X10 Y.5 F1800", "G1X10Y.5F1800"),
     ("G1 X-0.50 Y-0.000 Z100", "G1 X-.5 Y0 Z100", "G1X-.5Y0Z100"),
     ("G2  X1.5\tY2 I007.0 J.50 ", "G2 X1.5 Y2 I7 J.5", "G2X1.5Y2I7J.5"),
     ("G92 E0.0", "G92 E0", "G92 E0")],
)  # fmt: skip
def test_zeros_and_blanks_that_say_nothing_are_left_out(text: str, said: str, glued: str) -> None:
    assert shorten(text) == said
    assert shorten(text, glued=True) == glued


@pytest.mark.parametrize(
    ("text", "said"),
    [("G1 Y20 E5", "G1Y20 E5"), ("G1 Y0.0 X10.0", "G1Y0 X10"), ("G1 Y10 X10", "G1Y10X10")],
)
def test_a_blank_stays_where_a_number_would_be_read_as_another_one(text: str, said: str) -> None:
    assert shorten(text, glued=True) == said


@pytest.mark.parametrize(
    "text",
    ["M117 X10.000", "M104 S200.0", "G01 X1.0", "G1 X1.0 (note)", "G1 x1.0", "G1 X1.0e5",
     "G1 X", "G1 X1.0.0", "G28 X0.0", "PRINT_START T=0.50", "G1 A.", "G92.1 X0.0"],
)  # fmt: skip
def test_what_is_no_plain_move_is_not_touched(text: str) -> None:
    assert shorten(text) == text


def test_a_shortened_file_has_the_same_commands_and_leaves_the_same_behind() -> None:
    lines = ["G28", ";x", "G1 X10.500 Y0.50 E0.10 F1200.0", "", "M117 1.0", "G2 X1.0 I-.50 E0.20"]

    def left(shortened: bool) -> Iterator[object]:
        state = ModalState()
        for item in read_program(f"{line}\n".encode() for line in lines):
            command = parse(shorten(item.command, glued=True) if shortened else item.command)
            assert command is not None
            state.apply(command)
            yield astuple(state)

    assert list(left(True)) == list(left(False))
