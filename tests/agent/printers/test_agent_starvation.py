"""What is found out of a planner that runs dry, held against the simulated firmware's own."""

from collections.abc import Sequence
from math import cos, sin

import pytest

from agent.core.watch import Dryness, Look, Watch, watch
from agent.printers.starvation import LOOK_BYTES_MAX, Starvation
from protocols.gcode.survey import survey
from tests.fakes.slow_line import SlowLine

BEGIN = ["M140 S50", "G28", "M109 S200", "G90", "M83", "G1 Z0.2 F600"]
UART_BYTES_PER_S = 11_520  # 115,200 baud


def plate(lines: int, *, step_mm: float, feed: int) -> list[str]:
    """Return a circle in steps, with a fan and an acceleration now and then, as slicers do."""
    body = []
    for number in range(lines):
        angle = number * step_mm / 40
        place = f"X{100 + 40 * cos(angle):.3f} Y{100 + 40 * sin(angle):.3f}"
        body.append(f"G1 {place} E{step_mm * 0.03:.5f} F{feed}")
        if number % 40 == 20:
            body.append(f"M106 S{number % 255}")
        if number % 100 == 50:
            body.append("M204 S1250")
    return [*BEGIN, *body]


FINE = plate(2000, step_mm=0.2, feed=9000)
COARSE = plate(800, step_mm=1.0, feed=6000)


def look_at(line: SlowLine, lines: Sequence[str]) -> list[tuple[float, Dryness | None]]:
    """Print, looking every 2 s as the driver does; return the times and what was found."""
    found, starvation = survey([each.encode() + b"\n" for each in lines]), Starvation()
    seen: list[tuple[float, Dryness | None]] = []
    for now_s in line.ticks():
        begin = max(0, line.accepted - 64)
        motion_s = None
        if line.accepted and not line.held:
            passed_s = found.elapsed_at(line.accepted) - found.elapsed_at(begin)
            motion_s = passed_s / (line.accepted - begin)
        dryness = starvation.look(
            line.transcript.spoken(bytes_max=LOOK_BYTES_MAX),
            now_s=now_s,
            unanswered=line.connection.lines_under_way,
            motion_s=motion_s,
        )
        seen.append((now_s, dryness))
        if line.held:
            return seen
    return seen


def is_told(dryness: Dryness | None) -> bool:
    _, findings = watch(Watch(), Look(now_s=0.0, readings={}, read_at_s=None, dryness=dryness))
    return [finding.rule for finding in findings] == ["planner_starved"]


@pytest.mark.parametrize("window", [1, 4])
@pytest.mark.parametrize("advanced_ok", [True, False])
def test_a_line_too_slow_for_the_plate_is_found_out_while_it_prints(
    window: int, advanced_ok: bool
) -> None:
    line = SlowLine(FINE, bytes_per_s=UART_BYTES_PER_S, window=window, advanced_ok=advanced_ok)
    seen = look_at(line, FINE)
    gaps = line.planner.gaps
    assert len(gaps) > 100, "the planner really ran dry"
    told_at_s = next(now_s for now_s, dryness in seen if is_told(dryness))
    assert gaps[0][0] < told_at_s < gaps[0][0] + 5
    dryness = seen[-1][1]
    assert dryness is not None
    true_per_minute = len(gaps) / (gaps[-1][0] - gaps[0][0]) * 60
    assert true_per_minute / 3 < dryness.per_minute < true_per_minute * 3
    assert dryness.gap_ms < max(gap for _, gap in gaps) * 1000 + 5


@pytest.mark.parametrize("advanced_ok", [True, False])
@pytest.mark.parametrize(
    ("lines", "bytes_per_s", "window"),
    [(COARSE, UART_BYTES_PER_S, 1), (COARSE, UART_BYTES_PER_S, 4), (FINE, 1_000_000, 4)],
)
def test_a_line_that_is_fast_enough_is_never_blamed_not_for_heating_and_homing_either(
    lines: list[str], bytes_per_s: float, window: int, advanced_ok: bool
) -> None:
    line = SlowLine(lines, bytes_per_s=bytes_per_s, window=window, advanced_ok=advanced_ok)
    seen = look_at(line, lines)
    assert line.planner.gaps == [], "the planner never ran dry"
    assert not [dryness for _, dryness in seen if is_told(dryness)]


def test_a_planner_that_is_empty_because_nothing_is_said_is_not_starved() -> None:
    line = SlowLine(FINE, bytes_per_s=UART_BYTES_PER_S, window=1, advanced_ok=True)
    line.held = True
    assert look_at(line, FINE)[-1][1] is None


def test_where_a_board_never_told_what_an_empty_planner_is_nobody_is_blamed() -> None:
    line = SlowLine(FINE, bytes_per_s=UART_BYTES_PER_S, window=1, advanced_ok=True)
    late = Starvation()
    for now_s in line.ticks():
        if line.accepted < 500:
            continue  # another agent begins to look in the middle of the print
        spoken = line.transcript.spoken(bytes_max=LOOK_BYTES_MAX)
        assert late.look(spoken, now_s=now_s, unanswered=1, motion_s=0.0013) is None


def test_what_is_looked_at_is_bounded_whatever_the_speed_of_the_line() -> None:
    line = SlowLine(FINE, bytes_per_s=1_000_000, window=4, advanced_ok=True)
    most = max(len(line.transcript.spoken(bytes_max=LOOK_BYTES_MAX)) for _ in line.ticks())
    assert most <= 600
