"""Any model file in, one mesh in millimetres out; nothing in the file is trusted.

What a file is, its content decides; its name is only a hint. Only geometry comes out: settings,
scripts and G-code that a project file carries stay behind, because a slicer would run them.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slicing import stl
from slicing.archive import check_3mf
from slicing.errors import (
    ModelBroken,
    ModelEmpty,
    ModelMissing,
    ModelTooComplex,
    ModelUnprintable,
    ModelUnsupported,
)
from slicing.mesh import Mesh
from slicing.request import Limits

FORMATS = ("STL", "3MF", "OBJ", "PLY", "GLB")

_HEAD_BYTES = 4096

_MM_PER_UNIT = {
    "micron": 0.001,
    "millimeter": 1.0,
    "centimeter": 10.0,
    "meter": 1000.0,
    "inch": 25.4,
    "foot": 304.8,
}


def load(path: Path, *, name: str = "", limits: Limits) -> Mesh:
    """Return the mesh in a file.

    Args:
        path: the file.
        name: what people call it; its suffix serves where the path has none.
        limits: on bytes, unpacked bytes and triangles.

    Raises:
        ModelError: of which kind, errors.py tells.
    """
    head, size_bytes = _open(path, limits)
    kind = _kind(head, size_bytes, suffix=Path(name).suffix or path.suffix)
    warnings: tuple[str, ...] = ()
    try:
        match kind:
            case "stl-binary":
                corners = stl.read_binary(path, triangles_max=limits.triangles_max)
            case "stl-text":
                corners = stl.read_text(path, triangles_max=limits.triangles_max)
            case _:
                if kind == "3mf":
                    check_3mf(path, unpacked_bytes_max=limits.unpacked_bytes_max)
                corners, warnings = _read_with_trimesh(path, kind, limits)
    except MemoryError as error:
        raise ModelTooComplex(
            "The model takes more memory than it is given: export it coarser."
        ) from error
    _check_numbers(corners)
    mesh = Mesh(corners, kind.partition("-")[0], warnings)
    return Mesh(corners, mesh.format, (*warnings, *_doubts(mesh)))


def _open(path: Path, limits: Limits) -> tuple[bytes, int]:
    """Return a file's first bytes and its size."""
    try:
        size_bytes = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise ModelMissing(
            f"The model {path} can't be read ({error.strerror}): check the path."
        ) from error
    if not head:
        raise ModelEmpty("The model file is empty: export or upload it again.")
    if size_bytes > limits.model_bytes_max:
        raise ModelTooComplex(
            f"The model file has {size_bytes / 1e6:,.0f} MB, and "
            f"{limits.model_bytes_max / 1e6:,.0f} MB is the limit: export it coarser.",
            size_bytes=size_bytes,
            size_bytes_max=limits.model_bytes_max,
        )
    return head, size_bytes


def _kind(head: bytes, size_bytes: int, *, suffix: str) -> str:
    """Return what a file is.

    Raises:
        ModelUnsupported: nothing that is read here.
    """
    suffix = suffix.lower()
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if stl.looks_binary(head, size_bytes):
        return "stl-binary"
    for magic, kind in ((b"PK\x03\x04", "3mf"), (b"glTF", "glb"), (b"ply", "ply")):
        if head.startswith(magic):
            return kind
    if stl.looks_text(head):
        return "stl-text"
    if start[:15].lower().startswith((b"<!doctype html", b"<html")):
        raise _unsupported("it is a web page: download the model itself")
    if start.startswith((b";", b"G28", b"G90", b"G21", b"M")) and suffix.startswith(".g"):
        raise _unsupported("it is G-code already: submit it as a plate")
    if suffix == ".obj" or start.startswith((b"v ", b"o ", b"mtllib ")):
        return "obj"
    if suffix == ".stl":
        return "stl-binary"  # whose reader says what is wrong with it
    raise _unsupported("its content is none of these")


def _unsupported(why: str) -> ModelUnsupported:
    return ModelUnsupported(
        f"The file is no model that can be read ({', '.join(FORMATS)}): {why}.", formats=FORMATS
    )


def _read_with_trimesh(
    path: Path, kind: str, limits: Limits
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return the corners of every part of a scene, in millimetres and Z up."""
    import trimesh  # takes seconds, and an STL needs none of it

    try:
        with path.open("rb") as file:  # a file, not a path: nothing beside it is ever read
            scene = trimesh.load_scene(file, file_type=kind, process=False)
        parts: list[Any] = [
            part for part in scene.dump() if isinstance(part, trimesh.Trimesh) and len(part.faces)
        ]
        triangles = sum(len(part.faces) for part in parts)
        if triangles > limits.triangles_max:
            raise stl.too_many(triangles, limits.triangles_max)
        found = [np.asarray(part.vertices)[np.asarray(part.faces)] for part in parts]
        units = str(scene.units or "")
    except (ModelTooComplex, MemoryError):
        raise
    except Exception as error:  # parsers of untrusted bytes: whatever they raise, the file is bad
        raise ModelBroken(
            f"The {kind.upper()} file can't be read ({type(error).__name__}: {error}): "
            "export or download it again."
        ) from error
    if not found:
        raise ModelEmpty(f"The {kind.upper()} file holds no triangles: export the model again.")
    return _to_print_space(np.concatenate(found).astype(np.float64), kind, units)


def _to_print_space(
    corners: NDArray[np.float64], kind: str, units: str
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return corners in millimetres with Z up, and a warning where that changed the numbers."""
    if kind == "glb":  # metres and Y up, says its specification
        turned = corners[:, :, (0, 2, 1)] * np.array((1.0, -1.0, 1.0))
        return turned * 1000.0, ("Read as metres with Y up, as GLB says.",)
    singular = {"feet": "foot", "inches": "inch"}.get(units, units.removesuffix("s"))
    factor = _MM_PER_UNIT.get(singular, 1.0) if kind == "3mf" else 1.0
    if factor == 1.0:
        return corners, ()
    return corners * factor, (f"Read as {units}, as the file says.",)


def _check_numbers(corners: NDArray[np.float64]) -> None:
    bad = int((~np.isfinite(corners)).any(axis=(1, 2)).sum())
    if bad:
        raise ModelBroken(
            f"{bad:,} of the model's {len(corners):,} triangles have corners that are no numbers "
            "(NaN or infinite): repair or export it again.",
            triangles_bad=bad,
        )
    points = corners.reshape(-1, 3)
    size = points.max(axis=0) - points.min(axis=0)
    if not (size > 0).all():
        flat = " × ".join(f"{length:.4g}" for length in size)
        raise ModelUnprintable(f"The model is flat ({flat} mm): a print needs thickness.")


def _doubts(mesh: Mesh) -> tuple[str, ...]:
    """Return what a person should look at before printing."""
    found = []
    largest = max(mesh.size_mm)
    if largest < 2.0:  # a nozzle's line is 0.45 mm wide
        found.append(
            f"The model measures only {largest:.3g} mm: if it was drawn in inches or metres, "
            "scale it by 25.4 or 1000."
        )
    if mesh.volume_mm3 < 0:
        found.append("The model's surface is inside out; the slicer turns it.")
    return tuple(found)
