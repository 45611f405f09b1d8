"""Walls are as thick as they were drawn, and what begins in mid-air is found."""

import numpy as np
import pytest

from slicing import standing, walls
from slicing.columns import crossings, lines_through
from slicing.mesh import Mesh, placed
from tests.fakes.meshes import MODELS, Corners, ball, box, lathe, stored

TILT = np.radians(33)
TILTED = np.array(((np.cos(TILT), -np.sin(TILT), 0), (np.sin(TILT), np.cos(TILT), 0), (0, 0, 1)))


def on_bed(corners: Corners) -> Corners:
    return placed(Mesh(stored(corners), "stl"), 0, 0, turned=False).corners


def measured(corners: Corners) -> walls.Walls:
    laid = on_bed(corners)
    return walls.measure(laid, lines_through(laid), thin_mm=0.3, layer_mm=0.1)


def looked_at(corners: Corners) -> standing.Standing:
    laid = on_bed(corners)
    return standing.look(laid, lines_through(laid))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("axis", range(3))
def test_a_line_through_a_sound_model_leaves_it_as_often_as_it_enters(
    model: str, axis: int
) -> None:
    met = crossings(stored(MODELS[model]()), axis, step_mm=0.5)
    depth = met.depth()
    assert len(depth)
    assert (depth == met.enters).all()


@pytest.mark.parametrize("thick_mm", [0.05, 0.4, 1.0, 3.0])
@pytest.mark.parametrize("turn", [np.eye(3), TILTED, TILTED[[2, 0, 1]][:, [2, 0, 1]]])
def test_a_flat_wall_is_as_thick_as_drawn(thick_mm: float, turn: Corners) -> None:
    found = measured(box(60, thick_mm, 40) @ turn.T).thinnest_mm
    assert found == pytest.approx(thick_mm, rel=1e-3)


@pytest.mark.parametrize("thick_mm", [0.4, 1.0, 2.0])
def test_a_round_wall_is_as_thick_as_drawn_within_a_tenth(thick_mm: float) -> None:
    outer, inner = 20 + thick_mm, 20.0
    tube = lathe([(inner, 0), (outer, 0), (outer, 30), (inner, 30)], 96)
    shell = np.concatenate((ball(outer, 60), ball(inner, 60)[:, ::-1]))
    for part in (tube, shell):
        assert measured(part).thinnest_mm == pytest.approx(thick_mm, rel=0.1)


def test_thin_walls_and_thin_floors_are_told_apart() -> None:
    assert measured(box(40, 0.2, 40)).thin_upright > 0.9
    assert measured(box(40, 40, 0.2)).thin_upright + measured(box(40, 40, 0.2)).thin_lying < 0.1
    assert measured(box(40, 40, 0.05)).thin_lying > 0.9


def test_a_surface_that_encloses_twice_or_less_than_nothing_is_told() -> None:
    twice = np.concatenate((box(20, 20, 20), box(20, 20, 20) + 10))
    assert measured(twice).doubled > 0.05
    assert measured(box()[:, ::-1]).inverted > 0.3
    assert measured(box()).doubled == measured(box()).inverted == 0


def test_what_begins_in_mid_air_is_found_with_its_height() -> None:
    mushroom = lathe([(0, 0), (5, 0), (5, 20), (15, 15), (15, 25), (0, 25)], 64)
    found = looked_at(mushroom)
    assert (found.islands, found.loose_ratio) == (1, 0)
    assert found.island_mm == pytest.approx(15, abs=0.3)
    assert looked_at(box()).islands == 0


def test_what_nothing_joins_to_the_bed_is_loose() -> None:
    found = looked_at(np.concatenate((box(20, 20, 20), box(10, 10, 10) + 30)))
    assert found.loose_ratio == pytest.approx(1 / 9, rel=0.1)
    beside = np.concatenate((box(20, 20, 20), box(10, 10, 10) + np.array((30, 0, 0))))
    assert looked_at(beside).loose_ratio == 0


def test_an_overhang_counts_beyond_45_degrees() -> None:
    for reach, hangs in ((9.5, False), (10.5, True)):
        cone = lathe([(0, 0), (10, 0), (10 + reach, 10), (0, 10)], 128)
        ratio = looked_at(cone).overhang_ratio
        slope = np.pi * (20 + reach) * np.hypot(reach, 10)
        whole = slope + np.pi * (10**2 + (10 + reach) ** 2)
        assert ratio == pytest.approx(slope / whole if hangs else 0.0, rel=0.01)


def test_a_foot_is_measured_and_an_edge_is_none() -> None:
    assert looked_at(box(10, 20, 5)).foot_mm2 == pytest.approx(200)
    assert looked_at(box() @ TILTED[[2, 0, 1]][:, [2, 0, 1]].T).foot_mm2 == 0
