"""Parts on beds: nothing overlaps, nothing sticks out, and as much as has room goes on."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slicing import stl
from slicing.catalogue import Catalogue
from slicing.errors import ModelTooLarge
from slicing.inspection import inspect
from slicing.mesh import Mesh, fits
from slicing.orient import orient
from slicing.overrides import Overrides
from slicing.pack import CLEARANCE_MM, Arrangement, Item, pack
from slicing.parts import prepared
from slicing.remembering import key_of
from slicing.request import InspectRequest, SliceRequest
from tests.fakes.meshes import Corners, ball, box, lathe

BED = (220.0, 220.0)
items = st.builds(
    Item, width_mm=st.floats(1, 200), depth_mm=st.floats(1, 200), copies=st.integers(1, 12)
)


def boxes(bed: Arrangement, parts: list[Item]) -> list[tuple[float, float, float, float]]:
    found = []
    for one in bed:
        width, depth = parts[one.item].width_mm, parts[one.item].depth_mm
        if one.turned:
            width, depth = depth, width
        found.append(
            (one.x_mm - width / 2, one.y_mm - depth / 2, one.x_mm + width / 2, one.y_mm + depth / 2)
        )
    return found


@settings(max_examples=60, deadline=None)
@given(st.lists(items, min_size=1, max_size=4), st.sampled_from([0.0, 5.0]))
def test_every_copy_is_on_some_bed_and_none_is_near_another(
    parts: list[Item], brim_mm: float
) -> None:
    beds = pack(parts, BED, brim_mm=brim_mm)
    for number, part in enumerate(parts):
        assert sum(one.item == number for bed in beds for one in bed) == part.copies
    gap = CLEARANCE_MM + 2 * brim_mm - 0.03  # rectpack counts in hundredths
    for bed in beds:
        placed = boxes(bed, parts)
        for number, (x, y, far_x, far_y) in enumerate(placed):
            assert min(x, y) >= brim_mm - 0.03
            assert max(far_x, far_y) <= BED[0] - brim_mm + 0.03
            for other in placed[number + 1 :]:
                apart = max(other[0] - far_x, x - other[2], other[1] - far_y, y - other[3])
                assert apart >= gap


@pytest.mark.parametrize(
    ("width", "depth", "brim_mm", "count"),
    [(20, 20, 0, 81), (20, 20, 5, 36), (100, 30, 0, 12), (219, 219, 0, 1), (60, 100, 0, 6)],
)
def test_a_bed_takes_as_many_equal_parts_as_rows_would(
    width: float, depth: float, brim_mm: float, count: int
) -> None:
    beds = pack([Item(width_mm=width, depth_mm=depth, copies=200)], BED, brim_mm=brim_mm)
    assert len(beds[0]) >= count
    assert len(beds) == -(-200 // len(beds[0]))


def test_thirty_boxes_of_two_thirds_of_a_bed_share_one_plate() -> None:
    parts = [Item(width_mm=20 + n % 7 * 3, depth_mm=40 - n % 5 * 4, copies=1) for n in range(30)]
    assert len(pack(parts, BED)) == 1


def turned(corners: Corners, seed: int) -> Corners:
    """Return the corners in some other way, by a random rotation."""
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return corners @ (turn * np.sign(np.linalg.det(turn)))


BOWL = lathe([(0, 0), (30, 0), (45, 30), (43, 30), (29, 3), (0, 3)], 48)
TABLE = np.concatenate(
    [box(60, 40, 4)] + [box(5, 5, 30) + np.array((x, y, 4)) for x in (0, 55) for y in (0, 35)]
)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("model", "height"),
    [(box(80, 50, 6), 6), (BOWL, 30), (TABLE, 34)],
    ids=["slab", "bowl", "table"],
)
def test_a_part_that_lies_anyhow_is_stood_up_well(model: Corners, height: float, seed: int) -> None:
    mesh = Mesh(turned(model, seed), "stl")
    found = orient(mesh)
    assert found.size_mm[2] == pytest.approx(height, abs=0.3)
    assert found.volume_mm3 == pytest.approx(mesh.volume_mm3)
    width, depth, _ = np.ptp(model.reshape(-1, 3), axis=0)
    assert found.size_mm[0] * found.size_mm[1] <= 1.03 * width * depth


@pytest.mark.parametrize("model", [box(80, 50, 6), BOWL, TABLE], ids=["slab", "bowl", "table"])
def test_a_part_that_stands_well_is_left_alone(model: Corners) -> None:
    mesh = Mesh(model, "stl")
    assert orient(mesh) is mesh


def test_what_fits_only_laid_down_is_laid_down_where_that_was_asked_for(tmp_path: Path) -> None:
    # Upright it prints best: its foot is wide, and lying it hangs over all its length.
    tower = np.concatenate((box(60, 60, 10), box(10, 10, 225) + np.array((25, 25, 5))))
    path = tmp_path / "tower.stl"
    stl.write(tower, path)
    assert orient(Mesh(tower, "stl")).size_mm[2] == pytest.approx(230)
    request = InspectRequest(kind="inspect", model_path=path, printers=("prusa-mk4",))
    with pytest.raises(ModelTooLarge):
        inspect(request)
    asked = request.model_copy(update={"orient": True})
    assert inspect(asked).fits == ("prusa-mk4",)
    room_mm = Catalogue().printer("prusa-mk4").volume_mm
    assert fits(orient(Mesh(tower, "stl"), room_mm=room_mm).size_mm, room_mm)
    plate = SliceRequest(
        kind="slice",
        model_path=path,
        printer="prusa-mk4",
        material="PLA",
        quality="draft",
        output_path=tmp_path / "out.gcode",
        orient=True,
    )
    configuration = Catalogue().configuration("prusa-mk4", "PLA", "draft", plate.settings)
    (part,) = prepared(plate, configuration, lambda _stage: None)
    assert fits(part.mesh.size_mm, room_mm)


def test_turning_a_part_is_a_setting_too_which_outranks_the_request(tmp_path: Path) -> None:
    path = tmp_path / "wall.stl"
    stl.write(box(2, 60, 60), path)
    plate = SliceRequest(
        kind="slice",
        model_path=path,
        printer="prusa-mk4",
        material="PLA",
        output_path=tmp_path / "out.gcode",
    )
    configuration = Catalogue().configuration("prusa-mk4", "PLA", "standard", plate.settings)
    chosen = {
        turns: plate.model_copy(update={"settings": Overrides(orient=turns), "orient": not turns})
        for turns in (True, False)
    }
    for turns, request in chosen.items():
        (part,) = prepared(request, configuration, lambda _stage: None)
        assert part.turned is turns
        assert key_of(request) == key_of(plate.model_copy(update={"orient": turns}))
    assert key_of(chosen[True]) != key_of(chosen[False]) == key_of(plate)


def test_what_fits_no_way_up_is_oriented_as_if_there_were_room() -> None:
    mesh = Mesh(box(80, 50, 6), "stl")
    assert orient(mesh, room_mm=(10, 10, 10)) is mesh


def test_a_ball_has_no_better_way() -> None:
    mesh = Mesh(ball(20, 24), "stl")
    assert orient(mesh).size_mm[2] == pytest.approx(40, abs=0.5)
