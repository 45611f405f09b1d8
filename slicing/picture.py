"""Pictures of parts and plates, drawn by numpy: no GPU, no display, no window.

Every triangle is cut into the pixel rows it covers, every row into pixels, and of all that claim
a pixel the nearest one gets it. Drawn at twice the size and averaged down, which smooths edges.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from slicing.columns import counted

SIZES_PX = (400, 64)
"""The pictures that are made: for a page, and for a list or a printer's screen."""

Colour = tuple[int, int, int]

PART_COLOUR: Colour = (240, 140, 40)
_BED_COLOUR: Colour = (72, 78, 88)
_LINE_COLOUR: Colour = (104, 112, 124)

_SMOOTHING = 2
_MARGIN = 0.04
_GRID_MM = 10.0
_LINE_MM = 0.35

# Seen from the front, the right and above, as slicers show a bed.
_AZIMUTH_RAD, _ELEVATION_RAD = np.radians(-60.0), np.radians(32.0)
_LIGHTS = ((np.array((-0.35, -0.8, 0.9)), 0.65), (np.array((0.9, 0.1, 0.4)), 0.25))
_AMBIENT = 0.22

# What one step of the work may hold in memory, in triangles and pixels.
_TRIANGLES_AT_ONCE = 100_000
_PIXELS_AT_ONCE = 2_000_000


Seen = NDArray[np.float32]
"""Triangles on the screen, shape (3, 3, n): x y depth, corner, triangle."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Painted:
    """Triangles of one colour.

    Attributes:
        corners: shape (n, 3, 3), in mm with Z up.
        closed: the surface is whole and faces outward: its far side need not be drawn.
    """

    corners: NDArray[np.float64]
    colour: Colour = PART_COLOUR
    closed: bool = False


def picture(
    corners: NDArray[np.float64], size_px: int, *, bed_mm: tuple[float, float] | None = None
) -> bytes:
    """Return a square PNG of triangles, its background transparent.

    Args:
        corners: shape (n, 3, 3), in mm with Z up.
        size_px: width and height.
        bed_mm: width and depth of a bed to stand on, from the origin; None for none.
    """
    return pictures([Painted(corners=corners)], (size_px,), bed_mm=bed_mm)[0]


def pictures(
    parts: Sequence[Painted],
    sizes_px: Sequence[int] = SIZES_PX,
    *,
    bed_mm: tuple[float, float] | None = None,
) -> tuple[bytes, ...]:
    """Return one PNG for each size, drawn once at the greatest; see `picture`."""
    side = max(sizes_px) * _SMOOTHING
    things = [*_bed(*bed_mm), *parts] if bed_mm is not None else list(parts)
    canvas = _Canvas(side)
    for thing, at in _seen(things, side):
        canvas.draw(at, thing)
    drawn = Image.fromarray(canvas.pixels(), "RGBa")
    return tuple(_png(drawn.resize((size, size), Image.Resampling.BOX)) for size in sizes_px)


def _camera() -> NDArray[np.float64]:
    """Return the axes of the picture, one a row: to the right, downwards, away from who looks."""
    across = np.array((-np.sin(_AZIMUTH_RAD), np.cos(_AZIMUTH_RAD), 0.0))
    towards = np.array(
        (
            np.cos(_ELEVATION_RAD) * np.cos(_AZIMUTH_RAD),
            np.cos(_ELEVATION_RAD) * np.sin(_AZIMUTH_RAD),
            np.sin(_ELEVATION_RAD),
        )
    )
    return np.stack((across, -np.cross(towards, across), -towards))


def _seen(things: Sequence[Painted], side_px: int) -> Iterator[tuple[Painted, Seen]]:
    """Yield some triangles at a time as they are seen, so that all things fill the square.

    Parallel lines stay parallel. Depth is in pixels as well.
    """
    turned = [
        (thing, _turned(thing.corners[first : first + _TRIANGLES_AT_ONCE]))
        for thing in things
        for first in range(0, len(thing.corners), _TRIANGLES_AT_ONCE)
    ]
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for _, at in turned:
        low = np.minimum(low, [axis.min() for axis in at])
        high = np.maximum(high, [axis.max() for axis in at])
    extent = max(float(high[0] - low[0]), float(high[1] - low[1]), 1e-9)
    scale = side_px * (1 - 2 * _MARGIN) / extent
    shift = np.array((side_px / 2, side_px / 2, 0.0)) - scale * np.array(
        ((low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2])
    )
    for thing, at in turned:
        at *= np.float32(scale)
        at += shift.astype(np.float32)[:, None, None]
        yield thing, at


def _turned(corners: NDArray[np.float64]) -> Seen:
    """Return triangles along the picture's axes, still in millimetres."""
    rows = np.ascontiguousarray(corners.reshape(-1, 9).T).reshape(3, 3, -1)
    found = np.empty((3, 3, len(corners)), dtype=np.float32)
    for axis, (x, y, z) in enumerate(_camera()):
        found[axis] = x * rows[:, 0] + y * rows[:, 1] + z * rows[:, 2]
    return found


def _least(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = np.minimum(np.minimum(rows[0], rows[1]), rows[2])
    return found


def _most(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = np.maximum(np.maximum(rows[0], rows[1]), rows[2])
    return found


class _Canvas:
    """A square of pixels, each with the nearest thing so far."""

    def __init__(self, side_px: int) -> None:
        self._side = side_px
        self._depth = np.full(side_px * side_px, np.inf, dtype=np.float32)
        self._colour = np.zeros((side_px * side_px, 4), dtype=np.uint8)

    def draw(self, at: Seen, thing: Painted) -> None:
        """Draw triangles."""
        x, y, z = at
        top = np.clip(np.ceil(_least(y) - 0.5), 0, self._side)
        rows = np.clip(np.floor(_most(y) - 0.5) + 1, 0, self._side) - top
        shown = rows > 0  # the others lie between two rows of pixels
        if thing.closed:
            shown &= (x[1] - x[0]) * (y[2] - y[0]) < (x[2] - x[0]) * (y[1] - y[0])
        seen = np.flatnonzero(shown)
        x, y, z = (np.stack([row.take(seen) for row in one]) for one in at)
        top, rows = top.take(seen).astype(np.int64), rows.take(seen).astype(np.int64)
        normals = _normals(x, y, z)
        colours = _shaded(normals, thing.colour)
        slope_x, slope_y = _slopes(normals)
        for some in _portions(rows * ((_most(x) - _least(x)).astype(np.int64) + 2)):
            of, row = counted(rows[some])
            of += some.start
            row += top[of]
            first, count = _spans(x[:, of], y[:, of], row, self._side)
            which, column = counted(count)
            column += first[which]
            owner, line = of[which], row[which]
            depth = z[0, owner] + slope_x[owner] * (column + 0.5 - x[0, owner])
            depth += slope_y[owner] * (line + 0.5 - y[0, owner])
            self._claim(line * self._side + column, depth.astype(np.float32), colours, owner)

    def _claim(
        self,
        place: NDArray[np.int64],
        depth: NDArray[np.float32],
        colours: NDArray[np.uint8],
        owner: NDArray[np.int64],
    ) -> None:
        """Give each pixel to the nearest of those that want it."""
        nearest = self._depth
        np.minimum.at(nearest, place, depth)
        won = nearest[place] == depth
        self._colour[place[won]] = colours[owner[won]]

    def pixels(self) -> NDArray[np.uint8]:
        """Return the square, premultiplied red, green, blue and opacity."""
        return self._colour.reshape(self._side, self._side, 4)


def _normals(
    x: NDArray[np.float32], y: NDArray[np.float32], z: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return what stands upright on each triangle, as long as twice its area, shape (3, n)."""
    (x1, x2), (y1, y2), (z1, z2) = x[1:] - x[0], y[1:] - y[0], z[1:] - z[0]
    return np.stack((y1 * z2 - z1 * y2, z1 * x2 - x1 * z2, x1 * y2 - y1 * x2))


def _slopes(normals: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return how depth changes with x and y over each triangle; 0 for those seen edge on."""
    across, down, away = normals
    flat = np.abs(away) < 1e-6
    away = np.where(flat, np.float32(1), away)
    slope_x = np.where(flat, np.float32(0), -across / away)
    slope_y = np.where(flat, np.float32(0), -down / away)
    return slope_x, slope_y


def _spans(
    x: NDArray[np.float32], y: NDArray[np.float32], row: NDArray[np.int64], side: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first pixel of each row of a triangle, and how many it covers."""
    middle = row.astype(np.float32) + np.float32(0.5)
    left = np.full(len(row), np.inf, dtype=np.float32)
    right = np.full(len(row), -np.inf, dtype=np.float32)
    for one, other in ((0, 1), (1, 2), (2, 0)):
        height = y[other] - y[one]
        crossed = (y[one] <= middle) != (y[other] <= middle)
        share = (middle - y[one]) / np.where(crossed, height, np.float32(1))
        at = x[one] + share * (x[other] - x[one])
        left = np.where(crossed, np.minimum(left, at), left)
        right = np.where(crossed, np.maximum(right, at), right)
    first = np.ceil(np.clip(left, -1, side + 1) - 0.5)
    last = np.floor(np.clip(right, -1, side + 1) - 0.5)
    first, last = np.clip(first, 0, side), np.clip(last, -1, side - 1)
    return first.astype(np.int64), np.maximum(last - first + 1, 0).astype(np.int64)


def _portions(weights: NDArray[np.int64]) -> Iterator[slice]:
    """Yield slices of what can be worked on at once."""
    total = np.cumsum(weights)
    first = 0
    while first < len(weights):
        done = int(total[first - 1]) if first else 0
        last = int(np.searchsorted(total, done + _PIXELS_AT_ONCE, side="right"))
        last = max(last, first + 1)
        yield slice(first, last)
        first = last


def _shaded(normals: NDArray[np.float32], colour: Colour) -> NDArray[np.uint8]:
    """Return red, green, blue and opacity of each triangle in the light."""
    length = np.sqrt(np.square(normals).sum(axis=0))
    length[length == 0] = 1.0
    bright = np.full(len(length), _AMBIENT, dtype=np.float32)
    for direction, strength in _LIGHTS:
        towards = _camera() @ (direction / np.linalg.norm(direction))
        light = sum(np.float32(part) * row for part, row in zip(towards, normals, strict=True))
        bright += np.float32(strength) * np.clip(light / length, 0.0, 1.0)
    found = np.empty((len(bright), 4), dtype=np.uint8)
    for column, most in enumerate(colour):
        found[:, column] = np.clip(bright * most, 0, 255)
    found[:, 3] = 255
    return found


def _bed(width: float, depth: float) -> Iterator[Painted]:
    """Yield a plain bed with lines, a hair below the parts."""
    yield Painted(corners=_rectangle(0, 0, width, depth, z=-0.4), colour=_BED_COLOUR)
    lines = [
        _rectangle(x - _LINE_MM, 0, x + _LINE_MM, depth, z=-0.2)
        for x in np.arange(_GRID_MM, width, _GRID_MM)
    ]
    lines += [
        _rectangle(0, y - _LINE_MM, width, y + _LINE_MM, z=-0.2)
        for y in np.arange(_GRID_MM, depth, _GRID_MM)
    ]
    if lines:
        yield Painted(corners=np.concatenate(lines), colour=_LINE_COLOUR)


def _rectangle(
    x_low: float, y_low: float, x_high: float, y_high: float, *, z: float
) -> NDArray[np.float64]:
    a, b, c, d = (
        (x_low, y_low, z),
        (x_high, y_low, z),
        (x_high, y_high, z),
        (x_low, y_high, z),
    )
    return np.array(((a, b, c), (a, c, d)), dtype=np.float64)


def _png(drawn: Image.Image) -> bytes:
    out = io.BytesIO()
    drawn.convert("RGBA").save(out, "PNG")
    return out.getvalue()
