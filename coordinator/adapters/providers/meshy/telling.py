"""What Meshy tells of a task, as a look."""

from collections.abc import Mapping
from typing import Any

from coordinator.adapters.providers.blaming import clean, number_of
from coordinator.domain.history import Plain
from coordinator.domain.providing import Blame, Cost, Look, Phase, Piece, ProviderFault

UNIT = "credits"
_PHASES = {
    "PENDING": Phase.QUEUED,
    "IN_PROGRESS": Phase.RUNNING,
    "SUCCEEDED": Phase.SUCCEEDED,
    "FAILED": Phase.FAILED,
    "CANCELED": Phase.CANCELLED,
}
_MESHES = ("3mf", "stl", "obj", "glb", "fbx")  # best for printing first
# An analysis tells of some ten things.
_REPORT_ROWS_MAX = 40
_BLAMED = {
    "moderation_blocked": Blame.CONTENT_BLOCKED,
    "invalid_input": Blame.INVALID_INPUT,
    "image_too_complex": Blame.INVALID_INPUT,
    "model_missing_uv": Blame.INVALID_INPUT,
    "model_insufficient_uv": Blame.INVALID_INPUT,
}


def look_of(task: Mapping[str, Any], service_model: str) -> Look:
    """Return what a task's object says; keys that are not there are left out by Meshy."""
    phase = _PHASES.get(str(task.get("status")), Phase.UNKNOWN)
    done = phase is Phase.SUCCEEDED
    percent, ahead = number_of(task.get("progress")), task.get("preceding_tasks")
    used = number_of(task.get("consumed_credits"))
    return Look(
        phase=phase,
        progress=None if percent is None else min(max(float(percent) / 100, 0.0), 1.0),
        queue_position=ahead if phase is Phase.QUEUED and isinstance(ahead, int) else None,
        pieces=_pieces(task) if done else (),
        fault=_failure(task) if phase is Phase.FAILED else None,
        charged=None if used is None else Cost(amount=used, unit=UNIT, exact=True),
        told=_told(task, service_model) if done else {},
        said=_printability(task) if done else "",
    )


def balance_of(document: Mapping[str, Any]) -> Cost | None:
    """Return the credits that are left."""
    left = number_of(document.get("balance"))
    return None if left is None else Cost(amount=left, unit=UNIT, exact=True)


def _pieces(task: Mapping[str, Any]) -> tuple[Piece, ...]:
    urls = task.get("model_urls")
    found = urls if isinstance(urls, dict) else {}
    meshes = [
        Piece(role="mesh", name=f"model.{name}", suffix=f".{name}", url=found[name])
        for name in _MESHES
        if isinstance(found.get(name), str) and found[name]
    ]
    drawn = task.get("thumbnail_url")
    if isinstance(drawn, str) and drawn:
        meshes.append(Piece(role="picture", name="thumbnail.png", suffix=".png", url=drawn))
    return tuple(meshes)


def _failure(task: Mapping[str, Any]) -> ProviderFault:
    told = task.get("task_error")
    error = told if isinstance(told, dict) else {}
    code = str(error.get("code") or error.get("type") or "failed")
    kind = str(error.get("type") or "")
    words = clean(str(error.get("message") or "")) or "it does not say why"
    blame = _BLAMED.get(code) or _BLAMED.get(kind) or Blame.PROVIDER_FAILED
    return ProviderFault(blame, clean(code)[:80], f"Meshy could not make it: {words}")


def _told(task: Mapping[str, Any], service_model: str) -> dict[str, Plain]:
    told: dict[str, Plain] = {"service_model": service_model} if service_model else {}
    found = task.get("printability")
    if isinstance(found, dict):
        metrics = found.get("metrics")
        rows = {**found, **(metrics if isinstance(metrics, dict) else {})}
        told["report"] = {
            clean(str(name))[:80]: clean(value)[:200] if isinstance(value, str) else value
            for name, value in list(rows.items())[:_REPORT_ROWS_MAX]
            if isinstance(value, str | int | float | bool) and not str(name).startswith("_")
        }
    return told


def _printability(task: Mapping[str, Any]) -> str:
    """Return what its analysis found, for a person; empty where the task is none."""
    found = task.get("printability")
    if not isinstance(found, dict):
        return ""
    measured = found.get("metrics")
    facts = measured if isinstance(measured, dict) else {}
    listed = ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in facts.items())
    return clean(f"{found.get('status', 'unknown')}; {listed}")
