"""Arcs, many at once: how long they are, how far they bulge; as `protocols.gcode.arcs` has it."""

from dataclasses import dataclass

import numpy as np

from slicing.blocks import Flags, Floats, Ints

_TAU = 2 * np.pi
# What a sum of sines leaves over; files tell three decimals.
_DIGITS = 6


@dataclass(slots=True, eq=False)
class Arcs:
    """Arcs in X and Y, in millimetres, one item an arc.

    Attributes:
        lines: indices of their lines.
        low, high: least and greatest X and Y on the way, ends included: two rows.
        length_mm: way in X and Y.
    """

    lines: Ints
    low: Floats
    high: Floats
    length_mm: Floats


def measure(
    lines: Ints, start: Floats, end: Floats, middle: Floats, *, clockwise: Flags, whole: Flags
) -> Arcs:
    """Return what arcs are.

    Args:
        start, end: X and Y, two rows.
        middle: from the start, two rows.
        whole: they go all around, whatever their ends.
    """
    radius = np.hypot(middle[0], middle[1])
    away, to = -middle, end - start - middle
    angle = np.arctan2(away[0] * to[1] - away[1] * to[0], away[0] * to[0] + away[1] * to[1])
    angle = np.where(clockwise, -angle, angle)
    swept = np.where(angle > 1e-9, angle, angle + _TAU)
    around = np.where(whole, _TAU, swept)
    began = np.arctan2(away[1], away[0])
    centre = start + middle
    low, high = np.minimum(start, end), np.maximum(start, end)
    for axis, side, turn in ((0, high, 0.0), (1, high, 0.5), (0, low, 1.0), (1, low, 1.5)):
        way = np.where(clockwise, began - turn * np.pi, turn * np.pi - began) % _TAU
        reach = np.round(centre[axis] + (radius if side is high else -radius), _DIGITS)
        widest = np.maximum if side is high else np.minimum
        side[axis] = np.where(way <= around, widest(side[axis], reach), side[axis])
    return Arcs(lines=lines, low=low, high=high, length_mm=swept * radius)
