"""What fal tells of a task: the file that a model gave, or why it gave none."""

import json
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from coordinator.adapters.providers.blaming import Reply, Spoken, clean
from coordinator.adapters.providers.fal.models import Model
from coordinator.domain.providing import Blame, Piece, ProviderFault

# Best for printing first; `model_urls` has several of them.
_MESHES = (".3mf", ".stl", ".obj", ".glb", ".ply", ".fbx")
_SUFFIXES = {
    "model/stl": ".stl",
    "model/obj": ".obj",
    "model/3mf": ".3mf",
    "model/gltf-binary": ".glb",
}
_PICTURES = ("thumbnail", "rendered_image")
_INPUT = ("image_", "file_", "unsupported_", "missing", "value_error", "face_detection_error")
CANCELLED = ("client_cancelled", "cancelled")


def pieces_of(model: Model, output: Mapping[str, Any]) -> tuple[Piece, ...]:
    """Return the files of a model's output."""
    meshes: dict[str, Piece] = {}
    for name in model.gives:
        for key, file in _files(output.get(name)):
            suffix = _suffix(file, key)
            if suffix in _MESHES and file["url"] not in meshes:
                meshes[file["url"]] = Piece(
                    role="mesh", name=f"model{suffix}", suffix=suffix, url=file["url"]
                )
    pictures = [
        Piece(role="picture", name="picture", suffix=_suffix(file, "") or ".png", url=file["url"])
        for name in _PICTURES
        for _, file in _files(output.get(name))
    ]
    ordered = sorted(meshes.values(), key=lambda piece: _MESHES.index(piece.suffix))
    return (*ordered, *pictures)


def read(reply: Reply) -> Spoken:
    """Read a fault: `detail` is a text, or a list of what is wrong with the input."""
    try:
        found = json.loads(reply.body)
    except (ValueError, RecursionError):
        found = {}
    document = found if isinstance(found, dict) else {}
    detail = document.get("detail", document.get("error", document.get("message", "")))
    code = document.get("error_type") or reply.headers.get("x-fal-error-type", "")
    place = ""
    if isinstance(detail, list):
        first = detail[0] if detail and isinstance(detail[0], dict) else {}
        code = first.get("type") or code
        where = first.get("loc")
        place = str(where[-1]) if isinstance(where, list) and where else ""
        detail = first.get("msg", "")
    words = detail if isinstance(detail, str) else ""
    code = code if isinstance(code, str) else ""
    return Spoken(blame=_blame(reply, code, words), code=code, message=words, field=place)


def failure_of(status: int, spoken: Spoken, again: str = "") -> ProviderFault:
    """Return why a task that has ended gave nothing.

    Args:
        again: what `x-fal-retryable` says: `true` or `false`; it knows better than the status.
    """
    blame = spoken.blame
    if blame is not Blame.CONTENT_BLOCKED and again in ("true", "false"):
        blame = Blame.PROVIDER_FAILED if again == "true" else Blame.INVALID_INPUT
    elif blame not in (Blame.CONTENT_BLOCKED, Blame.INVALID_INPUT):
        refused = 400 <= status < 500 and status not in (408, 409, 425, 429, 499)
        blame = Blame.INVALID_INPUT if refused else Blame.PROVIDER_FAILED
    words = clean(spoken.message) or f"the model answered {status}"
    code = clean(spoken.code)[:80] or f"http_{status}"
    return ProviderFault(blame, code, f"fal could not make it: {words}", field=spoken.field)


def _blame(reply: Reply, code: str, words: str) -> Blame | None:
    if code == "content_policy_violation":
        return Blame.CONTENT_BLOCKED
    if reply.status == 403 and ("balance" in words.lower() or "locked" in words.lower()):
        return Blame.QUOTA
    if code.startswith(_INPUT) and 400 <= reply.status < 500:
        return Blame.INVALID_INPUT
    return None


def _files(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the files in a value: one itself, or several by name."""
    if not isinstance(value, dict):
        return
    if isinstance(value.get("url"), str) and value["url"]:
        yield "", value
        return
    for key, inner in value.items():
        if isinstance(inner, dict) and isinstance(inner.get("url"), str) and inner["url"]:
            yield str(key), inner


def _suffix(file: Mapping[str, Any], key: str) -> str:
    """Return the suffix of a file by its name, its address, its type, or what it is called."""
    try:
        path = urlsplit(file["url"]).path
    except ValueError:
        path = ""
    for told in (file.get("file_name"), path):
        if isinstance(told, str) and (suffix := PurePosixPath(told).suffix.lower()):
            return suffix
    kind = str(file.get("content_type") or "").partition(";")[0].strip().lower()
    return _SUFFIXES.get(kind, f".{key.lower()}" if key else "")
