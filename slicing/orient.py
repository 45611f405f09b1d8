"""Which way up a part prints best, and how it lies flat along the axes.

Candidates are the directions that large areas of the surface face, and the facets of the convex
hull, on which a thing can stand. Each is judged by what it costs: supports, height, and how
little of it touches the bed. Column volumes over-estimate real supports: they serve to rank.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from slicing.mesh import Mesh, Vector, fits
from slicing.topology import weld

Directions = NDArray[np.float64]

# More triangles than that are judged by a sample; directions are coarse anyway.
_SAMPLE_MAX = 60_000

_CANDIDATES_EACH = 12
_SAME_DIRECTION_COS = 0.999

# Surfaces steeper than 45 degrees carry themselves.
_OVERHANG_COS = 0.707

# What lies this low is on the bed: a first layer is 0.2 to 0.3 mm.
_FLOOR_MM = 0.25

# What one thing is worth in mm³ of support: a mm of height (time and risk of tipping), a mm² of
# rough overhang; and standing on less than a tenth of one's shadow, or on almost nothing.
_HEIGHT = 20.0
_OVERHANG = 0.5
_FOOT_SHARE = 0.1

# The designer's own way is kept unless another one is better by this much.
_BETTER = 0.85

_YAW_BETTER = 0.98


def orient(mesh: Mesh, *, room_mm: Vector | None = None) -> Mesh:
    """Return the mesh turned the way that prints best; the same object where it stands well.

    Of equal ways up the present one wins, and what lies in one plane has no other. About Z it is
    turned so that the rectangle around its shadow is the smallest, unless that gains nothing.

    Args:
        room_mm: what it has to fit into. A way that does comes first, however it prints; where none
            does, this counts for nothing.
    """
    from scipy.spatial import QhullError

    middles, normals, areas = _surface(mesh.corners)
    down = np.array((0.0, 0.0, -1.0))
    try:
        hull, hull_facets = _hull(mesh.corners)
    except QhullError:
        return mesh
    present = _cost(down, middles, normals, areas, hull)
    ranked = [(_BETTER * present, down)]
    for direction in _candidates(normals, areas, hull_facets):
        ranked.append((_cost(direction, middles, normals, areas, hull), direction))
    ranked.sort(key=lambda one: one[0])  # of equals the present one, which is the first
    turns = (_turn(direction, hull) for _, direction in ranked)
    best = first = next(turns)
    while room_mm is not None and not _has_room(hull @ best.T, room_mm):
        following = next(turns, None)
        if following is None:
            best = first
            break
        best = following
    if (best == np.eye(3)).all():
        return mesh
    return replace(mesh, corners=mesh.corners @ best.T)


def _turn(direction: NDArray[np.float64], hull: Directions) -> NDArray[np.float64]:
    """Return the rotation that takes a direction downwards, the shadow along the axes."""
    down = np.array((0.0, 0.0, -1.0))
    turn = np.eye(3) if (direction == down).all() else _turn_to(direction, down)
    yaw = _yaw(hull @ turn.T)
    if yaw == 0.0:
        return turn
    around = np.array(
        ((np.cos(yaw), -np.sin(yaw), 0.0), (np.sin(yaw), np.cos(yaw), 0.0), (0.0, 0.0, 1.0))
    )
    found: NDArray[np.float64] = around @ turn
    return found


def _has_room(points: Directions, room_mm: Vector) -> bool:
    x, y, z = np.ptp(points, axis=0).tolist()
    return fits((x, y, z), room_mm)


def _surface(
    corners: NDArray[np.float64],
) -> tuple[Directions, Directions, NDArray[np.float64]]:
    """Return middles, unit normals and areas of a sample of the triangles."""
    step = -(-len(corners) // _SAMPLE_MAX)
    sample = corners[::step]
    doubled = np.cross(sample[:, 1] - sample[:, 0], sample[:, 2] - sample[:, 0])
    length = np.linalg.norm(doubled, axis=1)
    real = length > 0
    return (
        sample[real].mean(axis=1),
        doubled[real] / length[real, None],
        length[real] / 2 * step,
    )


def _hull(
    corners: NDArray[np.float64],
) -> tuple[Directions, tuple[Directions, NDArray[np.float64]]]:
    """Return the corners of the convex hull, and normals and areas of its facets."""
    from scipy.spatial import ConvexHull

    hull = ConvexHull(weld(corners)[0])
    a, b, c = (hull.points[hull.simplices[:, n]] for n in range(3))
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    return hull.points[hull.vertices], (hull.equations[:, :3], areas)


def _candidates(
    normals: Directions,
    areas: NDArray[np.float64],
    facets: tuple[Directions, NDArray[np.float64]],
) -> list[NDArray[np.float64]]:
    found: list[NDArray[np.float64]] = []
    for directions, sizes in ((normals, areas), facets):
        for one in _clusters(directions, sizes):
            if not any(one @ other > _SAME_DIRECTION_COS for other in found):
                found.append(one)
    return found


def _clusters(directions: Directions, sizes: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Return the directions that the largest areas face."""
    key = np.round(directions * 50).astype(np.int64) @ np.array((1, 1000, 1_000_000))
    _, group = np.unique(key, return_inverse=True)
    total = np.bincount(group, weights=sizes)
    middle = np.column_stack(
        [np.bincount(group, weights=sizes * directions[:, axis]) for axis in range(3)]
    )
    found = []
    for one in np.argsort(-total)[:_CANDIDATES_EACH]:
        length = float(np.linalg.norm(middle[one]))
        if length > 0:
            found.append(middle[one] / length)
    return found


def _cost(
    down: NDArray[np.float64],
    middles: Directions,
    normals: Directions,
    areas: NDArray[np.float64],
    hull: Directions,
) -> float:
    """Return what printing with a direction downwards costs, in mm³ of support."""
    floor = float((hull @ down).max())
    height = floor - float((hull @ down).min())
    above = floor - middles @ down
    facing = normals @ down
    standing = (above < _FLOOR_MM) & (facing > _OVERHANG_COS)
    hanging = (facing > _OVERHANG_COS) & ~standing
    shadow = areas[hanging] * facing[hanging]
    contact = float(areas[standing].sum())
    needed = _FOOT_SHARE * float((areas * np.abs(facing)).sum()) / 2
    shaky = max(0.0, 1.0 - contact / needed) if needed > 0 else 1.0
    support = float((shadow * above[hanging]).sum()) + _OVERHANG * float(shadow.sum())
    return support + height * (_HEIGHT + shaky * needed)


def _turn_to(direction: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rotation that takes one unit vector to another (Rodrigues)."""
    axis, cosine = np.cross(direction, wanted), float(direction @ wanted)
    if cosine < -1 + 1e-12:
        return np.diag((1.0, -1.0, -1.0))  # half a turn about X takes up to down
    cross = np.array(((0.0, -axis[2], axis[1]), (axis[2], 0.0, -axis[0]), (-axis[1], axis[0], 0.0)))
    turn: NDArray[np.float64] = np.eye(3) + cross + cross @ cross / (1 + cosine)
    return turn


def _yaw(points: Directions) -> float:
    """Return the angle about Z for the smallest rectangle around the shadow; 0 without a gain."""
    from scipy.spatial import ConvexHull

    flat = points[:, :2]
    shadow = flat[ConvexHull(flat).vertices]
    along = np.roll(shadow, -1, axis=0) - shadow
    angles = np.concatenate(((0.0,), np.arctan2(along[:, 1], along[:, 0]) % (np.pi / 2)))
    cosine, sine = np.cos(-angles)[:, None], np.sin(-angles)[:, None]
    x, y = shadow.T
    area = np.ptp(x * cosine - y * sine, axis=1) * np.ptp(x * sine + y * cosine, axis=1)
    best = int(np.argmin(area))
    return -float(angles[best]) if area[best] < _YAW_BETTER * area[0] else 0.0
