"""3MF, OBJ, PLY, GLB, glTF and STEP through trimesh, each asked first whether it is all there.

Parsers fill up silently what a cut-off file lacks; what a format promises of its own length is
compared with the file before they see it.
"""

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slicing.errors import (
    ModelBroken,
    ModelEmpty,
    ModelUnsupported,
    SlicingError,
)
from slicing.stl import too_many

_TAIL_BYTES = 4096
_PLY_HEADER_BYTES_MAX = 65536
_PLY_BYTES = {
    **dict.fromkeys(("char", "uchar", "int8", "uint8"), 1),
    **dict.fromkeys(("short", "ushort", "int16", "uint16"), 2),
    **dict.fromkeys(("int", "uint", "int32", "uint32", "float", "float32"), 4),
    **dict.fromkeys(("double", "float64"), 8),
}

# How far facets may be from a curved surface, in millimetres and radians: below what prints show.
_STEP_DEFLECTION_MM = 0.02
_STEP_ANGLE_RAD = 0.2


def read(path: Path, kind: str, *, triangles_max: int) -> tuple[NDArray[np.float64], str]:
    """Return the corners of every part, shape (n, 3, 3), and the file's word for its unit.

    Args:
        path: the file; nothing beside it is ever read.
        kind: `3mf`, `obj`, `ply`, `glb`, `gltf` or `step`.
        triangles_max: more are refused.

    Raises:
        ModelBroken: it can't be read, or is cut off.
        ModelEmpty: it holds no triangles.
        ModelTooComplex: it holds more than `triangles_max`.
        ModelUnsupported: STEP, and what reads it is not installed.
    """
    checks = {"glb": _check_glb, "ply": _check_ply, "step": _check_step, "obj": _check_obj}
    try:
        if kind in checks:
            checks[kind](path)
        if kind == "step":
            return _read_step(path, triangles_max)
        return _read(path, kind, triangles_max)
    except (SlicingError, MemoryError):
        raise
    except Exception as error:  # parsers of untrusted bytes: whatever they raise, the file is bad
        raise ModelBroken(
            f"The {kind.upper()} file can't be read ({type(error).__name__}: {error}): "
            "export or download it again."
        ) from error


def _read(path: Path, kind: str, triangles_max: int) -> tuple[NDArray[np.float64], str]:
    import trimesh  # takes seconds, and an STL needs none of it

    with path.open("rb") as file:
        scene = trimesh.load_scene(file, file_type=kind, process=False, resolver=_Alone())
    parts: list[Any] = [
        part for part in scene.dump() if isinstance(part, trimesh.Trimesh) and len(part.faces)
    ]
    triangles = sum(len(part.faces) for part in parts)
    if triangles > triangles_max:
        raise too_many(triangles, triangles_max)
    if not parts:
        raise ModelEmpty(f"The {kind.upper()} file holds no triangles: export the model again.")
    found = []
    for part in parts:
        faces, vertices = np.asarray(part.faces), np.asarray(part.vertices)
        if faces.min() < 0 or faces.max() >= len(vertices):
            raise IndexError("a triangle names a corner that is not there")
        if faces.shape[1:] != (3,) or vertices.shape[1:] != (3,):
            raise ValueError("a corner is not three numbers")
        found.append(vertices[faces])
    corners = np.concatenate(found).astype(np.float64)
    return corners, str(scene.units or "") if kind == "3mf" else ""


class _Alone(dict[str, bytes]):
    """The files that a model names, for the library, which else reads them beside it: none."""

    def __missing__(self, name: str) -> bytes:
        raise FileNotFoundError(f"it names another file, {name[:80]!r}, which is never read")


def _read_step(path: Path, triangles_max: int) -> tuple[NDArray[np.float64], str]:
    """Return the facets of a STEP file, which cascadio gives as GLB in metres with Z up."""
    try:
        import cascadio
    except ImportError as error:
        raise ModelUnsupported(
            "STEP files need the library cascadio, which is not installed: "
            "pip install 'farmhand[slicing,step]', or export the model as STL or 3MF.",
            extra="step",
        ) from error
    with TemporaryDirectory(prefix="farmhand-step-") as folder:
        made = Path(folder) / "model.glb"
        cascadio.step_to_glb(
            str(path),
            str(made),
            tol_linear=_STEP_DEFLECTION_MM,
            tol_angular=_STEP_ANGLE_RAD,
            use_parallel=False,
        )
        if not made.is_file():
            raise ModelBroken("The STEP file holds no solid that can be read: export it again.")
        return _read(made, "glb", triangles_max)


def _check_glb(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(12)
    _check_length(path, "GLB", int.from_bytes(head[8:12], "little"))


def _check_step(path: Path) -> None:
    if b"END-ISO-10303-21" not in _tail(path):
        raise _cut_off("STEP", "its last line is missing")


def _check_obj(path: Path) -> None:
    """An OBJ promises nothing; only a last line that stops in the middle gives it away."""
    words = (_tail(path).splitlines() or [b""])[-1].split()
    if words and words[0] in (b"v", b"f") and len(words) < 4:
        raise _cut_off("OBJ", "its last line stops in the middle")


def _check_ply(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(_PLY_HEADER_BYTES_MAX)
    header, end, _ = head.partition(b"end_header")
    if not end:
        raise _cut_off("PLY", "its header does not end")
    binary = b"format binary" in header
    least = 0
    for element in re.split(rb"^element ", header, flags=re.MULTILINE)[1:]:
        count = int(re.search(rb"\s(\d+)", element)[1])  # type: ignore[index]  # caught by `read`
        least += count * (_ply_row_bytes(element) if binary else 2)
    held = path.stat().st_size - len(header) - len(end) - 1
    if held < least:
        raise _cut_off("PLY", f"it promises {least:,} bytes at least and has {held:,}")


def _ply_row_bytes(element: bytes) -> int:
    """Return the least that one row can take; a list may be empty, one of corners has three."""
    row = 0
    for one in re.findall(rb"^property (.+)$", element, flags=re.MULTILINE):
        words = one.decode("ascii", "replace").split()
        if words[0] == "list":
            corners = 3 if words[-1] in ("vertex_indices", "vertex_index") else 0
            row += _PLY_BYTES.get(words[1], 1) + corners * _PLY_BYTES.get(words[2], 1)
        else:
            row += _PLY_BYTES.get(words[0], 1)
    return row


def _check_length(path: Path, what: str, promised: int) -> None:
    held = path.stat().st_size
    if held < promised:
        raise _cut_off(what, f"it promises {promised:,} bytes and has {held:,}")


def _tail(path: Path) -> bytes:
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _TAIL_BYTES))
        return file.read()


def _cut_off(what: str, why: str) -> ModelBroken:
    return ModelBroken(f"The {what} file is cut off ({why}): export or download it again.")
