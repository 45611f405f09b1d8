"""Small closed meshes with known volumes, and the ways in which files are broken."""

import zlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from slicing.topology import volume

Corners = NDArray[np.float64]
Random = np.random.Generator


def box(x: float = 20.0, y: float = 20.0, z: float = 20.0) -> Corners:
    """Return the 12 triangles of a box from the origin, outward."""
    corners = np.array([[n & 1, n >> 1 & 1, n >> 2] for n in range(8)]) * np.array((x, y, z), float)
    quads = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    return np.array([corners[[a, *pair]] for a, b, c, d in quads for pair in ((b, c), (c, d))])


def lathe(profile: list[tuple[float, float]], sides: int) -> Corners:
    """Return what a closed profile of (radius, z), anticlockwise, sweeps around the z axis."""
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    r, z = np.array(profile, dtype=np.float64).T
    points = np.stack(
        np.broadcast_arrays(
            r[None] * np.cos(angle)[:, None], r[None] * np.sin(angle)[:, None], z[None]
        ),
        axis=-1,
    )
    return net(points)


def ring(radius: float, width: float, sides: int, around: int, turns: int = 0) -> Corners:
    """Return a torus; `turns` winds its middle line up and down on the way, as a knot would."""
    a = np.linspace(0, 2 * np.pi, sides, endpoint=False)[:, None]
    b = np.linspace(0, 2 * np.pi, around, endpoint=False)[None]
    r = radius + width * np.cos(b) + width / 2 * np.cos(turns * a) * bool(turns)
    lift = width * np.sin(turns * a) * bool(turns)
    return net(np.stack((r * np.cos(a), r * np.sin(a), width * np.sin(b) + lift), axis=-1))


def ball(radius: float, rings: int, bumps: float = 0.0) -> Corners:
    """Return a sphere, or a potato where `bumps` is a share of its radius."""
    a = np.linspace(0, 2 * np.pi, 2 * rings, endpoint=False)[:, None]
    b = np.linspace(-np.pi / 2, np.pi / 2, rings + 1)[None]
    r = radius * (1 + bumps * np.sin(3 * a) * np.cos(b) ** 2 * np.sin(4 * b))
    points = np.stack((r * np.cos(a) * np.cos(b), r * np.sin(a) * np.cos(b), r * np.sin(b)), -1)
    points[:, 0], points[:, -1] = points[0, 0], points[0, -1]
    return net(points, wraps=False)


def net(points: Corners, *, wraps: bool = True) -> Corners:
    """Return two triangles for each cell of a grid that closes along its first axis."""
    ahead = np.roll(points, -1, axis=0)
    up, ahead_up = np.roll(points, -1, axis=1), np.roll(ahead, -1, axis=1)
    cells = [np.stack((points, ahead, ahead_up), axis=2), np.stack((points, ahead_up, up), axis=2)]
    if not wraps:
        cells = [one[:, :-1] for one in cells]
    corners = np.concatenate([one.reshape(-1, 3, 3) for one in cells])
    return corners[np.linalg.norm(_normals(corners), axis=1) > 1e-9]


def _normals(corners: Corners) -> Corners:
    return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])


def fine(corners: Corners, times: int) -> Corners:
    """Return the same shape with each triangle cut into four, so many times."""
    for _ in range(times):
        a, b, c = (corners[:, n] for n in range(3))
        ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
        four = ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))
        corners = np.concatenate([np.stack(one, axis=1) for one in four])
    return corners


def stored(corners: Corners) -> Corners:
    """Return the corners as an STL stores them."""
    return corners.astype(np.float32).astype(np.float64)


MODELS: dict[str, Callable[[], Corners]] = {
    "box": lambda: fine(box(), 3),
    "ball": lambda: ball(15, 24),
    "potato": lambda: ball(15, 32, 0.4),
    "tube": lambda: fine(lathe([(10, 0), (14, 0), (14, 30), (10, 30)], 48), 1),
    "torus": lambda: ring(15, 5, 64, 24),
    "knot": lambda: ring(20, 4, 120, 20, turns=5),
    "step": lambda: fine(lathe([(0, 0), (18, 0), (18, 6), (9, 6), (9, 20), (0, 20)], 40), 1),
    "hollow": lambda: np.concatenate((fine(box(), 3), ball(7, 20)[:, ::-1] + 10)),
}


def _lose(corners: Corners, lost: NDArray[np.int64]) -> Corners:
    return np.delete(corners, lost, axis=0)


def _patch(corners: Corners, random: Random, count: int) -> NDArray[np.int64]:
    middle = corners.mean(axis=1)
    return np.argsort(np.linalg.norm(middle - middle[random.integers(len(middle))], axis=1))[:count]


def _some(corners: Corners, random: Random, share: float) -> NDArray[np.int64]:
    return random.choice(len(corners), max(1, int(share * len(corners))), replace=False)


def _turned(corners: Corners, which: NDArray[np.int64]) -> Corners:
    found = corners.copy()
    found[which] = found[which][:, ::-1]
    return found


def _cracked(corners: Corners, random: Random, width: float) -> Corners:
    return corners + random.uniform(-width / 2, width / 2, corners.shape)


def _battered(corners: Corners, random: Random) -> Corners:
    left = _lose(corners, _some(corners, random, 0.02))
    return _cracked(_turned(left, _some(left, random, 0.05)), random, 1e-3)


def _split_on_one_side(corners: Corners, random: Random) -> Corners:
    """Return T-junctions: some triangles are cut across one edge, their neighbours not."""
    which = _some(corners, random, 0.1)
    a, b, c = (corners[which, n] for n in range(3))
    middle = (a + b) / 2
    halves = (np.stack((a, middle, c), axis=1), np.stack((middle, b, c), axis=1))
    return np.concatenate((_lose(corners, which), *halves))


def _bottomless(corners: Corners) -> Corners:
    z = corners[:, :, 2]
    low, high = z.min(), z.max()
    return corners[z.max(axis=1) > low + 0.02 * (high - low)]


def _crumbs(corners: Corners, random: Random) -> Corners:
    at = corners.reshape(-1, 3)
    places = random.uniform(at.min(axis=0), at.max(axis=0), (12, 1, 3))
    return np.concatenate((corners, places + random.uniform(-0.5, 0.5, (12, 3, 3))))


def _shell_within(corners: Corners) -> Corners:
    """Return the model with a second skin, a small ball sunk into it, facing outward too."""
    return np.concatenate((corners, ball(0.8, 8) + _inside(corners)))


def _inside(corners: Corners) -> Corners:
    """Return a point 1.2 mm below the largest triangle."""
    normals = _normals(corners)
    largest = int(np.argmax(np.linalg.norm(normals, axis=1)))
    unit = normals[largest] / np.linalg.norm(normals[largest])
    point: Corners = corners[largest].mean(axis=0) - 1.2 * unit
    return point


def _overlapped(corners: Corners) -> Corners:
    """Return the model with a second body, a small ball that sticks out of it."""
    return np.concatenate((corners, ball(1.5, 10) + _inside(corners)))


# What is done to a model; none changes what it should be by more than 2 % of its volume.
DEFECTS: dict[str, Callable[[Corners, Random], Corners]] = {
    "one triangle lost": lambda c, r: _lose(c, r.integers(len(c), size=1)),
    "ten triangles lost": lambda c, r: _lose(c, r.choice(len(c), 10, replace=False)),
    "a patch lost": lambda c, r: _lose(c, _patch(c, r, len(c) // 50)),
    "three patches lost": lambda c, r: _lose(
        c, np.concatenate([_patch(c, r, len(c) // 80) for _ in range(3)])
    ),
    "5 % lost": lambda c, r: _lose(c, _some(c, r, 0.05)),
    "open bottom": lambda c, r: _bottomless(c),
    "20 % turned": lambda c, r: _turned(c, _some(c, r, 0.2)),
    "inside out": lambda c, r: c[:, ::-1],
    "10 % doubled": lambda c, r: np.concatenate((c, c[_some(c, r, 0.1)])),
    "5 % doubled and turned": lambda c, r: np.concatenate((c, c[_some(c, r, 0.05)][:, ::-1])),
    "cracks of 1 µm": lambda c, r: _cracked(c, r, 1e-3),
    "T-junctions": lambda c, r: _split_on_one_side(c, r),
    "overlapping bodies": lambda c, r: _overlapped(c),
    "a shell within": lambda c, r: _shell_within(c),
    "loose triangles": lambda c, r: _crumbs(c, r),
    "holes, cracks and turns": _battered,
}


def broken(model: str, defect: str) -> tuple[Corners, float]:
    """Return a broken model as an STL stores it, and the volume that it should have."""
    whole = MODELS[model]()
    random = np.random.default_rng(zlib.crc32(f"{defect} {model}".encode()))
    return stored(DEFECTS[defect](whole, random)), volume(whole)
