"""The child's requests `make` and `convert`: the one place where their fields are named."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coordinator.domain.slicing import Drawn, Making, Printable

# What the child calls units otherwise.
_UNITS = {"in": "inch"}


def request_of(model: Path, making: Making, output: Path) -> dict[str, Any]:
    """Return the request; a size or a scale that is wanted outranks the unit."""
    request: dict[str, Any] = {
        "kind": "make",
        "model_path": str(model),
        "name": making.title or model.name,
        "output_folder": str(output),
        "orient": making.lay_flat,
        "author": making.author,
        "licence": making.licence,
        "source": making.source,
    }
    if making.longest_mm is not None:
        request["fit_mm"] = making.longest_mm
    elif making.scale is not None:
        request["scale"] = making.scale
    elif making.unit:
        request["unit"] = _UNITS.get(making.unit, making.unit)
    if making.up:
        request["up"] = making.up
    return request


def conversion_of(model: Path, output: Path) -> dict[str, Any]:
    """Return the request that writes a model as an STL."""
    return {"kind": "convert", "model_path": str(model), "output_path": str(output)}


def printable_of(result: Mapping[str, Any]) -> Printable:
    """Return what the answer says."""
    return Printable(
        format=Path(result["output_path"]).suffix,
        triangles=result["triangles"],
        size_mm=tuple(result["size_mm"]),
        scale=result["scale"],
        watertight=result["watertight"],
        volume_mm3=result["volume_mm3"],
        bodies=result["bodies"],
        wall_min_mm=result["wall_min_mm"],
        overhang_ratio=result["overhang_ratio"],
        fits=tuple(result["fits"]),
        faults=tuple(result["faults"]),
        remarks=tuple(result["remarks"]),
        pictures=tuple(
            Drawn(shows=each["shows"], width_px=each["size_px"], path=Path(each["path"]))
            for each in result["pictures"]
        ),
    )
