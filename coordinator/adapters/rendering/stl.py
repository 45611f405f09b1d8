"""What a binary STL file says of itself: its triangles and its extent."""

import struct
from collections.abc import Iterator

HEADER_BYTES, TRIANGLE_BYTES = 84, 50
TRIANGLES_MAX = 2_000_000
BYTES_MAX = HEADER_BYTES + TRIANGLES_MAX * TRIANGLE_BYTES


def measured(data: bytes) -> tuple[int, tuple[float, float, float]] | None:
    """Return the triangles and the size in x, y and z; None where it is no such file or empty."""
    if len(data) < HEADER_BYTES + TRIANGLE_BYTES:
        return None
    (count,) = struct.unpack_from("<I", data, 80)
    if len(data) != HEADER_BYTES + count * TRIANGLE_BYTES or count > TRIANGLES_MAX:
        return None
    sizes = [max(each) - min(each) for each in zip(*_extremes(data), strict=True)]
    if not all(0 < each < 1e6 for each in sizes):
        return None
    return count, (sizes[0], sizes[1], sizes[2])


def _extremes(data: bytes) -> Iterator[tuple[float, ...]]:
    """Yield for each axis, as columns, corners among which the extremes are."""
    low, high = [float("inf")] * 3, [float("-inf")] * 3
    for x1, y1, z1, x2, y2, z2, x3, y3, z3 in struct.iter_unpack(
        "<12x9f2x", memoryview(data)[HEADER_BYTES:]
    ):
        low = [min(low[0], x1, x2, x3), min(low[1], y1, y2, y3), min(low[2], z1, z2, z3)]
        high = [max(high[0], x1, x2, x3), max(high[1], y1, y2, y3), max(high[2], z1, z2, z3)]
    yield tuple(low)
    yield tuple(high)
