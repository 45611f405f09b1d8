"""A plate from the cache where it was made before, else a new one.

A hit imports neither numpy nor a mesh library, which would take longer than all the rest.
"""

import base64
import contextlib
import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from slicing import cache, provenance
from slicing.catalogue import Catalogue
from slicing.engine import Report
from slicing.errors import ModelMissing
from slicing.registry import open_engine
from slicing.request import SliceRequest
from slicing.workspace import unwritable

_IN_THE_KEY_OTHERWISE = (
    *("model_path", "configs", "printer", "material", "quality", "settings", "engine"),
)
_SHAPES_NOTHING = (
    *("kind", "output_path", "cache_folder", "cache_bytes_max", "limits", "provenance"),
)
_NOT_PLACEMENT: dict[str, Any] = {
    **dict.fromkeys((*_IN_THE_KEY_OTHERWISE, *_SHAPES_NOTHING), True),
    "models": {"__all__": {"model_path"}},
}


def make_or_fetch(request: SliceRequest, report: Report) -> dict[str, Any]:
    """Return the result of a request, as JSON has it; raises as `pipeline.make_plate` does."""
    result = _made_or_fetched(request, report)
    return _signed(result, request) if request.provenance else result


def _made_or_fetched(request: SliceRequest, report: Report) -> dict[str, Any]:
    if request.cache_folder is None:
        return _make(request, report)
    plates = cache.Cache(request.cache_folder, bytes_max=request.cache_bytes_max)
    name = key_of(request)
    found = plates.get(name, request.output_path)
    if found is not None:
        report(1.0, "found in the cache")
        return _fetched(found, request.output_path)
    result = _make(request, report)
    plates.put(name, request.output_path, result | {"beside": _beside(result, request.output_path)})
    return result


def key_of(request: SliceRequest) -> str:
    """Return what names the plate of a request; raises as the pipeline does for wrong requests."""
    configuration = Catalogue(request.configs).configuration(
        request.printer, request.material, request.quality, request.settings
    )
    engine = open_engine(request.engine)
    others = [other.model_path for other in request.models]
    try:
        return cache.key(
            [request.model_path, *others],
            placement=request.model_dump(mode="json", exclude=_NOT_PLACEMENT),
            configuration=configuration.fingerprint(),
            engine=engine.name,
            installation=engine.installation(),
        )
    except OSError as error:
        raise ModelMissing(
            f"The model {request.model_path} can't be read ({error.strerror}): check the path."
        ) from error


def _make(request: SliceRequest, report: Report) -> dict[str, Any]:
    from slicing.pipeline import make_plate

    return asdict(make_plate(request, report))


def _signed(result: dict[str, Any], request: SliceRequest) -> dict[str, Any]:
    """Write into a plate where it came from; return what it amounts to now.

    Raises:
        OutputUnwritable: the disk is full; the plate is gone then.
    """
    path = request.output_path
    try:
        provenance.put(path, request.provenance)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise unwritable(error, path) from error
    added = path.stat().st_size - result["size_bytes"]
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(-added, os.SEEK_END)
        lines = result["lines"] + file.read().count(b"\n")
    return result | {"size_bytes": result["size_bytes"] + added, "sha256": sha256, "lines": lines}


def _beside(result: Mapping[str, Any], output_path: Path) -> dict[str, str]:
    """Return the pictures of a plate: ending of the file's name -> content."""
    found = {}
    for picture in result.get("pictures", ()):
        path = Path(picture["path"])
        with contextlib.suppress(OSError):
            ending = path.name.removeprefix(output_path.stem)
            found[ending] = base64.b64encode(path.read_bytes()).decode()
    return found


def _fetched(found: dict[str, Any], output_path: Path) -> dict[str, Any]:
    """Return a kept result as if it had been made just now, with its pictures in place."""
    made_as = Path(found["output_path"])
    for ending, content in found.pop("beside").items():
        (output_path.parent / (output_path.stem + ending)).write_bytes(base64.b64decode(content))
    for picture in found.get("pictures", ()):
        ending = Path(picture["path"]).name.removeprefix(made_as.stem)
        picture["path"] = str(output_path.parent / (output_path.stem + ending))
    return found | {"output_path": str(output_path), "cached": True}
