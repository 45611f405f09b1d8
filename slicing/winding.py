"""Which way triangles face: one way within a body, outward but for cavities.

Bodies here are triangles joined by edges that exactly two of them share.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slicing.topology import Corners, Faces, boxes, edges_of, joined

# Containment is asked pair by pair; a text of a thousand letters has few nested boxes.
_PAIRS_MAX = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Shells:
    """Triangles grouped into bodies.

    Attributes:
        count: how many bodies.
        of_face: the body of each triangle, from 0.
    """

    count: int
    of_face: NDArray[np.int64]


def shared(faces: Faces) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return pairs of triangles that share an edge with each other alone, and who disagrees.

    Returns:
        triangles, shape (n, 2), and whether both run through the edge the same way, which in a
        surface that faces one way they do not.
    """
    start, end = faces.reshape(-1), faces[:, (1, 2, 0)].reshape(-1)
    span = int(faces.max()) + 1 if len(faces) else 1
    key = np.minimum(start, end) * span + np.maximum(start, end)
    order = np.argsort(key)
    key = key[order]
    first = np.flatnonzero(np.diff(key, prepend=-1))
    pair = first[np.diff(first, append=len(key)) == 2]
    one, other = order[pair], order[pair + 1]
    return np.column_stack((one // 3, other // 3)), start[one] == start[other]


def shells(faces: Faces) -> Shells:
    """Return the bodies."""
    pairs, _ = shared(faces)
    of_face = joined(pairs, len(faces))
    return Shells(int(of_face.max(initial=-1)) + 1, of_face)


def agreed(faces: Faces, areas: NDArray[np.float64]) -> tuple[Faces, int]:
    """Return the triangles of each body facing one way, as most of it did, and how many turned.

    Every triangle is in a graph twice, as it is and turned; neighbours that agree are joined as
    they are, others crosswise. Each body then falls into two halves, one for either way.
    """
    count = len(faces)
    pairs, against = shared(faces)
    one, other = pairs.T
    crossing = np.where(against, count, 0)
    left = np.concatenate((one, one + count))
    right = np.concatenate((other + crossing, other + (count - crossing)))
    half = joined(np.column_stack((left, right)), 2 * count)
    as_is, turned = half[:count], half[count:]
    weight = np.bincount(as_is, weights=areas, minlength=int(half.max(initial=-1)) + 1)
    # One-sided bodies have both in one half: left as they are.
    turn = (weight[turned] > weight[as_is]) | ((weight[turned] == weight[as_is]) & (turned < as_is))
    found = faces.copy()
    found[turn] = found[turn][:, ::-1]
    return found, int(turn.sum())


def outward(vertices: Corners, faces: Faces, shell: Shells) -> tuple[Faces, int]:
    """Return the triangles facing outward, but for cavities, and how many bodies were turned.

    A body inside another is a cavity when the two face opposite ways; if they face the same way
    it is solid within solid.
    """
    corners = vertices[faces]
    signs = np.sign(volumes(corners, shell))
    wanted = np.ones(shell.count)
    for inner, outer in _nested(corners, shell, signs):
        if signs[inner] != signs[outer] and signs[inner] and signs[outer]:
            wanted[inner] = -wanted[outer]
    turn = (signs * wanted < 0)[shell.of_face]
    found = faces.copy()
    found[turn] = found[turn][:, ::-1]
    return found, int((signs * wanted < 0).sum())


def volumes(corners: Corners, shell: Shells) -> NDArray[np.float64]:
    """Return the signed volume of each body, measured from its own middle."""
    low, high = boxes(corners, shell.of_face, shell.count)
    centred = corners - ((low + high) / 2)[shell.of_face][:, None, :]
    sixfold = np.einsum("ij,ij->i", centred[:, 0], np.cross(centred[:, 1], centred[:, 2]))
    return np.bincount(shell.of_face, weights=sixfold, minlength=shell.count) / 6.0


def touching_boxes(corners: Corners, shell: Shells) -> bool:
    """Whether the boxes around two bodies overlap."""
    low, high = boxes(corners, shell.of_face, shell.count)
    order = np.argsort(low[:, 0])
    for place, one in enumerate(order):
        ahead = order[place + 1 :]
        ahead = ahead[: np.searchsorted(low[ahead, 0], high[one, 0])]
        if ((low[ahead] < high[one]) & (low[one] < high[ahead])).all(axis=1).any():
            return True
    return False


def _nested(corners: Corners, shell: Shells, signs: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return each body that lies inside another, with the smallest around it; outermost first."""
    if shell.count < 2:
        return []
    low, high = boxes(corners, shell.of_face, shell.count)
    order = np.argsort(shell.of_face, kind="stable")
    starts = np.searchsorted(shell.of_face[order], np.arange(shell.count + 1))
    size = np.prod(high - low, axis=1)
    found: list[tuple[int, int]] = []
    asked = 0
    for inner in np.argsort(-size):
        around = (low <= low[inner]).all(axis=1) & (high >= high[inner]).all(axis=1)
        around &= (size > size[inner]) & (signs != 0)
        for outer in sorted(np.flatnonzero(around), key=lambda one: float(size[one])):
            asked += 1
            if asked > _PAIRS_MAX:
                return found
            point = corners[order[starts[inner]]].mean(axis=0)
            if abs(_turns(point, corners[order[starts[outer] : starts[outer + 1]]])) > 0.5:
                found.append((int(inner), int(outer)))
                break
    return found


def _turns(point: NDArray[np.float64], corners: Corners) -> float:
    """Return how often a surface goes round a point, its generalized winding number.

    The sum of solid angles by Van Oosterom and Strackee, 1983; near 0 outside, even with holes.
    """
    a, b, c = (corners[:, n] - point for n in range(3))
    la, lb, lc = (np.sqrt(np.einsum("ij,ij->i", one, one)) for one in (a, b, c))
    above = np.einsum("ij,ij->i", a, np.cross(b, c))
    below = la * lb * lc
    below += np.einsum("ij,ij->i", a, b) * lc
    below += np.einsum("ij,ij->i", b, c) * la
    below += np.einsum("ij,ij->i", c, a) * lb
    return float(np.arctan2(above, below).sum() / (2 * np.pi))


def closed(faces: Faces, shell: Shells) -> NDArray[np.bool_]:
    """Return which bodies have no open edge of their own."""
    edges = edges_of(faces)
    loose = np.zeros(int(faces.max()) + 1 if len(faces) else 0, dtype=bool)
    loose[edges.open_ends.reshape(-1)] = True
    bad = np.bincount(shell.of_face, weights=loose[faces].sum(axis=1) >= 2, minlength=shell.count)
    found: NDArray[np.bool_] = bad == 0
    return found
