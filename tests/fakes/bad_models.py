"""Models that can't be printed as they are, each with what has to be said of it.

What a file does to be one is in `bad_files.py`; here are meshes that can be read and are no good.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tests.fakes.meshes import Corners, ball, box, broken, fine, lathe, net, ring

Draw = Callable[[], Corners]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """A mesh, and what has to be told of it.

    Attributes:
        fault: words of the fault that keeps it from being printed; empty where it can be mended.
        remark: words of the remark that tells what was done to it, or what to look at.
    """

    draw: Draw
    fault: str = ""
    remark: str = ""


def _random() -> np.random.Generator:
    return np.random.default_rng(11)


def _moved(corners: Corners, x: float, y: float, z: float) -> Corners:
    return corners + np.array((x, y, z))


def _sheets() -> Corners:
    """Return two sheets that face each other and enclose nothing."""
    sheet = fine(box()[:2], 3)
    return np.concatenate((sheet, _moved(sheet, 0, 0, 7)))


def _soup() -> Corners:
    return _random().uniform(0, 40, (300, 3, 3))


def _strip(turns: float) -> Corners:
    """Return a band around the z axis that turns about itself; half a turn has one side only."""
    count = 96
    a = np.linspace(0, 2 * np.pi, count + 1)
    lean = np.stack((np.cos(turns * a) * np.cos(a), np.cos(turns * a) * np.sin(a)), axis=1)
    edge = np.column_stack((5 * lean, 5 * np.sin(turns * a)))
    middle = np.column_stack((20 * np.cos(a), 20 * np.sin(a), 0 * a))
    one, other = middle + edge, middle - edge
    first = np.stack((one[:-1], other[:-1], other[1:]), axis=1)
    return np.concatenate((first, np.stack((one[:-1], other[1:], one[1:]), axis=1)))


def _bow() -> Corners:
    """Return a prism whose outline crosses itself: one half of it is inside out."""
    points = np.array(((0, 0), (30, 20), (30, 0), (0, 20)), dtype=float)
    low, high = (np.column_stack((points, np.full(4, z))) for z in (0.0, 10.0))
    ahead_low, ahead_high = np.roll(low, -1, axis=0), np.roll(high, -1, axis=0)
    sides = [
        np.stack((low, ahead_low, ahead_high), axis=1),
        np.stack((low, ahead_high, high), axis=1),
    ]
    lids = [low[[0, 2, 1]], low[[0, 3, 2]], high[[0, 1, 2]], high[[0, 2, 3]]]
    return np.concatenate((*sides, np.array(lids)))


def _eight() -> Corners:
    """Return a tube that runs through itself, as a flat eight."""
    a = np.linspace(0, 2 * np.pi, 128, endpoint=False)[:, None]
    b = np.linspace(0, 2 * np.pi, 24, endpoint=False)[None]
    x, y = 30 * np.sin(a), 15 * np.sin(2 * a)
    ahead_x, ahead_y = 30 * np.cos(a), 30 * np.cos(2 * a)
    length = np.hypot(ahead_x, ahead_y)
    out = 5 * np.cos(b)
    return net(
        np.stack(
            (x + out * ahead_y / length, y - out * ahead_x / length, 5 * np.sin(b) + 0 * a), axis=-1
        )
    )


def _edge_shared() -> Corners:
    """Return two boxes that touch along one edge."""
    return np.concatenate((box(), _moved(box(), 20, 20, 0)))


def _needles() -> Corners:
    pins = [_moved(box(0.2, 0.2, 20), x, y, 0) for x in range(0, 30, 3) for y in range(0, 30, 3)]
    return np.concatenate(pins)


def _dust() -> Corners:
    chance = _random()
    specks = [_moved(ball(0.15, 4), *chance.uniform((22, 0, 4), (40, 20, 30))) for _ in range(100)]
    return np.concatenate((fine(box(), 2), *specks))


def _bubbles() -> Corners:
    places = _random().uniform(4, 16, (30, 3))
    return np.concatenate((fine(box(), 2), *(ball(0.2, 4)[:, ::-1] + place for place in places)))


def _lidless() -> Corners:
    """Return a box without its lid and one wall: two faces of six."""
    return fine(box()[:8], 3)


def _shell(outer: float, inner: float) -> Corners:
    return np.concatenate((ball(outer, 48), ball(inner, 48)[:, ::-1]))


def _loose_sheet() -> Corners:
    return np.concatenate((fine(box(), 3), _moved(fine(box()[:2] / 8, 1), 30, 5, 9)))


def _torn(model: str, defect: str) -> Draw:
    return lambda: broken(model, defect)[0]


MENDED = {
    f"{defect} ({model})": Bad(draw=_torn(model, defect), remark=remark)
    for model, defect, remark in (
        ("potato", "one triangle lost", "1 hole closed"),
        ("tube", "ten triangles lost", "holes? closed"),
        ("torus", "a patch lost", "1 hole closed"),
        ("knot", "three patches lost", "holes closed"),
        ("step", "5 % lost", "holes closed"),
        ("potato", "open bottom", "holes? closed"),
        ("torus", "20 % turned", "triangles turned"),
        ("hollow", "inside out", "2 bodies turned outward"),
        ("box", "10 % doubled", "useless triangles dropped"),
        ("ball", "5 % doubled and turned", "useless triangles dropped"),
        ("knot", "cracks of 1 µm", "open edges welded"),
        ("tube", "T-junctions", "holes closed"),
        ("ball", "overlapping bodies", "1 body merged"),
        ("torus", "a shell within", "1 body merged"),
        ("step", "loose triangles", "12 crumbs dropped"),
        ("knot", "holes, cracks and turns", "holes closed"),
    )
}

MESHES: dict[str, Bad] = {
    **MENDED,
    "two sheets": Bad(draw=_sheets, fault="encloses no volume"),
    "triangle soup": Bad(draw=_soup, fault="encloses no volume|stays open"),
    "one triangle": Bad(draw=lambda: _soup()[:1], fault="encloses no volume"),
    "a twisted band": Bad(draw=lambda: _strip(1), fault="encloses no volume|inside out|stays open"),
    "a band with one side": Bad(draw=lambda: _strip(0.5), remark="its surface was missing"),
    "a prism that crosses itself": Bad(draw=_bow, fault="encloses no volume|inside out"),
    "a tube that crosses itself": Bad(
        draw=_eight, remark="crosses itself"
    ),
    "bodies that share an edge": Bad(draw=_edge_shared, remark="two faces meet at 1 edge"),
    "a box without lid and wall": Bad(draw=_lidless, remark="its surface was missing"),
    "paper, upright": Bad(draw=lambda: box(60, 0.1, 40), fault="thinner than a nozzle|a layer"),
    "card, upright": Bad(draw=lambda: box(60, 0.25, 40), remark="walls are down to 0.25"),
    "a film": Bad(draw=lambda: box(60, 40, 0.05), fault="less than a layer"),
    "an eggshell": Bad(draw=lambda: _shell(20, 19.85), fault="thinner than a nozzle"),
    "a thin shell": Bad(draw=lambda: _shell(20, 19.4), remark="walls are down to 0.5"),
    "needles": Bad(draw=_needles, fault="thinner than a nozzle"),
    "dust": Bad(draw=_dust, remark="100 tiny loose bodies removed"),
    "bubbles": Bad(draw=_bubbles, remark="30 tiny bubbles inside filled"),
    "a speck far away": Bad(
        draw=lambda: np.concatenate((fine(box(), 2), _moved(ball(0.2, 5), 900, 0, 70))),
        remark="1 tiny loose body removed",
    ),
    "a loose sheet": Bad(draw=_loose_sheet, remark="1 loose sheet removed"),
    "two parts a metre apart": Bad(
        draw=lambda: np.concatenate((box(), _moved(box(), 1000, 0, 0))), fault="too large for"
    ),
    "a body in the air": Bad(
        draw=lambda: np.concatenate((box(), _moved(box(10, 10, 10), 5, 5, 40))),
        remark="hangs in the air|bodies that do not hold together",
    ),
    "drawn in metres": Bad(draw=lambda: box(0.05, 0.04, 0.03), fault="measures only 0.05 mm"),
    "drawn in inches": Bad(draw=lambda: box(1, 0.5, 1.5), fault="measures only 1.5 mm"),
    "drawn in micrometres": Bad(draw=lambda: box(5e4, 4e4, 3e4), fault="too large for"),
    "as tall as a house": Bad(draw=lambda: lathe([(0, 0), (9, 0), (9, 9e3), (0, 9e3)], 12),
                              fault="too large for .* in Z|too large for .* in X"),
    "finer than any print": Bad(
        draw=lambda: ring(30, 10, 900, 340), remark="612,000 triangles became"
    ),
    "all of its triangles without area": Bad(
        draw=lambda: np.repeat(_soup()[:, :1], 3, axis=1), fault="encloses no volume"
    ),
}  # fmt: skip
