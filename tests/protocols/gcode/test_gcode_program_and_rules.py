import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.gcode.lines import parse, strip_comment
from protocols.gcode.modal import ModalState
from protocols.gcode.program import read_program
from protocols.gcode.rules import Limits, check_program
from protocols.gcode.survey import survey

LIMITS = Limits(bed_x_mm=200, bed_y_mm=200, height_mm=200)


@given(st.lists(st.sampled_from([b"G1 X1 E1", b"; note", b"", b"G28 ; home", b"M117 \xc3\xa9"])))
def test_offsets_are_those_of_the_file(lines: list[bytes]) -> None:
    data = b"\n".join(lines)
    for item in read_program(io.BytesIO(data)):
        line = data[item.offset :].partition(b"\n")[0]
        assert line == lines[item.number - 1]
        assert item.command.startswith(strip_comment(line.decode())[:4])


def test_layers_and_time_come_from_the_slicer_where_it_tells() -> None:
    text = b";LAYER_CHANGE\nG1 X60 E1 F3600\n;LAYER_CHANGE\nG1 X0 E2\n"
    found = survey(io.BytesIO(text + b"; estimated printing time (normal mode) = 1m 40s\n"))
    assert (found.line_count, found.layer_count, found.total_s) == (2, 2, 100)
    assert [found.layer_at(n) for n in (0, 1, 2)] == [1, 2, 2]
    assert found.progress_at(1) < found.progress_at(2) == 1.0


def test_without_a_slicers_word_heights_are_layers_and_moves_are_time() -> None:
    text = b"G1 Z0.2 F3600\nG1 X60 E1\nG1 Z0.4\nG1 X0 E2\n"
    found = survey(io.BytesIO(text))
    assert found.layer_count == 2
    assert found.total_s == pytest.approx(2.0, abs=0.01)


HEAD = b"; head\nG28\nM109 S200\nG1 X10 Z1 E1\n"


@pytest.mark.parametrize(
    ("text", "rule"),
    [("G1 X999 E2", "envelope"), ("M109 S999", "temperature"), ("M997", "forbidden"),
     ("what is this", "syntax"), ("G1 X" + "1" * 99, "line"), ("", "empty")],
)  # fmt: skip
def test_what_does_not_fit_is_found_with_its_line(text: str, rule: str) -> None:
    data = HEAD + text.encode() + b"\n" if text else b"; head\n"
    (finding,) = check_program(io.BytesIO(data), LIMITS)
    assert (finding.rule, finding.line) == (rule, 5 if text else 0)


def test_a_margin_beside_the_bed_is_none_above_it() -> None:
    limits = Limits(bed_x_mm=100, bed_y_mm=100, height_mm=100, margin_mm=5)
    beside, above = HEAD + b"G1 X104 Y-4 Z1 E2\n", HEAD + b"G1 X50 Z104 E2\n"
    assert list(check_program(io.BytesIO(beside), limits)) == []
    assert [finding.rule for finding in check_program(io.BytesIO(above), limits)] == [
        "envelope",
        "height",
    ]


def test_a_restored_state_says_what_the_file_had_set() -> None:
    state = ModalState()
    set_before = ("G90", "M83", "M220 S80", "M221 S95", "G1 X10 Y20 Z3 F1200", "G1 E2", "M106 S128")
    for line in set_before:
        command = parse(line)
        assert command is not None
        state.apply(command)
    restored = set(state.restore_commands())
    assert {"G1 X10.000 Y20.000 F6000", "G92 E2.00000", "M106 S128", "M83", "G1 F1200"} <= restored
    assert {"M220 S80", "M221 S95"} <= restored
