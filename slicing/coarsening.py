"""A mesh with fewer triangles, where it has more than any print shows."""

import manifold3d

from slicing.topology import Corners, weld
from slicing.uniting import corners_of, manifold

# How far the surface may move, of the mesh's diagonal: tried from the first, and never beyond the
# last. A tenth of a millimetre on a part of 200 is half of what a nozzle resolves.
_TOLERANCE_FIRST, _TOLERANCE_MAX = 2e-6, 5e-4
_TOLERANCE_FACTOR = 3.0


def coarsen(corners: Corners, *, triangles_max: int) -> Corners:
    """Return the mesh with at most so many triangles, or as few as its shape allows.

    The same array comes back where that is so already, and where the surface is not one that can be
    reckoned with: open, or crossing itself at an edge.
    """
    if len(corners) <= triangles_max:
        return corners
    whole = manifold(*weld(corners))
    if whole is None:
        return corners
    low_x, low_y, low_z, high_x, high_y, high_z = whole.bounding_box()
    diagonal = ((high_x - low_x) ** 2 + (high_y - low_y) ** 2 + (high_z - low_z) ** 2) ** 0.5
    share, found = _TOLERANCE_FIRST, whole
    while found.num_tri() > triangles_max and share <= _TOLERANCE_MAX:
        simpler = found.simplify(share * diagonal)
        if simpler.status() == manifold3d.Error.NoError and not simpler.is_empty():
            found = simpler
        share *= _TOLERANCE_FACTOR
    return corners_of(found)
