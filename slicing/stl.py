"""STL, read with distrust and written plainly.

Binary: 80 bytes of anything, a count, then 50 bytes a triangle (normal, three corners, two spare).
Text: `solid`, then `facet normal`, `vertex` lines, `endsolid`. A reader that trusts the count, or
that gives up silently, hands half a part to the slicer; this one says what is wrong.
"""

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from slicing.errors import ModelBroken, ModelEmpty, ModelTooComplex

_HEADER_BYTES = 84
_TRIANGLE_BYTES = 50
_TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("spare", "<u2")])
_SIGN = b"made by farmhand"


def looks_binary(head: bytes, size_bytes: int) -> bool:
    """Whether a file is a binary STL: its length is exactly what its count promises."""
    return size_bytes == _HEADER_BYTES + _TRIANGLE_BYTES * _count(head) and size_bytes > 0


def looks_text(head: bytes) -> bool:
    """Whether a file begins as a text STL does; some binary ones begin with `solid` as well."""
    start = head.lstrip().lower()
    return start.startswith(b"solid") and (b"facet" in start or b"endsolid" in start)


def read_binary(path: Path, *, triangles_max: int) -> NDArray[np.float64]:
    """Return the corners in a binary STL, shape (n, 3, 3).

    Raises:
        ModelBroken: its length is not what its count promises.
        ModelEmpty: it holds no triangles.
        ModelTooComplex: it holds more than `triangles_max`.
    """
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
    if len(head) < _HEADER_BYTES:
        raise ModelBroken(
            f"The STL file is cut off: it has {size_bytes} bytes, its header alone has "
            f"{_HEADER_BYTES}. Export or download it again."
        )
    promised = _count(head)
    if size_bytes != _HEADER_BYTES + _TRIANGLE_BYTES * promised:
        raise _lying(size_bytes, promised)
    if promised == 0:
        raise ModelEmpty("The STL file holds no triangles: export the model again.")
    if promised > triangles_max:
        raise too_many(promised, triangles_max)
    found = np.fromfile(path, dtype=_TRIANGLE, offset=_HEADER_BYTES)
    return found["corners"].astype(np.float64)


def read_text(path: Path, *, triangles_max: int) -> NDArray[np.float64]:
    """Return the corners in a text STL, shape (n, 3, 3).

    Raises:
        ModelBroken: it ends in the middle, or a coordinate is no number.
        ModelEmpty: it holds no triangles.
        ModelTooComplex: it holds more than `triangles_max`.
    """
    text = path.read_bytes().lower()
    parts = text.split(b"vertex")[1:]
    if not parts:
        raise ModelEmpty("The STL file holds no triangles: export the model again.")
    if len(parts) > 3 * triangles_max:
        raise too_many(len(parts) // 3, triangles_max)
    if len(parts) % 3 or b"endsolid" not in text:
        raise ModelBroken(
            f"The STL file is cut off after {len(parts)} corners: export or download it again."
        )
    words = [part.split(None, 3)[:3] for part in parts]
    try:
        values = np.array(words, dtype=np.float64)
    except ValueError as error:
        raise ModelBroken(
            "The STL file has a corner that is not three numbers: export the model again."
        ) from error
    return values.reshape(-1, 3, 3)


def write(corners: NDArray[np.float64], path: Path) -> None:
    """Write a binary STL; normals are left at zero, which readers take from the winding."""
    triangles = np.zeros(len(corners), dtype=_TRIANGLE)
    triangles["corners"] = corners
    with path.open("wb") as file:
        file.write(_SIGN.ljust(80, b" ") + struct.pack("<I", len(triangles)))
        triangles.tofile(file)


def too_many(triangles: int, triangles_max: int) -> ModelTooComplex:
    """Return the refusal of a mesh with more triangles than the limit."""
    return ModelTooComplex(
        f"The model has {triangles:,} triangles, and {triangles_max:,} is the limit: "
        "export it coarser or reduce it (decimate).",
        triangles=triangles,
        triangles_max=triangles_max,
    )


def _count(head: bytes) -> int:
    """Return the number of triangles that a binary header promises; -2 without a header."""
    return int.from_bytes(head[80:84], "little") if len(head) >= _HEADER_BYTES else -2


def _lying(size_bytes: int, promised: int) -> ModelBroken:
    held = (size_bytes - _HEADER_BYTES) / _TRIANGLE_BYTES
    what = "is cut off" if held < promised else "has bytes behind its end"
    return ModelBroken(
        f"The STL file {what} or is none: it promises {promised:,} triangles and has room for "
        f"{held:,.1f}. Export or download it again.",
        triangles_promised=promised,
        triangles_held=held,
    )
