"""Open edges into loops, and loops into triangles: how holes are closed.

An open edge is one that its triangles run through more often one way than the other. What closes
a hole runs through it the missing way; a patch adds no vertices.
"""

from collections import defaultdict

import mapbox_earcut
import numpy as np
from numpy.typing import NDArray

from slicing.topology import Corners, Faces, edges_of

Loop = list[int]

# Cost grows with the cube; longer loops that are not flat are cut by ears instead.
_BEST_PATCH_POINTS_MAX = 120

# Of a loop's own extent: nearer to its plane than that, it is flat.
_FLAT = 1e-3


def loops(faces: Faces) -> list[Loop]:
    """Return the closed ways along the missing directions of all open edges.

    Where a vertex is passed more than once, a way is split there, so that no loop crosses itself.
    """
    edges = edges_of(faces)
    missing = edges.forward - edges.backward
    uneven = missing != 0
    onward: dict[int, list[int]] = defaultdict(list)
    ends, uses = edges.ends[uneven].tolist(), missing[uneven].tolist()
    for (low, high), much in zip(ends, uses, strict=True):
        start, end = (high, low) if much > 0 else (low, high)
        onward[start] += [end] * abs(much)
    found: list[Loop] = []
    for start in list(onward):
        while onward[start]:
            found += _walk(start, onward)
    return found


def _walk(start: int, onward: dict[int, list[int]]) -> list[Loop]:
    """Follow open edges from a vertex until they are used up, splitting off every loop."""
    found: list[Loop] = []
    way, place = [start], {start: 0}
    while way:
        if not onward.get(way[-1]):
            place.pop(way.pop(), None)  # a dead end: its edges stay open
            continue
        vertex = onward[way[-1]].pop()
        if vertex in place:
            loop = way[place[vertex] :]
            found.append(loop)
            for passed in loop[1:]:
                del place[passed]
            del way[place[vertex] + 1 :]
            if len(way) == 1 and not onward[vertex]:
                break
        else:
            place[vertex] = len(way)
            way.append(vertex)
    return found


def patch(vertices: Corners, found: list[Loop]) -> Faces:
    """Return triangles that close loops; a loop within another of its plane stays a hole in it."""
    patches: list[NDArray[np.int64]] = []
    flat: list[Loop] = []
    for loop in found:
        if len(loop) < 3:
            continue
        if len(loop) == 3:
            patches.append(np.array([loop]))
        elif _is_flat(vertices[loop]):
            flat.append(loop)
        else:
            patches.append(_curved(vertices, loop))
    for group in _by_plane(vertices, flat):
        patches.append(_planar(vertices, group))
    return np.concatenate(patches) if patches else np.zeros((0, 3), dtype=np.int64)


def area_vector(points: Corners) -> NDArray[np.float64]:
    """Return the normal of a polygon, as long as its area (Newell)."""
    centred = points - points.mean(axis=0)
    found: NDArray[np.float64] = np.cross(centred, np.roll(centred, -1, axis=0)).sum(axis=0) / 2
    return found


def _extent(points: Corners) -> float:
    return float(np.linalg.norm(points.max(axis=0) - points.min(axis=0)))


def _is_flat(points: Corners) -> bool:
    normal = area_vector(points)
    area, extent = float(np.linalg.norm(normal)), _extent(points)
    if area <= 1e-9 * extent**2:
        return False  # folded onto itself: it has no plane
    off = (points - points.mean(axis=0)) @ (normal / area)
    return float(np.ptp(off)) <= _FLAT * extent


def _by_plane(vertices: Corners, flat: list[Loop]) -> list[list[Loop]]:
    """Return the loops that lie in one plane together, whichever way they face."""
    if len(flat) == 1:
        return [flat]
    planes: dict[tuple[int, ...], list[Loop]] = defaultdict(list)
    scale = max((_extent(vertices[loop]) for loop in flat), default=1.0)
    for loop in flat:
        points = vertices[loop]
        normal = area_vector(points)
        normal /= np.linalg.norm(normal)
        if normal[np.argmax(np.abs(normal))] < 0:
            normal = -normal
        off = float(points.mean(axis=0) @ normal)
        key = (*np.round(normal * 50).astype(int).tolist(), round(off / (scale * 2e-3)))
        planes[key].append(loop)
    return list(planes.values())


def _planar(vertices: Corners, group: list[Loop]) -> Faces:
    """Return the triangles between loops of one plane."""
    biggest = max(group, key=lambda loop: float(np.linalg.norm(area_vector(vertices[loop]))))
    normal = area_vector(vertices[biggest])
    across = _basis(normal)
    flat = {id(loop): vertices[loop] @ across for loop in group}
    outer = [loop for loop in group if area_vector(vertices[loop]) @ normal > 0]
    inner = [loop for loop in group if area_vector(vertices[loop]) @ normal <= 0]
    around: dict[int, list[Loop]] = {id(loop): [] for loop in outer}
    alone: list[Loop] = []
    for loop in inner:
        holders = [one for one in outer if _holds(flat[id(one)], flat[id(loop)])]
        if holders:
            tightest = min(holders, key=lambda one: _extent(vertices[one]))
            around[id(tightest)].append(loop)
        else:
            alone.append(loop)
    patches = [_ears([loop, *around[id(loop)]], flat) for loop in outer]
    patches += [_ears([loop], flat) for loop in alone]
    return np.concatenate(patches)


def _ears(rings: list[Loop], flat: dict[int, NDArray[np.float64]]) -> Faces:
    """Return the triangles of a polygon with holes, facing as its first ring runs."""
    points = np.concatenate([flat[id(ring)] for ring in rings])
    ends = np.cumsum([len(ring) for ring in rings]).astype(np.uint32)
    cut = mapbox_earcut.triangulate_float64(np.ascontiguousarray(points), ends).astype(np.int64)
    faces = cut.reshape(-1, 3)
    if not len(faces):
        return np.zeros((0, 3), dtype=np.int64)
    a, b, c = (points[faces[:, n]] for n in range(3))
    doubled = _cross(b - a, c - a)
    if doubled.sum() * _doubled_area(flat[id(rings[0])]) < 0:
        faces = faces[:, ::-1]
    found: Faces = np.concatenate([np.array(ring, dtype=np.int64) for ring in rings])[faces]
    return found


def _curved(vertices: Corners, loop: Loop) -> Faces:
    """Return triangles over a loop that is not flat: the least area, or ears in its main plane."""
    if len(loop) <= _BEST_PATCH_POINTS_MAX:
        return _least_area(vertices, loop)
    normal = area_vector(vertices[loop])
    flat = {id(loop): vertices[loop] @ _basis(normal)}
    return _ears([loop], flat)


def _least_area(vertices: Corners, loop: Loop) -> Faces:
    """Return the triangulation of least area (Barequet and Sharir, 1995)."""
    points = vertices[loop]
    count = len(loop)
    cost = np.zeros((count, count))
    choice = np.zeros((count, count), dtype=np.int64)
    for span in range(2, count):
        for first in range(count - span):
            last = first + span
            middle = np.arange(first + 1, last)
            side = np.cross(points[middle] - points[first], points[last] - points[first])
            area = np.sqrt(np.einsum("ij,ij->i", side, side))
            total = cost[first, middle] + cost[middle, last] + area
            best = int(np.argmin(total))
            cost[first, last], choice[first, last] = total[best], middle[best]
    faces, todo = [], [(0, count - 1)]
    while todo:
        first, last = todo.pop()
        if last - first < 2:
            continue
        middle_one = int(choice[first, last])
        faces.append((loop[first], loop[middle_one], loop[last]))
        todo += [(first, middle_one), (middle_one, last)]
    return np.array(faces, dtype=np.int64)


def _basis(normal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return two directions across a normal, shape (3, 2)."""
    length = float(np.linalg.norm(normal))
    unit = normal / length if length > 0 else np.array((0.0, 0.0, 1.0))
    aside = np.eye(3)[int(np.argmin(np.abs(unit)))]
    u = np.cross(aside, unit)
    u /= np.linalg.norm(u)
    return np.column_stack((u, np.cross(unit, u)))


def _holds(ring: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether a polygon holds the first corner of another (crossings of a ray)."""
    x, y = other[0]
    a, b = ring, np.roll(ring, -1, axis=0)
    spans = (a[:, 1] > y) != (b[:, 1] > y)
    a, b = a[spans], b[spans]
    at = a[:, 0] + (y - a[:, 1]) * (b[:, 0] - a[:, 0]) / (b[:, 1] - a[:, 1])
    return bool((at > x).sum() % 2)


def _cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return found


def _doubled_area(ring: NDArray[np.float64]) -> float:
    return float(_cross(ring, np.roll(ring, -1, axis=0)).sum())
