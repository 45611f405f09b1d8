"""Arcs (G2, G3): how long they are, where their middle is, how far they bulge.

In the plane of X and Y, the only one that firmwares know by default. As Marlin draws them: at the
radius of the start all along, and to the very end.
"""

from math import atan2, hypot, pi, sqrt, tau

Place = tuple[float, float, float]

# What a sum of sines leaves over; files tell three decimals.
_DIGITS = 6


def arc_mm(
    start: Place,
    end: Place,
    middle: tuple[float, float],
    *,
    clockwise: bool,
) -> float:
    """Return the length of an arc in millimetres; one that ends where it starts is a circle.

    Args:
        middle: from the start, in X and Y.
    """
    swept = _swept(start, end, middle, clockwise=clockwise)
    return hypot(swept * hypot(*middle), end[2] - start[2])


def arc_box(
    start: Place, end: Place, middle: tuple[float, float], *, clockwise: bool, whole: bool = False
) -> tuple[float, float, float, float]:
    """Return the least X and Y, and the greatest X and Y, that an arc comes to, ends included.

    Args:
        middle: from the start, in X and Y.
        whole: it goes all around, whatever its ends.
    """
    low_x, high_x = min(start[0], end[0]), max(start[0], end[0])
    low_y, high_y = min(start[1], end[1]), max(start[1], end[1])
    x, y, radius = start[0] + middle[0], start[1] + middle[1], hypot(*middle)
    began = atan2(-middle[1], -middle[0])
    swept = tau if whole else _swept(start, end, middle, clockwise=clockwise)

    def passes(angle: float) -> bool:
        return (began - angle if clockwise else angle - began) % tau <= swept

    if passes(0.0):
        high_x = max(high_x, round(x + radius, _DIGITS))
    if passes(pi / 2):
        high_y = max(high_y, round(y + radius, _DIGITS))
    if passes(pi):
        low_x = min(low_x, round(x - radius, _DIGITS))
    if passes(-pi / 2):
        low_y = min(low_y, round(y - radius, _DIGITS))
    return low_x, low_y, high_x, high_y


def arc_middle(
    start: Place,
    end: Place,
    radius: float,
    *,
    clockwise: bool,
) -> tuple[float, float]:
    """Return the middle of an arc of a radius, from its start; a negative radius: the long way."""
    across_x, across_y = end[0] - start[0], end[1] - start[1]
    across = hypot(across_x, across_y)
    if not across:
        return (radius, 0.0)
    height = sqrt(max(0.0, radius**2 - across**2 / 4)) / across
    side = height if clockwise is (radius < 0) else -height
    return (across_x / 2 - across_y * side, across_y / 2 + across_x * side)


def _swept(start: Place, end: Place, middle: tuple[float, float], *, clockwise: bool) -> float:
    """Return the angle that an arc sweeps, above 0 and up to a whole turn."""
    away_x, away_y = -middle[0], -middle[1]
    to_x, to_y = end[0] - start[0] - middle[0], end[1] - start[1] - middle[1]
    angle = atan2(away_x * to_y - away_y * to_x, away_x * to_x + away_y * to_y)
    if clockwise:
        angle = -angle
    return angle if angle > 1e-9 else angle + tau
