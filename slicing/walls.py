"""How thick a part's walls are, measured along lines through it.

Lines run along x, y and z. Where one enters and leaves through faces that look away from each
other, it has crossed a wall; its way, times the cosine of the angle at which it met the wall, is
how thick that is: exact between flat faces, within a tenth between curved ones. Each face is
measured only along the axis that it faces most, so that every bit of the surface counts once.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slicing.columns import Crossings, Lines
from slicing.topology import Corners

# Faces that look away from each other within 30 degrees make a wall; the others an edge or a wedge.
_APART_COS = -0.866

# What is thinner on less of the surface is a corner, or a fault of the measurement.
_SHARE_MIN = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Walls:
    """What was measured.

    Attributes:
        thinnest_mm: the thickness that a hundredth of the surface does not reach; None where no
            wall was met.
        thin_upright: the part of the surface that belongs to walls thinner than `thin_mm`, across.
        thin_lying: that of floors and roofs thinner than `layer_mm`.
        doubled: the part of the lines' crossings behind which the surface encloses twice.
        inverted: that behind which it encloses less than nothing: it is inside out there, or open.
    """

    thinnest_mm: float | None
    thin_upright: float
    thin_lying: float
    doubled: float
    inverted: float


def measure(corners: Corners, lines: Lines, *, thin_mm: float, layer_mm: float) -> Walls:
    """Return how thick the walls are, and whether the surface encloses anything twice.

    Args:
        corners: shape (n, 3, 3), in mm with Z up, facing outward.
        lines: through them.
        thin_mm: walls thinner than that, met across, are counted as thin.
        layer_mm: floors thinner than that are.
    """
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.sqrt(np.einsum("ij,ij->i", normals, normals))
    normals /= np.where(length > 0, length, 1.0)[:, None]
    depths = np.concatenate([one.depth() for one in lines.along])
    doubled, inverted = (float(odd.mean()) if len(odd) else 0.0 for odd in (depths > 1, depths < 0))
    ways = [_walls(one, normals, axis) for axis, one in enumerate(lines.along)]
    thick = np.concatenate([one[0] for one in ways])
    weight = np.concatenate([one[1] for one in ways])
    all_weight = sum(one[2] for one in ways)
    if not len(thick) or all_weight <= 0:
        return Walls(
            thinnest_mm=None, thin_upright=0.0, thin_lying=0.0, doubled=doubled, inverted=inverted
        )
    order = np.argsort(thick)
    reached = np.cumsum(weight[order]) >= _SHARE_MIN * all_weight
    thinnest = float(thick[order][np.argmax(reached)]) if reached.any() else None
    upright = np.concatenate((ways[0][0], ways[1][0])) < thin_mm
    lying = ways[2][0] < layer_mm
    return Walls(
        thinnest_mm=thinnest,
        thin_upright=float(np.concatenate((ways[0][1], ways[1][1]))[upright].sum() / all_weight),
        thin_lying=float(ways[2][1][lying].sum() / all_weight),
        doubled=doubled,
        inverted=inverted,
    )


def _walls(
    met: Crossings, normals: NDArray[np.float64], axis: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return thickness and share of the surface for each wall, and the surface looked at in all."""
    depth = met.depth()
    entry = np.flatnonzero(met.enters & (depth == 1))
    entry = entry[entry + 1 < len(depth)]
    entry = entry[(depth[entry + 1] == 0) & (met.line[entry + 1] == met.line[entry])]
    into, out = normals[met.face[entry]], normals[met.face[entry + 1]]
    facing = np.abs(into)
    most = facing[:, axis] >= facing.max(axis=1)
    entry, into, out = entry[most], into[most], out[most]
    weight = 1.0 / np.abs(into[:, axis])
    wall = np.einsum("ij,ij->i", into, out) < _APART_COS
    way = met.at_mm[entry + 1] - met.at_mm[entry]
    cosine = (np.abs(into[:, axis]) + np.abs(out[:, axis])) / 2
    return (way * cosine)[wall], weight[wall], float(weight.sum())
