import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.gcode.arcs import arc_middle, arc_mm
from protocols.gcode.extremes import Box
from protocols.gcode.lines import parse
from protocols.gcode.modal import ModalState
from protocols.gcode.program import command_in, pause_in, read_program
from protocols.gcode.survey import COMMANDS_PER_MARK, MARKS_PER_SNAPSHOT, survey

NUMBER = st.floats(-200, 200).map(lambda value: f"{value:.3f}")
FEED = st.integers(1, 9000).map(str)
MOVE = st.builds(
    lambda kind, words, feed, first: " ".join(
        [kind, *([f"F{feed}"] if first else []), *words, *([] if first else [f"F{feed}"])]
    ),
    st.sampled_from(["G0", "G1", "G2", "G3"]),
    st.lists(st.builds(lambda a, b: a + b, st.sampled_from("XYZIJE"), NUMBER), max_size=6),
    FEED,
    st.booleans(),
)
OTHER = st.sampled_from(
    ["G90", "G91", "M82", "M83", "G20", "G21", "G92 E0", "G28", "; note", "", "g1 x5", "G1 F0"]
)


@given(st.lists(MOVE | OTHER))
def test_the_short_way_through_a_move_leads_where_the_long_one_does(lines: list[str]) -> None:
    state, seconds, box = ModalState(), 0.0, Box()
    for line in lines:
        command = parse(line.partition(";")[0])
        start = (state.x_mm, state.y_mm, state.z_mm)
        if command is not None and (move := state.apply(command)) is not None:
            seconds += move.seconds
            if move.extruded_mm > 0 and move.travelled_mm > 0:
                reach = move.box_mm or (move.x_mm, move.y_mm, move.x_mm, move.y_mm)
                box.widen(start, 0)
                box.widen((reach[0], reach[1], move.z_mm), 0)
                box.widen((reach[2], reach[3], move.z_mm), 0)
    found = survey(f"{line}\n".encode() for line in lines)
    assert found.total_s == pytest.approx(seconds)
    assert found.extremes.part.low == pytest.approx(box.low)
    assert found.extremes.part.high == pytest.approx(box.high)
    assert found.line_count == sum(bool(command_in(line.encode())) for line in lines)


def test_any_position_can_be_found_again_without_reading_the_file_from_its_beginning() -> None:
    every = COMMANDS_PER_MARK * MARKS_PER_SNAPSHOT
    body = [f"G1 X{n % 90} Y{n % 70} ; {n}" for n in range(every + 200)]
    data = "\n".join(["; head", "M83", *body]).encode()
    commands = [item.command for item in read_program(io.BytesIO(data))]
    found = survey(io.BytesIO(data))
    for position in (0, 1, 63, 64, 65, every - 1, every, every + 77, found.line_count):
        offset, skipped = found.nearest(position)
        rest = [item.command for item in read_program(io.BytesIO(data[offset:]))]
        assert rest[skipped : skipped + 3] == commands[position : position + 3]
    state, at = found.state_near(every + 5)
    assert at == every
    assert not state.absolute_e


def test_an_arc_is_as_long_as_it_is_and_its_radius_finds_the_same_middle() -> None:
    start, end = (10.0, 0.0, 0.0), (0.0, 10.0, 0.0)
    assert arc_mm(start, end, (-10, 0), clockwise=False) == pytest.approx(math.pi * 5)
    assert arc_mm(start, end, (-10, 0), clockwise=True) == pytest.approx(math.pi * 15)
    assert arc_mm(start, start, (-10, 0), clockwise=True) == pytest.approx(math.pi * 20)
    short = arc_middle(start, end, 10.0, clockwise=False)
    assert short == pytest.approx((-10, 0))
    assert arc_middle(start, end, -10.0, clockwise=True) == pytest.approx((-10, 0))


def test_time_follows_the_slicers_own_countdown() -> None:
    lines = ["M73 P0 R10", *["G1 X1 F60", "G1 X0"] * 10, "M73 P50 R2", *["G1 X1", "G1 X0"] * 10]
    found = survey(f"{line}\n".encode() for line in lines)
    assert found.total_s == 600
    assert found.elapsed_at(found.line_count) == 600
    half = survey(f"{line}\n".encode() for line in lines * 8)
    marks = list(half.marks_s)
    assert marks == sorted(marks), "time never runs backwards"


@pytest.mark.parametrize(
    ("line", "words"),
    [("M0", "waits for somebody"), ("m1 S5", "waits for somebody"), ("M0 Turn it", "Turn it"),
     ("M600 B2", "another filament"), ("M25", "pause"), ("@pause", "pause"), ("M226 P1", "pause")],
)  # fmt: skip
def test_what_waits_for_a_person_is_for_the_host_and_never_goes_to_the_printer(
    line: str, words: str
) -> None:
    data = f"G28\n{line}\nG1 X1\n".encode()
    found = survey(io.BytesIO(data))
    assert [item.command for item in read_program(io.BytesIO(data))] == ["G28", "G1 X1"]
    assert list(found.pauses) == [1]
    assert words in found.pauses[1]


@pytest.mark.parametrize("line", ["M104 S0", "M107", "M117 @pause", "G1 X0", "@other", "; M0"])
def test_other_lines_ask_for_no_pause(line: str) -> None:
    assert pause_in(line.encode()) is None


@given(
    lengths=st.lists(st.integers(1, 400), min_size=30, max_size=200),
    first=st.integers(0, 100),
)
def test_no_eleven_moves_in_a_row_are_faster_than_it_is_said(
    lengths: list[int], first: int
) -> None:
    lines = [b"G91\n", b"G1 F6000\n"]
    for length in lengths:
        lines.append(b"G1 X%.2f\n" % (length / 100))
    seconds = [0.0, 0.0, *(length / 100 / 100 for length in lengths)]
    found = survey(io.BytesIO(b"".join(lines)))
    first = min(first, len(seconds) - 11)
    told = found.eleven_s(first, first + 10)
    assert told <= sum(seconds[first : first + 11]) + 1e-6


def test_even_moves_are_believed_to_last_nearly_as_long_as_they_do() -> None:
    lines = b"G91\nG1 F3600\n" + b"G1 X0.15\n" * 1000
    assert survey(io.BytesIO(lines)).eleven_s(300, 400) == pytest.approx(8 * 0.0025)
