"""Any model file in, one mesh in millimetres out; nothing in the file is trusted.

What a file is, its content decides; its name is only a hint. Only geometry comes out: settings,
scripts and G-code that a project file carries stay behind, because a slicer would run them.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from slicing import amf, scenes, stl
from slicing.archive import kind_inside
from slicing.errors import (
    ModelBroken,
    ModelEmpty,
    ModelMissing,
    ModelTooComplex,
    ModelUnprintable,
    ModelUnsupported,
)
from slicing.mesh import Mesh
from slicing.request import Limits, Source, Unit, Up
from slicing.units import to_print_space

FORMATS = ("STL", "3MF", "OBJ", "PLY", "GLB", "glTF", "AMF", "STEP")

_HEAD_BYTES = 4096

# Squares and volumes of such numbers still are numbers, in single precision too.
_NUMBER_MAX = 1e12

# What a file may begin with. A zip is told apart by what is in it.
_MAGIC = (
    (b"PK\x03\x04", "zip"),
    (b"glTF", "glb"),
    (b"ply", "ply"),
    (b"ISO-10303-21", "step"),
)


def load(
    path: Path,
    *,
    name: str = "",
    limits: Limits,
    unit: Unit | None = None,
    fit_mm: float | None = None,
    scale: float | None = None,
    up: Up | None = None,
) -> Mesh:
    """Return the mesh in a file.

    Args:
        path: the file.
        name: what people call it; its suffix serves where the path has none.
        limits: on bytes, unpacked bytes and triangles.
        unit: see `units.to_print_space`, as for `fit_mm`, `scale` and `up`.

    Raises:
        ModelError: of which kind, errors.py tells.
    """
    head, size_bytes = _open(path, limits)
    kind = _kind(head, size_bytes, suffix=Path(name).suffix or path.suffix)
    declared, most = "", limits.triangles_max
    try:
        if kind == "zip":
            kind = kind_inside(path, unpacked_bytes_max=limits.unpacked_bytes_max)
        match kind:
            case "stl-binary":
                corners = stl.read_binary(path, triangles_max=most)
            case "stl-text":
                corners = stl.read_text(path, triangles_max=most)
            case "amf":
                corners, declared = amf.read(path, triangles_max=most)
            case _:
                corners, declared = scenes.read(path, kind, triangles_max=most)
        if not len(corners):
            raise ModelEmpty(f"The {kind.upper()} file holds no triangles: export it again.")
        _check_numbers(corners)
        form = kind.partition("-")[0]
        corners, factor, warnings = to_print_space(
            corners, form=form, declared=declared, unit=unit, fit_mm=fit_mm, scale=scale, up=up
        )
    except MemoryError as error:
        raise ModelTooComplex(
            "The model takes more memory than it is given: export it coarser."
        ) from error
    return Mesh(corners, form, warnings, factor)


def load_source(source: Source, limits: Limits) -> Mesh:
    """Return the mesh of a request's model; see `load`."""
    return load(
        source.model_path,
        name=source.name,
        limits=limits,
        unit=source.unit,
        fit_mm=source.fit_mm,
        scale=source.scale,
        up=source.up,
    )


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
    for magic, kind in _MAGIC:
        if start.startswith(magic):
            return kind
    if stl.looks_text(head):
        return "stl-text"
    if start[:15].lower().startswith((b"<!doctype html", b"<html")):
        raise _unsupported("it is a web page: download the model itself")
    if start.startswith((b";", b"G28", b"G90", b"G21", b"M")) and suffix.startswith(".g"):
        raise _unsupported("it is G-code already: submit it as a plate")
    if start.startswith((b"<?xml", b"<amf")) and b"<amf" in head:
        return "amf"
    if start.startswith(b"{") and (b'"asset"' in head or suffix == ".gltf"):
        return "gltf"
    if suffix == ".obj" or start.startswith((b"v ", b"o ", b"mtllib ")):
        return "obj"
    if suffix == ".stl":
        return "stl-binary"  # whose reader says what is wrong with it
    raise _unsupported("its content is none of these")


def _unsupported(why: str) -> ModelUnsupported:
    return ModelUnsupported(
        f"The file is no model that can be read ({', '.join(FORMATS)}): {why}.", formats=FORMATS
    )


def _check_numbers(corners: NDArray[np.float64]) -> None:
    axes = [corners[:, :, axis] for axis in range(3)]
    low, high = (np.array([end(one) for one in axes]) for end in (np.min, np.max))
    # NaN is passed on by both, and compares as false.
    if not ((low > -_NUMBER_MAX) & (high < _NUMBER_MAX)).all():
        bad = int((~(np.abs(corners) < _NUMBER_MAX)).any(axis=(1, 2)).sum())
        raise ModelBroken(
            f"{bad:,} of the model's {len(corners):,} triangles have corners that are no numbers "
            "(NaN, infinite or beyond all sizes): repair or export it again.",
            triangles_bad=bad,
        )
    size = high - low
    if not (size > 0).all():
        flat = " × ".join(f"{length:.4g}" for length in size)
        raise ModelUnprintable(f"The model is flat ({flat} mm): a print needs thickness.")
