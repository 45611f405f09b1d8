"""What generators and scanners leave beside and inside a part: specks, bubbles and loose sheets.

A speck is a closed body that is tiny beside the largest one, stands above or below its floor, and
touches nothing: it would be printed into the air, or far beside the part. A bubble is a tiny closed
cavity. A sheet is open, and encloses nothing. What is tiny but stands on the floor beside the part
is a part of a set, and stays.
"""

from dataclasses import dataclass

import manifold3d
import numpy as np
from numpy.typing import NDArray

from slicing.changes import many
from slicing.topology import Corners, Faces, area, boxes, weld
from slicing.uniting import manifold
from slicing.winding import Shells, closed, shells, volumes

# Beside the largest body: of its volume, of its longest side, and of its height.
_VOLUME_SHARE_MAX = 1e-3
_LENGTH_SHARE_MAX = 0.1
_FLOOR_SHARE = 0.01

# Of the cube around a body: what encloses less has no inside.
_FLAT = 1e-7

# What is nearer, as a share of the largest body's diagonal, touches it.
_GAP_SHARE = 1e-3

# Sheets that are more of the surface are what the model is made of.
_SHEETS_SHARE_MAX = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """A mesh without its debris.

    Attributes:
        corners: the same array where there was none.
        bodies: closed bodies that are left; cavities are none.
        cavities: closed hollows within them that are left.
    """

    corners: Corners
    bodies: int
    cavities: int
    specks: int = 0
    bubbles: int = 0
    sheets: int = 0

    def sentences(self) -> tuple[str, ...]:
        """Return what was done, for a person."""
        said = []
        if self.specks:
            said.append(f"{many(self.specks, 'tiny loose body', 'tiny loose bodies')} removed.")
        if self.bubbles:
            said.append(f"{many(self.bubbles, 'tiny bubble', 'tiny bubbles')} inside filled.")
        if self.sheets:
            said.append(f"{many(self.sheets, 'loose sheet', 'loose sheets')} removed.")
        return tuple(said)


def clear(corners: Corners) -> Cleared:
    """Return a mesh without debris; one whose bodies enclose nothing stays as it is.

    Args:
        corners: shape (n, 3, 3), repaired; in any unit.
    """
    vertices, faces = weld(corners)
    shell = shells(faces)
    sizes, whole = volumes(corners, shell), closed(faces, shell)
    low, high = boxes(corners, shell.of_face, shell.count)
    length = (high - low).max(axis=1)
    whole &= np.abs(sizes) > _FLAT * length**3  # a sheet and its back enclose nothing
    solid = whole & (sizes > 0)
    if not solid.any():
        return Cleared(corners=corners, bodies=0, cavities=0)
    largest = int(np.argmax(np.where(solid, sizes, 0.0)))
    tiny = whole & (np.abs(sizes) < _VOLUME_SHARE_MAX * sizes[largest])
    tiny &= length < _LENGTH_SHARE_MAX * length[largest]
    rise = low[:, 2] - low[largest, 2]
    lifted = np.abs(rise) > _FLOOR_SHARE * (high - low)[largest, 2]
    bubble, speck = tiny & (sizes < 0), tiny & (sizes > 0) & lifted
    for one in np.flatnonzero(speck):
        speck[one] = _apart(vertices, faces, shell, int(one), solid & ~tiny, low, high, largest)
    sheet = ~whole
    areas = np.bincount(shell.of_face, weights=area(corners), minlength=shell.count)
    if areas[sheet].sum() > _SHEETS_SHARE_MAX * areas.sum():
        sheet[:] = False
    gone = bubble | speck | sheet
    return Cleared(
        corners=corners[~gone[shell.of_face]] if gone.any() else corners,
        bodies=int((solid & ~gone).sum()),
        cavities=int((whole & (sizes < 0) & ~gone).sum()),
        specks=int(speck.sum()),
        bubbles=int(bubble.sum()),
        sheets=int(sheet.sum()),
    )


def _apart(
    vertices: Corners,
    faces: Faces,
    shell: Shells,
    speck: int,
    large: NDArray[np.bool_],
    low: Corners,
    high: Corners,
    largest: int,
) -> bool:
    """Whether a speck is clear of every large body."""
    gap = _GAP_SHARE * float(np.linalg.norm(high[largest] - low[largest]))
    near = large & (low <= high[speck] + gap).all(axis=1) & (high >= low[speck] - gap).all(axis=1)
    if not near.any():
        return True
    mine = manifold(vertices, faces[shell.of_face == speck])
    if mine is None:
        return False
    others = [_body(vertices, faces, shell, int(other)) for other in np.flatnonzero(near)]
    return all(one is not None and one.min_gap(mine, 2 * gap) > gap for one in others)


def _body(
    vertices: Corners, faces: Faces, shell: Shells, number: int
) -> manifold3d.Manifold | None:
    return manifold(vertices, faces[shell.of_face == number])
