"""Make barn.stl, the demo's model: a barn with a gambrel roof, a door and a silo.

    python configs/dev/barn.py

Plain Python, no libraries. The parts are closed shells that overlap a little; a slicer joins them.
No face hangs over more than 1.4 mm, so that it prints without supports.
"""

import math
import struct
from itertools import pairwise
from pathlib import Path

Point = tuple[float, float, float]
Triangle = tuple[Point, Point, Point]

# The barn's front, counter-clockwise from the left foot: x and z in mm.
_WALLS = (
    (4.0, 0.5),
    (26.0, 0.5),
    (26.0, 13.0),
    (22.6, 20.5),
    (15.0, 24.0),
    (7.4, 20.5),
    (4.0, 13.0),
)
_FRONT_Y, _BACK_Y = 3.0, 27.0


def prism(
    outline: tuple[tuple[float, float], ...], front_y: float, back_y: float
) -> list[Triangle]:
    """Return a convex outline in x and z, counter-clockwise seen from the front, drawn along y."""
    front = [(x, front_y, z) for x, z in outline]
    back = [(x, back_y, z) for x, z in outline]
    faces: list[Triangle] = []
    for i in range(1, len(outline) - 1):
        faces.append((front[0], front[i], front[i + 1]))
        faces.append((back[0], back[i + 1], back[i]))
    for i in range(len(outline)):
        j = (i + 1) % len(outline)
        faces.append((front[i], back[i], back[j]))
        faces.append((front[i], back[j], front[j]))
    return faces


def box(low: Point, high: Point) -> list[Triangle]:
    """Return a box."""
    outline = ((low[0], low[2]), (high[0], low[2]), (high[0], high[2]), (low[0], high[2]))
    return prism(outline, low[1], high[1])


def beam(start: tuple[float, float], end: tuple[float, float], front_y: float) -> list[Triangle]:
    """Return a board 1 mm wide on the front wall, from one x and z to another."""
    dx, dz = end[0] - start[0], end[1] - start[1]
    length = math.hypot(dx, dz)
    ox, oz = -dz / length * 0.5, dx / length * 0.5
    outline = (
        (start[0] - ox, start[1] - oz),
        (end[0] - ox, end[1] - oz),
        (end[0] + ox, end[1] + oz),
        (start[0] + ox, start[1] + oz),
    )
    return prism(outline, front_y, _FRONT_Y + 0.5)


def lathe(
    middle: tuple[float, float], profile: list[tuple[float, float]], sides: int
) -> list[Triangle]:
    """Return a profile of radius and z, upwards, both ends on the axis, turned about it."""

    def at(radius: float, z: float, side: int) -> Point:
        angle = 2 * math.pi * (side % sides) / sides
        return (middle[0] + radius * math.cos(angle), middle[1] + radius * math.sin(angle), z)

    faces: list[Triangle] = []
    for (low_r, low_z), (high_r, high_z) in pairwise(profile):
        for side in range(sides):
            low, low_next = at(low_r, low_z, side), at(low_r, low_z, side + 1)
            high, high_next = at(high_r, high_z, side), at(high_r, high_z, side + 1)
            if low_r > 0:
                faces.append((low, low_next, high_next if high_r > 0 else high))
            if high_r > 0:
                faces.append((low, high_next, high))
    return faces


def barn() -> list[Triangle]:
    """Return the whole yard, some 44 x 30 x 30 mm, its foot at z = 0."""
    faces = box((0.0, 0.0, 0.0), (44.0, 30.0, 1.0))
    faces += prism(_WALLS, _FRONT_Y, _BACK_Y)
    faces += _roof()
    faces += _door()
    faces += _silo()
    return faces


def _roof() -> list[Triangle]:
    """One thick sheet along the roof, which stands out by 1 mm at both gables."""
    under = ((4.0, 13.0), (7.7, 20.2), (15.0, 23.8), (22.3, 20.2), (26.0, 13.0))
    over = ((2.6, 12.0), (6.2, 21.4), (15.0, 25.6), (23.8, 21.4), (27.4, 12.0))
    front, back = _FRONT_Y - 1, _BACK_Y + 1
    faces: list[Triangle] = []

    def quad(*corners: Point) -> None:
        faces.extend(((corners[0], corners[1], corners[2]), (corners[0], corners[2], corners[3])))

    def at(point: tuple[float, float], y: float) -> Point:
        return (point[0], y, point[1])

    for i in range(len(under) - 1):
        low, low_next, high, high_next = under[i], under[i + 1], over[i], over[i + 1]
        quad(at(low, front), at(low_next, front), at(high_next, front), at(high, front))
        quad(at(low, back), at(high, back), at(high_next, back), at(low_next, back))
        quad(at(high, front), at(high_next, front), at(high_next, back), at(high, back))
        quad(at(low, front), at(low, back), at(low_next, back), at(low_next, front))
    for low, high in ((under[0], over[0]), (over[-1], under[-1])):
        quad(at(low, front), at(high, front), at(high, back), at(low, back))
    return faces


def _door() -> list[Triangle]:
    """The double door with its crosses, and the hatch of the hayloft above it."""
    y = _FRONT_Y - 0.8
    boards = [
        ((9.5, 0.6), (9.5, 10.5)),
        ((15.0, 0.6), (15.0, 10.5)),
        ((20.5, 0.6), (20.5, 10.5)),
        ((9.0, 10.5), (21.0, 10.5)),
        ((9.5, 1.0), (15.0, 10.5)),
        ((9.5, 10.5), (15.0, 1.0)),
        ((15.0, 1.0), (20.5, 10.5)),
        ((15.0, 10.5), (20.5, 1.0)),
        ((12.5, 15.0), (12.5, 19.5)),
        ((17.5, 15.0), (17.5, 19.5)),
        ((12.0, 15.0), (18.0, 15.0)),
        ((12.0, 19.5), (18.0, 19.5)),
        ((12.5, 15.0), (17.5, 19.5)),
        ((12.5, 19.5), (17.5, 15.0)),
    ]
    # Each a hundredth further out than the last, so that no two faces lie in one plane.
    return [
        face
        for number, (start, end) in enumerate(boards)
        for face in beam(start, end, y - 0.01 * number)
    ]


def _silo() -> list[Triangle]:
    """A round tower with three hoops, and a dome."""
    radius = 6.0
    profile = [(0.0, 0.5), (radius, 0.5)]
    for hoop_z in (6.0, 12.5, 19.0):
        profile += [
            (radius, hoop_z),
            (radius + 0.5, hoop_z + 0.5),
            (radius + 0.5, hoop_z + 1.0),
            (radius, hoop_z + 1.5),
        ]
    profile += [
        (radius * math.cos(math.radians(angle)), 24.0 + radius * math.sin(math.radians(angle)))
        for angle in range(0, 90, 15)
    ]
    profile.append((0.0, 24.0 + radius))
    return lathe((35.5, 17.0), profile, 28)


def stl(faces: list[Triangle]) -> bytes:
    """Return a binary STL; normals are left at zero, which readers take from the winding."""
    header = b"Farmhand demo barn, CC0-1.0".ljust(80, b" ") + struct.pack("<I", len(faces))
    return header + b"".join(
        struct.pack("<12fH", 0, 0, 0, *(value for point in face for value in point), 0)
        for face in faces
    )


if __name__ == "__main__":
    Path(__file__).with_name("barn.stl").write_bytes(stl(barn()))
