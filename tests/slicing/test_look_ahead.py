"""How long moves take: against a planner that goes from move to move."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slicing.look_ahead import Machine, estimate, plan

MACHINE = Machine(acceleration_mm_s2=1000, jerk_mm_s=8, speed_max_mm_s=200, speed_z_max_mm_s=10)


def one_by_one(
    lengths: list[float], speeds: list[float], limits: list[float], acceleration: float
) -> float:
    """The same plan as textbooks have it: backwards, then forwards, then trapezoids."""
    squares = [limit * limit for limit in limits]
    for number in reversed(range(len(lengths))):
        gain = 2 * acceleration * lengths[number]
        squares[number] = min(squares[number], squares[number + 1] + gain)
    for number, length in enumerate(lengths):
        squares[number + 1] = min(squares[number + 1], squares[number] + 2 * acceleration * length)
    total = 0.0
    for number, (length, speed) in enumerate(zip(lengths, speeds, strict=True)):
        enters, leaves = squares[number], squares[number + 1]
        top = min(speed**2, acceleration * length + (enters + leaves) / 2) ** 0.5
        ramps = (2 * top**2 - enters - leaves) / (2 * acceleration)
        total += (2 * top - enters**0.5 - leaves**0.5) / acceleration + (length - ramps) / top
    return total


@given(st.lists(st.tuples(st.floats(0.05, 80), st.floats(5, 200)), min_size=1, max_size=40))
def test_the_plan_is_that_of_a_planner_that_goes_from_move_to_move(
    moves: list[tuple[float, float]],
) -> None:
    lengths, speeds = [each[0] for each in moves], [each[1] for each in moves]
    signs = np.array([1.0 if number % 3 else -1.0 for number in range(len(moves))])
    velocity = np.zeros((4, len(moves)))
    velocity[0] = np.array(speeds) * signs
    seconds = plan(np.array(lengths), np.array(speeds), np.full(len(moves), 900.0), velocity, 8.0)
    limits = [0.0]
    for number in range(len(moves) - 1):
        slower = min(speeds[number], speeds[number + 1])
        turns = signs[number] != signs[number + 1]
        limits.append(slower * min(1.0, 8.0 / (2 * slower)) if turns else slower)
    expected = one_by_one(lengths, speeds, [*limits, 0.0], 900.0)
    assert float(seconds.sum()) == pytest.approx(expected, rel=1e-6)


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "a.gcode"
    path.write_text(text)
    return path


def test_one_move_is_a_trapezoid_and_a_wait_is_waited(tmp_path: Path) -> None:
    # 100 mm at 100 mm/s and 1000 mm/s²: 0.1 s up, 0.1 s down, 0.9 s between them.
    _, found = estimate(written(tmp_path, "G28\nG1 X100 F6000\nG4 P2500\n"), MACHINE)
    assert found.planned_s == pytest.approx(1.1 + 2.5, abs=0.06)


def test_the_file_may_ask_for_less_acceleration_and_never_gets_more(tmp_path: Path) -> None:
    times = []
    for asked in ("", "M204 S100\n", "M204 S99999\n"):
        text = "G28\n" + asked + "G1 X20 F6000\nG1 X0\n" * 50
        times.append(estimate(written(tmp_path, text), MACHINE)[1].planned_s)
    assert times[1] > times[0] == times[2]


def test_layers_end_in_order_and_the_slicers_own_figure_counts_where_it_can_be(
    tmp_path: Path,
) -> None:
    layer = ";LAYER_CHANGE\nG1 X100 E1 F6000\nG1 X0 E2\nG92 E0\n"
    text = "G28\nM109 S200\n" + layer * 10
    _, ours = estimate(written(tmp_path, text), MACHINE)
    assert ours.source == "planner"
    assert list(ours.layers_s) == sorted(ours.layers_s)
    assert ours.layers_s[-1] == pytest.approx(ours.time_s, abs=0.2)
    assert ours.layers_s[4] == pytest.approx(ours.time_s / 2, rel=0.1)
    for told, source in ((30, "slicer"), (3000, "planner")):
        words = f"; estimated printing time (normal mode) = {told}s\n"
        _, found = estimate(written(tmp_path, text + words), MACHINE)
        assert found.source == source
        assert found.time_s == (30 if source == "slicer" else ours.time_s)
