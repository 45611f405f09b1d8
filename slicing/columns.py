"""Straight lines through a mesh, on a grid along one axis: where each meets the surface.

The lines stand a step apart in the other two axes. Where triangles share an edge, a line that runs
through it meets exactly one of them: both reckon the edge from the same end, and own its left side
only. So a line through a closed surface leaves it as often as it enters, whatever its shape.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slicing.topology import Corners

# What one step of the work may hold in memory.
_CELLS_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Crossings:
    """Where lines meet a surface: line by line, and along each from its least to its greatest end.

    Attributes:
        across: lines along each of the two other axes, in the order x, y, z.
        line: number of the line: place along the first of these axes x `across[1]` + the second.
        at_mm: how far along the axis; the box around the mesh begins at `low_mm`.
        face: which triangle.
        enters: the line comes from the triangle's outer side.
    """

    across: tuple[int, int]
    line: NDArray[np.int64]
    at_mm: NDArray[np.float64]
    low_mm: float
    face: NDArray[np.int64]
    enters: NDArray[np.bool_]

    def depth(self) -> NDArray[np.int64]:
        """Return how often the surface encloses what lies behind each crossing.

        In a sound surface that is 1 behind every entry and 0 behind every exit.
        """
        turns = np.cumsum(np.where(self.enters, 1, -1))
        first = np.flatnonzero(np.diff(self.line, prepend=-1))
        before = np.concatenate(([0], turns))[first]
        found: NDArray[np.int64] = turns - np.repeat(before, np.diff(first, append=len(turns)))
        return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lines:
    """Lines along x, along y and along z, all the same step apart."""

    step_mm: float
    along: tuple[Crossings, Crossings, Crossings]


def lines_through(corners: Corners, *, count: int = 160) -> Lines:
    """Return lines along all three axes, `count` of them side by side along the longest side."""
    step_mm = float(np.ptp(corners.reshape(-1, 3), axis=0).max()) / count
    x, y, z = (crossings(corners, axis, step_mm=step_mm) for axis in range(3))
    return Lines(step_mm=step_mm, along=(x, y, z))


def crossings(corners: Corners, axis: int, *, step_mm: float) -> Crossings:
    """Return where lines along an axis meet triangles.

    Args:
        corners: shape (n, 3, 3).
        axis: 0 to 2, for x, y and z.
        step_mm: from line to line; the first lies half a step inside the box around the mesh.
    """
    first, second = (other for other in range(3) if other != axis)
    flat = corners[:, :, (first, second)]
    flat = (flat - flat.reshape(-1, 2).min(axis=0)) / step_mm - 0.5
    wide, deep = (max(1, int(np.ceil(flat[:, :, one].max() + 0.5))) for one in (0, 1))
    row_first = np.clip(np.ceil(flat[:, :, 0].min(axis=1)), 0, wide).astype(np.int64)
    rows = np.clip(np.ceil(flat[:, :, 0].max(axis=1)), 0, wide).astype(np.int64) - row_first
    met = np.flatnonzero(rows > 0)  # all others lie between two rows of lines
    found = [
        _met(flat, some, row_first[some], rows[some], deep)
        for some in _portions(met, rows[met] * deep)
    ]
    face, row, column = (
        np.concatenate([each[part] for each in found]) if found else np.zeros(0, np.int64)
        for part in range(3)
    )
    at_mm, enters = _heights(corners, face, row, column, axis, step_mm)
    line = row * deep + column
    order = np.lexsort((at_mm, line))
    return Crossings(
        across=(wide, deep),
        line=line[order],
        at_mm=at_mm[order],
        low_mm=float(corners[:, :, axis].min()),
        face=face[order],
        enters=enters[order],
    )


def counted(counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for counts (2, 3) who and which: (0, 0, 1, 1, 1) and (0, 1, 0, 1, 2)."""
    who = np.repeat(np.arange(len(counts)), counts)
    start = np.cumsum(counts) - counts
    return who, np.arange(len(who)) - start[who]


def _portions(faces: NDArray[np.int64], cells: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the triangles in portions that can be worked on at once."""
    share = np.cumsum(cells) // _CELLS_AT_ONCE
    return np.split(faces, np.flatnonzero(np.diff(share)) + 1) if len(faces) else []


def _met(
    flat: NDArray[np.float64],
    faces: NDArray[np.int64],
    row_first: NDArray[np.int64],
    rows: NDArray[np.int64],
    deep: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return each meeting of a line with a triangle: triangle, row and column of the line."""
    which, row = counted(rows)
    row += row_first[which]
    face = faces[which]
    left, right = np.full(len(face), np.inf), np.full(len(face), -np.inf)
    for one, other in ((0, 1), (1, 2), (2, 0)):
        a, b = flat[face, one], flat[face, other]
        swapped = (a[:, 0] > b[:, 0]) | ((a[:, 0] == b[:, 0]) & (a[:, 1] > b[:, 1]))
        a, b = np.where(swapped[:, None], b, a), np.where(swapped[:, None], a, b)
        crossed = (a[:, 0] <= row) & (row < b[:, 0])
        run = np.where(crossed, b[:, 0] - a[:, 0], 1.0)
        at = a[:, 1] + (row - a[:, 0]) / run * (b[:, 1] - a[:, 1])
        left = np.where(crossed, np.minimum(left, at), left)
        right = np.where(crossed, np.maximum(right, at), right)
    begin = np.clip(np.ceil(np.clip(left, -1, deep)), 0, deep).astype(np.int64)
    end = np.clip(np.ceil(np.clip(right, -1, deep)), 0, deep).astype(np.int64)
    of, column = counted(np.maximum(end - begin, 0))
    return face[of], row[of], column + begin[of]


def _heights(
    corners: Corners,
    face: NDArray[np.int64],
    row: NDArray[np.int64],
    column: NDArray[np.int64],
    axis: int,
    step_mm: float,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return how far along the axis lines meet triangles, and whether they enter there."""
    first, second = (other for other in range(3) if other != axis)
    low = corners.reshape(-1, 3).min(axis=0)
    a, b, c = (corners[face, n] for n in range(3))
    normal = np.cross(b - a, c - a)
    off_first = low[first] + (row + 0.5) * step_mm - a[:, first]
    off_second = low[second] + (column + 0.5) * step_mm - a[:, second]
    upright = np.where(normal[:, axis] == 0.0, 1.0, normal[:, axis])
    at = a[:, axis] - (normal[:, first] * off_first + normal[:, second] * off_second) / upright
    corner_heights = corners[face, :, axis]
    at = np.clip(at, corner_heights.min(axis=1), corner_heights.max(axis=1))
    return at, normal[:, axis] < 0.0
