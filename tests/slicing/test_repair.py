"""Broken surfaces: a seed of every defect is mended, and what was sound is left alone."""

import numpy as np
import pytest

from slicing.mesh import Mesh
from slicing.repair import repair
from slicing.topology import edges_of, joined, proper, sound, volume, weld
from tests.fakes.meshes import DEFECTS, MODELS, ball, box, broken, fine, stored

# The seed of `./farmhand bench slicing repair`, which tries all of them.
SEED = [
    (model, defect) for n, defect in enumerate(DEFECTS) for model in (list(MODELS)[n % 8], "hollow")
]


@pytest.mark.parametrize(("model", "defect"), SEED)
def test_a_broken_surface_becomes_whole(model: str, defect: str) -> None:
    corners, truth = broken(model, defect)
    repaired = repair(Mesh(corners, "stl"))
    vertices, faces = weld(repaired.mesh.corners)
    faces = faces[proper(faces)]
    edges = edges_of(faces)
    assert (edges.forward == edges.backward).all()
    groups = joined(np.concatenate((faces[:, :2], faces[:, 1:])), len(vertices))
    assert len(np.unique(groups[faces])) == (2 if model == "hollow" else 1)
    assert repaired.changes.any
    assert repaired.changes.edges_open == 0
    assert repaired.changes.volume_after_mm3 == pytest.approx(truth, rel=0.02)
    assert repaired.changes.sentence().startswith("The model's surface was repaired (")


@pytest.mark.parametrize("model", MODELS)
def test_a_sound_mesh_passes_untouched(model: str) -> None:
    mesh = Mesh(stored(MODELS[model]()), "stl")
    repaired = repair(mesh)
    assert repaired.mesh is mesh
    assert not repaired.changes.any
    assert repaired.changes.sentence() == ""


def test_bodies_that_touch_along_an_edge_are_sound_though_not_watertight() -> None:
    mesh = Mesh(np.concatenate((box(), box() + np.array((20, 20, 0)))), "stl")
    assert not mesh.watertight()
    assert sound(mesh.corners, volume_mm3=volume(mesh.corners))


def test_a_body_within_a_cavity_within_a_body_stays() -> None:
    outer, cavity, core = fine(box(), 2), ball(8, 12)[:, ::-1] + 10, ball(4, 12) + 10
    mesh = Mesh(stored(np.concatenate((outer, cavity, core))), "stl")
    assert repair(mesh).mesh is mesh
    torn = repair(Mesh(mesh.corners[1:], "stl"))
    assert torn.changes.volume_after_mm3 == pytest.approx(mesh.volume_mm3)


def test_what_was_done_is_counted() -> None:
    corners = np.concatenate((box()[1:], box()[3:4], box()[5:6, ::-1] * 0 + 5, box() + 10))
    changes = repair(Mesh(corners, "stl")).changes
    assert changes.holes_closed == 1
    assert changes.faces_dropped == 2
    assert changes.shells_merged == 1
    assert changes.volume_after_mm3 == pytest.approx(2 * 8000 - 1000)


def test_sheets_that_enclose_nothing_are_left_and_said_to_be_open() -> None:
    sheet = np.array([[(0, 0, 0), (30, 0, 0), (0, 30, 10)], [(0, 0, 5), (9, 9, 9), (0, 9, 5)]])
    mesh = Mesh(sheet.astype(float), "stl")
    repaired = repair(mesh)
    assert repaired.mesh is mesh
    assert repaired.changes.edges_open == 6
    assert "6 of its edges stay open" in repaired.changes.sentence()
