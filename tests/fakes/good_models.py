"""Parts as people draw them, each sound and printable, with known sizes: sixty, and real ones."""

from collections.abc import Callable
from math import cos, pi, sin
from pathlib import Path

import numpy as np
from manifold3d import CrossSection, Manifold

from slicing.uniting import corners_of
from tests.fakes.meshes import Corners, ball, lathe, ring, stored

ROOT = Path(__file__).parents[2]
REAL = ROOT.parent / "shared" / "data" / "models"

Shape = Callable[[float], Manifold | Corners]


def real() -> list[Path]:
    """Return files of models that people made: the farm's own, and those that lie beside it."""
    return [ROOT / "configs" / "dev" / "barn.stl", *sorted(REAL.glob("*"))]


def generated() -> dict[str, Corners]:
    """Return every shape in three sizes, by name, as an STL stores it."""
    found = {}
    for name, shape in SHAPES.items():
        for size in (18.0, 40.0, 90.0):
            drawn = shape(size)
            corners = corners_of(drawn) if isinstance(drawn, Manifold) else drawn
            found[f"{name} {size:g}"] = stored(corners - corners.reshape(-1, 3).min(axis=0))
    return found


def _block(x: float, y: float, z: float) -> Manifold:
    return Manifold.cube((x, y, z))


def _rod(radius: float, height: float, sides: int = 48) -> Manifold:
    return Manifold.cylinder(height, radius, radius, sides)


def _polygon(points: list[tuple[float, float]], height: float) -> Manifold:
    return Manifold.extrude(CrossSection([points]), height)


def _bracket(s: float) -> Manifold:
    part = _block(s, s / 2, 4) + _block(4, s / 2, s)
    hole = _rod(s / 12, 30).translate((s / 2, s / 4, -10))
    across = _rod(s / 12, 30).rotate((0, 90, 0)).translate((-10, s / 4, s / 2))
    return part - hole - across


def _enclosure(s: float) -> Manifold:
    return _block(s, s * 0.7, s / 2) - _block(s - 4, s * 0.7 - 4, s).translate((2, 2, 2))


def _gear(s: float) -> Manifold:
    teeth = 16
    points = []
    for n in range(4 * teeth):
        radius = s / 2 if n % 4 < 2 else s / 2 * 0.82
        points.append((radius * cos(2 * pi * n / 4 / teeth), radius * sin(2 * pi * n / 4 / teeth)))
    return _polygon(points, 6) - _rod(s / 10, 20).translate((0, 0, -5))


def _bolt(s: float) -> Manifold:
    return _rod(s / 4, s / 5, 6) + _rod(s / 8, s).translate((0, 0, s / 5 - 1))


def _comb(s: float) -> Manifold:
    part = _block(s, s / 2, 3)
    for n in range(1, 6):
        for m in range(1, 4):
            part -= _rod(s / 20, 9, 6).translate((s * n / 6, s / 2 * m / 4, -3))
    return part


def _hook(s: float) -> Manifold:
    bow = _rod(s / 3, 8) - _rod(s / 3 - 4, 20).translate((0, 0, -5))
    return (
        bow - _block(s, s, 30).translate((-s, 0, -5)) + _block(4, s, 8).translate((s / 3 - 4, 0, 0))
    )


def _stairs(s: float) -> Manifold:
    steps = [(s * n / 5, s * n / 5) for n in range(6)]
    points = [(0.0, 0.0), (s, 0.0), (s, s)]
    for (x, _), (_, y) in zip(reversed(steps[:-1]), reversed(steps), strict=False):
        points += [(x + s / 5, y), (x, y)] if (x + s / 5, y) != points[-1] else [(x, y)]
    return _polygon(points, s / 2)


def _knob(s: float) -> Manifold:
    part = _rod(s / 2, s / 3)
    for n in range(12):
        place = (s / 2 * cos(pi * n / 6), s / 2 * sin(pi * n / 6), -1)
        part -= _rod(s / 20, s).translate(place)
    return part


def _clip(s: float) -> Manifold:
    points = [(0, 0), (s, 0), (s, 3), (3, 3), (3, s / 4), (s * 0.8, s / 4), (s * 0.8, s / 4 + 3)]
    return _polygon([*((float(x), float(y)) for x, y in points), (0.0, s / 4 + 3)], s / 3)


def _cross(s: float) -> Manifold:
    middle = s / 2 - s / 8
    return _block(s, s / 4, s / 4).translate((0, middle, 0)) + _block(s / 4, s, s / 4).translate(
        (middle, 0, 0)
    )


def _relief(s: float) -> Corners:
    """Return a plate with waves on top: a picture in relief."""
    count = 60
    x, y = np.meshgrid(np.linspace(0, s, count), np.linspace(0, s, count), indexing="ij")
    top = np.stack((x, y, 2 + np.sin(9 * x / s) * np.cos(7 * y / s)), axis=-1)
    floor = top * (1, 1, 0)
    sheets = []
    for points, flipped in ((top, False), (floor, True)):
        a, b, c, d = points[:-1, :-1], points[1:, :-1], points[1:, 1:], points[:-1, 1:]
        two = np.concatenate([np.stack(one, 2).reshape(-1, 3, 3) for one in ((a, b, c), (a, c, d))])
        sheets.append(two[:, ::-1] if flipped else two)
    for edge in (np.s_[:, 0], np.s_[-1, :], np.s_[::-1, -1], np.s_[0, ::-1]):
        up, down = top[edge], floor[edge]
        sheets.append(np.stack((down[:-1], down[1:], up[1:]), axis=1))
        sheets.append(np.stack((down[:-1], up[1:], up[:-1]), axis=1))
    return np.concatenate(sheets)


SHAPES: dict[str, Shape] = {
    "cube": lambda s: _block(s, s, s),
    "plate": lambda s: _block(s, s, 2),
    "wall of one millimetre": lambda s: _block(s, 1.0, s / 2),
    "bracket": _bracket,
    "enclosure": _enclosure,
    "gear": _gear,
    "bolt": _bolt,
    "comb": _comb,
    "hook": _hook,
    "stairs": _stairs,
    "knob": _knob,
    "clip": _clip,
    "cross": _cross,
    "relief": _relief,
    "ball": lambda s: ball(s / 2, 40),
    "potato": lambda s: ball(s / 3, 48, 0.3),
    "torus": lambda s: ring(s / 3, s / 8, 64, 24),
    "knot": lambda s: ring(s / 3, s / 12, 160, 20, turns=5),
    "vase": lambda s: lathe(
        [(0, 0), (s / 4, 0), (s / 3, s), (s / 3 - 2, s), (s / 4 - 2, 2), (0, 2)], 64
    ),
    "tube": lambda s: lathe([(s / 3, 0), (s / 3 + 2, 0), (s / 3 + 2, s), (s / 3, s)], 64),
}
