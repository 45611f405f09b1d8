"""How triangles hang together, in plain numpy: corners welded, edges balanced, bodies told apart.

A surface encloses a volume when its edges are *balanced*: each is run through as often one way as
the other. That is weaker than "two triangles at each edge", which well-known good models break
(bodies that touch along an edge), and it is what a slicer needs for its outlines to close.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Corners = NDArray[np.float64]
Faces = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Each edge once, with how its triangles use it.

    Attributes:
        ends: shape (n, 2), the lower vertex first.
        forward: how many triangles run from the lower to the higher end.
        backward: how many run the other way.
    """

    ends: NDArray[np.int64]
    forward: NDArray[np.int64]
    backward: NDArray[np.int64]

    @property
    def open_ends(self) -> NDArray[np.int64]:
        """Return the ends of the edges that are not balanced, shape (n, 2)."""
        found: NDArray[np.int64] = self.ends[self.forward != self.backward]
        return found


def weld(corners: Corners) -> tuple[Corners, Faces]:
    """Return vertices (k, 3) and triangles (n, 3) of their numbers.

    Corners are one where they are equal as an STL stores them, in single precision.
    """
    points = corners.reshape(-1, 3)
    # Adding zero turns -0.0 into 0.0, which would differ as bits.
    bits = (points.astype(np.float32) + np.float32(0)).view(np.uint32)
    key = _mixed(bits)
    order = np.argsort(key)
    new = _changes(bits, order)
    hashes = key[order]
    if (new[1:] & (hashes[1:] == hashes[:-1])).any():  # two points with one hash: sort them out
        order = np.lexsort(bits.T)
        new = _changes(bits, order)
    numbers = np.empty(len(order), dtype=np.int64)
    numbers[order] = np.cumsum(new) - 1
    return points[order[new]], numbers.reshape(-1, 3)


def edges_of(faces: Faces) -> Edges:
    """Return the edges of triangles; those that have shrunk to a point have none."""
    kept = faces[proper(faces)]
    start = kept.reshape(-1)
    end = kept[:, (1, 2, 0)].reshape(-1)
    span = int(faces.max()) + 1 if len(faces) else 1
    low, high = np.minimum(start, end), np.maximum(start, end)
    # The lowest bit tells the direction, so that one sort groups edges and counts both ways.
    code = np.sort(((low * span + high) << 1) | (start > end))
    edge = code >> 1
    first = np.flatnonzero(np.diff(edge, prepend=-1))
    uses = np.diff(first, append=len(edge))
    backward = np.add.reduceat(code & 1, first) if len(first) else np.zeros(0, dtype=np.int64)
    ends = np.column_stack((edge[first] // span, edge[first] % span))
    return Edges(ends, uses - backward, backward)


def proper(faces: Faces) -> NDArray[np.bool_]:
    """Return which triangles have three different vertices."""
    a, b, c = faces.T
    found: NDArray[np.bool_] = (a != b) & (b != c) & (c != a)
    return found


def repeated(faces: Faces) -> bool:
    """Whether some triangle is there twice, whichever way it faces."""
    if not len(faces):
        return False
    key = np.sort(same_triangle(faces))
    return bool((key[1:] == key[:-1]).any())


def same_triangle(faces: Faces) -> NDArray[np.uint64]:
    """Return a number for each triangle, equal for equal ones, whichever way they face."""
    a, b, c = faces.T
    low, high = np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)
    return _mixed(np.column_stack((low, a + b + c - low - high, high)).astype(np.uint32))


def joined(pairs: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return the group of each of `count` things when pairs join them, groups numbered from 0.

    Joining least names and following chains of names, pass by pass (Shiloach and Vishkin, 1982).
    """
    name = np.arange(count)
    one, other = (np.ascontiguousarray(ends) for ends in pairs.T)
    while True:
        left, right = name.take(one), name.take(other)
        apart = np.flatnonzero(left != right)
        if not len(apart):
            first = name == np.arange(count)
            return (np.cumsum(first) - 1)[name]
        one, other, left, right = (each.take(apart) for each in (one, other, left, right))
        np.minimum.at(name, np.maximum(left, right), np.minimum(left, right))
        while True:  # every vertex to the end of its chain of names
            onward = name.take(name)
            if (onward == name).all():
                break
            name = onward


def volume(corners: Corners) -> float:
    """Return the signed enclosed volume: below zero where the surface is inside out.

    Sum of the tetrahedra from the middle of the mesh to each triangle; the middle, because a
    far origin would drown the sum in rounding.
    """
    if not len(corners):
        return 0.0
    by_axis = np.ascontiguousarray(corners.transpose(2, 1, 0))  # whole columns are much faster
    x, y, z = by_axis - by_axis.mean(axis=(1, 2), keepdims=True)
    sixfold = x[0] * (y[1] * z[2] - z[1] * y[2])
    sixfold += y[0] * (z[1] * x[2] - x[1] * z[2])
    sixfold += z[0] * (x[1] * y[2] - y[1] * x[2])
    return float(sixfold.sum()) / 6.0


def area(corners: Corners) -> NDArray[np.float64]:
    """Return the area of each triangle."""
    doubled = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    found: NDArray[np.float64] = np.sqrt(np.einsum("ij,ij->i", doubled, doubled)) / 2
    return found


def sound(corners: Corners, *, volume_mm3: float) -> bool:
    """Whether a mesh needs no second look: closed, outward, nothing twice, no bodies in each other.

    A no is no verdict: bodies that only share a box, or a cavity, are looked at in repair.py.

    Args:
        volume_mm3: what the mesh encloses, by `volume`.
    """
    vertices, faces = weld(corners)
    faces = faces[proper(faces)]
    edges = edges_of(faces)
    if not len(faces) or (edges.forward != edges.backward).any() or repeated(faces):
        return False
    pairs = np.concatenate((faces[:, :2], faces[:, 1:]))
    _, of_face = np.unique(joined(pairs, len(vertices))[faces[:, 0]], return_inverse=True)
    count = int(of_face.max()) + 1
    if count == 1:
        return volume_mm3 > 0
    return count <= _BODIES_MAX and _apart(vertices[faces], of_face, count)


# Boxes are compared pair by pair.
_BODIES_MAX = 500


def _apart(corners: Corners, of_face: NDArray[np.int64], count: int) -> bool:
    """Whether every body faces outward and no two boxes around them overlap."""
    low, high = boxes(corners, of_face, count)
    centre = (low + high)[of_face] / 2
    centred = corners - centre[:, None, :]
    sixfold = np.einsum("ij,ij->i", centred[:, 0], np.cross(centred[:, 1], centred[:, 2]))
    if (np.bincount(of_face, weights=sixfold, minlength=count) <= 0).any():
        return False
    overlaps = ((low[:, None] < high[None]) & (low[None] < high[:, None])).all(axis=2)
    return int(overlaps.sum()) <= count  # each overlaps itself


def boxes(
    corners: Corners, of_face: NDArray[np.int64], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the least and the greatest point of each group of triangles, shape (count, 3)."""
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    np.minimum.at(low, of_face, corners.min(axis=1))
    np.maximum.at(high, of_face, corners.max(axis=1))
    return low, high


def _changes(bits: NDArray[np.uint32], order: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which rows, in an order, differ from the one before."""
    found = np.zeros(len(order), dtype=bool)
    found[:1] = True
    for column in bits.T:  # one by one: rows of three are slow to gather
        ranked = column.take(order)
        found[1:] |= ranked[1:] != ranked[:-1]
    return found


def _mixed(words: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """Return one well-mixed number for each row of three, to sort by (splitmix64's constants)."""
    first, *others = np.ascontiguousarray(words.T)  # whole columns are much faster
    key: NDArray[np.uint64] = first.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for column, factor in zip(others, (0xBF58476D1CE4E5B9, 0x94D049BB133111EB), strict=True):
        key ^= key >> np.uint64(29)
        key += column
        key *= np.uint64(factor)
    key ^= key >> np.uint64(31)
    return key
