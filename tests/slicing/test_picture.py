"""Pictures show what is there: shapes of the right size, the nearer before the farther."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from slicing.picture import PART_COLOUR, Painted, picture, pictures
from tests.fakes.meshes import Corners, ball, box, ring


def pixels(png: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(png)))


@pytest.mark.parametrize("size_px", [64, 400])
def test_a_ball_is_a_disc_that_fills_the_picture(size_px: int) -> None:
    seen = pixels(picture(ball(20, 48), size_px))
    assert seen.shape == (size_px, size_px, 4)
    covered = (seen[:, :, 3] / 255).sum() / size_px**2
    assert covered == pytest.approx(np.pi / 4 * 0.92**2, rel=0.01)
    middle = np.hypot(*(np.indices((size_px, size_px)) - (size_px - 1) / 2))
    assert (seen[middle < 0.44 * size_px, 3] == 255).all()
    assert (seen[middle > 0.48 * size_px, 3] == 0).all()


def test_edges_are_smooth() -> None:
    seen = pixels(picture(ball(20, 48), 100))
    half = (seen[:, :, 3] > 0) & (seen[:, :, 3] < 255)
    assert 100 < half.sum() < 400


def test_light_comes_from_above_and_in_front() -> None:
    bright = pixels(picture(ball(20, 48), 100))[:, :, :3].sum(axis=2)
    assert bright[12:25, 50].mean() > bright[75:88, 50].mean()


def test_the_nearer_part_hides_the_farther_in_either_order() -> None:
    red, blue = (255, 0, 0), (0, 0, 255)
    near = Painted(corners=box(20, 2, 20) - np.array((0, 5, 0)), colour=red)
    far = Painted(corners=box(20, 2, 20), colour=blue)
    one, other = (pixels(pictures(two, (200,))[0]) for two in ([near, far], [far, near]))
    assert (one == other).all()
    assert (one[:, :, 0] > 80).sum() > (one[:, :, 2] > 80).sum() > 0


@pytest.mark.parametrize(
    "corners", [box(1, 100, 0.2), ring(20, 4, 60, 12), ball(5, 120)], ids=["rod", "ring", "dense"]
)
def test_the_far_side_of_a_closed_surface_adds_nothing(corners: Corners) -> None:
    whole, near = (pictures([Painted(corners=corners, closed=one)])[0] for one in (False, True))
    differing = (pixels(whole) != pixels(near)).any(axis=2).mean()
    assert differing < 0.002  # where two triangles are equally near


def test_a_plate_shows_its_bed_under_the_part() -> None:
    seen = pixels(picture(box() + 100 * np.array((1, 1, 0)), 200, bed_mm=(220, 220)))
    orange = seen[:, :, 0].astype(int) > seen[:, :, 2].astype(int) + 40
    assert 0.005 < orange.mean() < 0.05
    assert (seen[:, :, 3] == 255).mean() > 0.2
    assert PART_COLOUR[0] > PART_COLOUR[2]


def test_an_open_surface_is_seen_from_behind_as_well() -> None:
    wall = np.array([[(0, 0, 0), (20, 0, 0), (20, 0, 20)], [(0, 0, 0), (20, 0, 20), (0, 0, 20)]])
    front, back = (pixels(picture(one, 64))[:, :, 3] for one in (wall * 1.0, wall[:, ::-1] * 1.0))
    assert (front == back).all()
    assert front.mean() > 50
