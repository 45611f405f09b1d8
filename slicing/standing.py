"""How a part stands on the bed as it lies: what hangs over, and what begins in mid-air.

Overhangs and the foot are measured on the triangles. What begins in mid-air is found in a grid of
cells: a patch of a layer with nothing below it, not even one cell aside, needs supports; a body of
cells that reaches the bed nowhere is loose.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slicing.columns import Crossings, Lines
from slicing.topology import Corners

# Surfaces steeper than 45 degrees carry themselves.
_OVERHANG_COS = 0.7072

# What lies this low is on the bed: a first layer is 0.2 to 0.3 mm.
_FLOOR_MM = 0.25

# The least patch that is told: a point is no island.
_PATCH_CELLS_MIN = 6

# Of the volume: loose cells that are less are what the grid makes of thin walls.
_LOOSE_SHARE_MIN = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What was found.

    Attributes:
        overhang_ratio: the part of the surface that hangs over by more than 45 degrees.
        foot_mm2: how much of it lies on the bed.
        islands: patches that begin in mid-air; `island_mm` is how high the lowest of them is.
        loose_ratio: the part of the volume that nothing joins to what stands on the bed.
    """

    overhang_ratio: float
    foot_mm2: float
    islands: int
    island_mm: float
    loose_ratio: float


def look(corners: Corners, lines: Lines) -> Standing:
    """Return how a part stands.

    Args:
        corners: shape (n, 3, 3), in mm, lowest point at z = 0, a surface that faces outward.
        lines: through them.
    """
    doubled = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.sqrt(np.einsum("ij,ij->i", doubled, doubled))
    down = -doubled[:, 2] > _OVERHANG_COS * length
    floor = down & (corners[:, :, 2].max(axis=1) < _FLOOR_MM)
    whole = float(length.sum())
    islands, island_mm, loose = _in_the_air(lines)
    return Standing(
        overhang_ratio=float(length[down & ~floor].sum()) / whole if whole > 0 else 0.0,
        foot_mm2=float(np.abs(doubled[floor, 2]).sum()) / 2,
        islands=islands,
        island_mm=island_mm,
        loose_ratio=loose,
    )


def _in_the_air(lines: Lines) -> tuple[int, float, float]:
    """Return how many patches begin in mid-air, how high the lowest is, and the loose share."""
    from scipy import ndimage

    solid = _cells(lines)
    if not solid.any():
        return 0, 0.0, 0.0
    around = np.ones((3, 3, 3), dtype=bool)
    bodies, _ = ndimage.label(solid, around)
    sizes = np.bincount(bodies.reshape(-1))
    lowest = int(np.argmax(solid.any(axis=(0, 1))))
    standing = np.zeros(len(sizes), dtype=bool)
    standing[np.unique(bodies[:, :, lowest])] = True
    sizes[0] = 0
    loose = sizes[~standing].sum() / sizes.sum()
    flat = around.copy()
    flat[:, :, (0, 2)] = False
    patches, count = ndimage.label(solid, flat)
    spread = ndimage.binary_dilation(solid, flat)
    carried = np.zeros_like(solid)
    carried[:, :, 1:] = spread[:, :, :-1]
    carried[:, :, : lowest + 1] = True
    held = np.zeros(count + 1, dtype=bool)
    held[np.unique(patches[carried])] = True
    held |= np.bincount(patches.reshape(-1), minlength=count + 1) < _PATCH_CELLS_MIN
    held[0] = True
    begun = np.flatnonzero(~held[patches].all(axis=(0, 1)))
    height_mm = float(begun[0]) * lines.step_mm if len(begun) else 0.0
    return int((~held).sum()), height_mm, float(loose) if loose > _LOOSE_SHARE_MIN else 0.0


def _cells(lines: Lines) -> NDArray[np.bool_]:
    """Return which cells of a grid hold something solid, by x, y and z.

    Lines along all three axes mark what they pass within: a wall thinner than a cell may stand
    between two lines along z, and is met by those across it.
    """
    along_x, along_y, along_z = lines.along
    (wide, deep), high = along_z.across, along_x.across[1]
    solid = _passed(along_z, high, lines.step_mm)
    solid |= _passed(along_y, deep, lines.step_mm).transpose(0, 2, 1)
    solid |= _passed(along_x, wide, lines.step_mm).transpose(2, 0, 1)
    return solid


def _passed(met: Crossings, length: int, step_mm: float) -> NDArray[np.bool_]:
    """Return the cells that lines pass within the surface, the axis of the lines last."""
    depth = met.depth()
    begins, ends = met.enters & (depth == 1), ~met.enters & (depth == 0)
    rows = met.across[0] * met.across[1]
    change = np.zeros((rows, length + 1), dtype=np.int16)
    at = (met.at_mm - met.low_mm) / step_mm
    first = np.clip(np.floor(at[begins]).astype(np.int64), 0, length - 1)
    last = np.clip(np.ceil(at[ends]).astype(np.int64), 1, length)
    np.add.at(change, (met.line[begins], first), 1)
    np.add.at(change, (met.line[ends], last), -1)
    solid: NDArray[np.bool_] = np.cumsum(change, axis=1, dtype=np.int16)[:, :length] > 0
    return solid.reshape(*met.across, length)
