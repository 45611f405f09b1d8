"""Boxes as files of triangles, for whoever needs a model."""

import struct
from collections.abc import Sequence
from pathlib import Path

Corner = tuple[float, float, float]


def box(x: float, y: float, z: float) -> list[tuple[Corner, Corner, Corner]]:
    """The twelve triangles of a box that stands in the origin, wound outwards."""
    corners = [(x * (n & 1), y * (n >> 1 & 1), z * (n >> 2)) for n in range(8)]
    faces = [(0, 2, 3), (0, 3, 1), (4, 5, 7), (4, 7, 6), (0, 1, 5), (0, 5, 4)]
    faces += [(2, 6, 7), (2, 7, 3), (0, 4, 6), (0, 6, 2), (1, 3, 7), (1, 7, 5)]
    return [(corners[a], corners[b], corners[c]) for a, b, c in faces]


def write_stl(path: Path, triangles: Sequence[tuple[Corner, Corner, Corner]]) -> None:
    """Write triangles as a binary STL."""
    body = b"".join(
        struct.pack("<12fH", 0, 0, 0, *(number for corner in face for number in corner), 0)
        for face in triangles
    )
    path.write_bytes(bytes(80) + struct.pack("<I", len(triangles)) + body)


def write_box(path: Path, x: float, y: float, z: float) -> None:
    """Write a box as a binary STL."""
    write_stl(path, box(x, y, z))
