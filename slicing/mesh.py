"""A mesh as an array of triangles: measure it, judge it, set it on a bed.

Plain numpy, because importing trimesh costs seconds that a look at a small STL should not take.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Triangles in millimetres, Z up.

    Attributes:
        corners: shape (n, 3, 3): triangle, corner, x y z; float64, all finite, n > 0.
        format: what the file was, `stl`, `3mf` ...
        warnings: what a person should know of how it was read.
    """

    corners: NDArray[np.float64]
    format: str
    warnings: tuple[str, ...] = ()

    @property
    def triangles(self) -> int:
        """How many triangles there are."""
        return len(self.corners)

    @property
    def bounds_mm(self) -> tuple[Vector, Vector]:
        """The least and the greatest x, y, z."""
        points = self.corners.reshape(-1, 3)
        return _vector(points.min(axis=0)), _vector(points.max(axis=0))

    @property
    def size_mm(self) -> Vector:
        """The extent in x, y, z."""
        low, high = self.bounds_mm
        return (high[0] - low[0], high[1] - low[1], high[2] - low[2])

    @property
    def volume_mm3(self) -> float:
        """The signed enclosed volume: below zero where the surface is inside out.

        Sum of the tetrahedra from the middle of the mesh to each triangle; the middle, because a
        far origin would drown the sum in rounding.
        """
        corners = self.corners - self.corners.reshape(-1, 3).mean(axis=0)
        cross = np.cross(corners[:, 1], corners[:, 2])
        return float(np.einsum("ij,ij->", corners[:, 0], cross)) / 6.0

    def watertight(self) -> bool:
        """Whether every edge belongs to exactly two triangles, corners being one if bit-equal."""
        welded = _weld(self.corners)
        kept = welded[
            (welded[:, 0] != welded[:, 1])
            & (welded[:, 1] != welded[:, 2])
            & (welded[:, 2] != welded[:, 0])
        ]
        if not len(kept):
            return False
        edges = np.sort(np.concatenate((kept[:, :2], kept[:, 1:], kept[:, ::2])), axis=1)
        numbered = edges[:, 0] * (int(welded.max()) + 1) + edges[:, 1]
        _, uses = np.unique(numbered, return_counts=True)
        return bool((uses == 2).all())


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


def set_on_bed(mesh: Mesh, bed_mm: Vector, *, margin_mm: float = 0.0) -> Mesh:
    """Return the mesh with its foot at z = 0 and its middle over the middle of the bed.

    It is turned by 90 degrees about Z only where it would not fit otherwise.
    """
    corners = mesh.corners
    x, y, _ = mesh.size_mm
    room_x, room_y = bed_mm[0] - 2 * margin_mm, bed_mm[1] - 2 * margin_mm
    if (x > room_x or y > room_y) and y <= room_x and x <= room_y:
        corners = corners[:, :, (1, 0, 2)] * np.array((-1.0, 1.0, 1.0))
    points = corners.reshape(-1, 3)
    low, high = points.min(axis=0), points.max(axis=0)
    middle = (low + high) / 2
    shift = np.array((bed_mm[0] / 2 - middle[0], bed_mm[1] / 2 - middle[1], -low[2]))
    return Mesh(corners + shift, mesh.format, mesh.warnings)


def _weld(corners: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return (n, 3) numbers of corners, equal where the points are equal as STL stores them."""
    # Adding zero turns -0.0 into 0.0, which would differ as bits.
    bits = (corners.reshape(-1, 3).astype(np.float32) + np.float32(0)).view(np.uint32)
    wide = bits.astype(np.uint64)
    plane = (wide[:, 0] << np.uint64(32)) | wide[:, 1]
    order = np.lexsort((wide[:, 2], plane))
    plane, depth = plane[order], wide[order, 2]
    new = np.ones(len(order), dtype=np.int64)
    new[1:] = (plane[1:] != plane[:-1]) | (depth[1:] != depth[:-1])
    numbers = np.empty(len(order), dtype=np.int64)
    numbers[order] = np.cumsum(new) - 1
    return numbers.reshape(-1, 3)


def _vector(values: NDArray[np.float64]) -> Vector:
    return float(values[0]), float(values[1]), float(values[2])
