"""A mesh as an array of triangles: measure it, judge it, set it on a bed.

Plain numpy, because importing trimesh costs seconds that a look at a small STL should not take.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from slicing.topology import edges_of, volume, weld

Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Triangles in millimetres, Z up.

    Attributes:
        corners: shape (n, 3, 3): triangle, corner, x y z; float64, all finite, n > 0.
        format: what the file was, `stl`, `3mf` ...
        warnings: what a person should know of how it was read.
        scale: what the file's numbers were multiplied with.
    """

    corners: NDArray[np.float64]
    format: str
    warnings: tuple[str, ...] = ()
    scale: float = 1.0

    @property
    def triangles(self) -> int:
        """How many triangles there are."""
        return len(self.corners)

    @property
    def bounds_mm(self) -> tuple[Vector, Vector]:
        """The least and the greatest x, y, z."""
        axes = [self.corners[:, :, axis] for axis in range(3)]  # faster than all at once
        low, high = ([float(end(one)) for one in axes] for end in (np.min, np.max))
        return (low[0], low[1], low[2]), (high[0], high[1], high[2])

    @property
    def size_mm(self) -> Vector:
        """The extent in x, y, z."""
        low, high = self.bounds_mm
        return (high[0] - low[0], high[1] - low[1], high[2] - low[2])

    @property
    def volume_mm3(self) -> float:
        """The signed enclosed volume; see `topology.volume`."""
        return volume(self.corners)

    def watertight(self) -> bool:
        """Whether every edge belongs to exactly two triangles, corners being one if bit-equal."""
        edges = edges_of(weld(self.corners)[1])
        return bool(len(edges.ends) and (edges.forward + edges.backward == 2).all())


def fits(size_mm: Vector, bed_mm: Vector, *, margin_mm: float = 0.0) -> bool:
    """Whether a part fits a build volume, as it lies or turned by 90 degrees."""
    return not any(exceeds(size_mm, bed_mm, margin_mm=margin_mm))


def exceeds(size_mm: Vector, bed_mm: Vector, *, margin_mm: float = 0.0) -> Vector:
    """Return how far a part sticks out of a build volume in x, y, z, in its better turn.

    Args:
        size_mm: of the part.
        bed_mm: of the build volume.
        margin_mm: room that is needed around the part, for a brim.
    """
    x, y, z = size_mm
    turns = [
        tuple(
            max(0.0, round(length + border - room, 3))
            for length, border, room in zip(
                turned, (2 * margin_mm, 2 * margin_mm, 0.0), bed_mm, strict=True
            )
        )
        for turned in ((x, y, z), (y, x, z))
    ]
    best = min(turns, key=lambda beyond: beyond[0] + beyond[1])
    return best[0], best[1], best[2]


def placed(mesh: Mesh, x_mm: float, y_mm: float, *, turned: bool) -> Mesh:
    """Return the mesh with its foot at z = 0 and its middle over a place on the bed.

    Args:
        mesh: in millimetres, Z up.
        x_mm: where its middle goes, as `y_mm`, from the bed's origin.
        turned: by 90 degrees about Z first.
    """
    corners = mesh.corners
    if turned:
        corners = corners[:, :, (1, 0, 2)] * np.array((-1.0, 1.0, 1.0))
    laid = replace(mesh, corners=corners)
    low, high = laid.bounds_mm
    shift = (x_mm - (low[0] + high[0]) / 2, y_mm - (low[1] + high[1]) / 2, -low[2])
    return replace(laid, corners=corners + np.array(shift))
