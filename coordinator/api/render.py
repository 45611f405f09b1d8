"""What the farm knows, as JSON: pure functions from views to documents; printers stand in a file
of their own.

Their shapes, and what may be null in them, stand in `documents.py` and `documents_farm.py`.
"""

from datetime import UTC, datetime

from coordinator.api.documents import (
    EstimateDocument,
    JobDocument,
    PlateDocument,
    RunDocument,
    TurnDocument,
    UnmadeDocument,
    WaitDocument,
    WholeRunDocument,
)
from coordinator.api.documents_farm import AuditDocument, EventDocument
from coordinator.domain.estimates import Estimate
from coordinator.domain.history import Line, event_of
from coordinator.domain.jobs import Job
from coordinator.domain.plates import Plate
from coordinator.domain.runs import Run
from coordinator.usecases.auditing import Verdict
from coordinator.usecases.reading import JobView, Unmade
from coordinator.usecases.waiting import Wait

API_ROOT = "/api/v1"


def moment(at: datetime) -> str:
    """Return a time as RFC 3339, in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment_or_null(at: datetime | None) -> str | None:
    """Return a time as `moment` does, None for none."""
    return moment(at) if at is not None else None


def turn_document(job: Job) -> TurnDocument:
    """Return by what a job is served among those of its priority."""
    due_at, at = job.turn
    turn_at = at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return {"turn_due_at": moment_or_null(due_at), "turn_at": turn_at}


def artifact_url(sha256: str) -> str:
    """Return where an artifact is fetched, as a path."""
    return f"{API_ROOT}/artifacts/{sha256}"


def job_document(view: JobView) -> JobDocument:
    """Return a job with its plates, runs and reasons to wait.

    `estimate`, `filament_g` and `cost` are of all copies, one after the other, by the fastest
    plate.

    Null: as `JobDocument` says.
    """
    job = view.job
    return {
        "id": job.job_id,
        "name": job.name,
        "state": job.state,
        "reason": job.reason,
        "held": job.held,
        "owner": job.owner,
        "approved": job.approved,
        "copies": job.copies,
        "copies_per_plate": job.copies_per_plate,
        "copies_finished": view.copies_finished,
        "copies_live": view.copies_live,
        "preparing_ratio": view.preparing,
        "material": job.material,
        "quality": job.quality,
        "printer_class": job.printer_class,
        "printer_group": job.printer_group,
        "printer_tags": list(job.printer_tags),
        "printer_id": job.printer_id,
        "settings": dict(job.overrides),
        "priority": job.priority,
        "due_at": moment_or_null(job.due_at),
        **turn_document(job),
        "late": view.late,
        "warnings": list(view.warnings),
        "retries_max": job.retries_max,
        "model_sha256": job.model_sha256,
        "model_id": job.model_id or None,
        "model_version": job.model_version or None,
        "estimate": estimate_document(view.demand.estimate),
        "filament_g": view.demand.filament_g,
        "cost": view.demand.cost,
        "plates": [
            plate_document(plate, estimate)
            for plate, estimate in zip(view.plates, view.estimates, strict=True)
        ],
        "unmade": [unmade_document(unmade) for unmade in view.unmade],
        "runs": [run_document(run) for run in view.runs],
        "waits": [wait_document(wait) for wait in view.waits],
        "created_at": moment(job.created_at),
        "updated_at": moment(job.updated_at),
        "version": job.version,
    }


def estimate_document(estimate: Estimate | None) -> EstimateDocument | None:
    """Return how long printing takes, null where nobody knows.

    `source` tells what it rests on: past runs of the `printer` or of its `class`, or the `slicer`.
    Null: `low_s` and `high_s`, between which 8 of 10 runs lie, where only the slicer tells.
    """
    if estimate is None:
        return None
    return {
        "seconds": round(estimate.seconds, 1),
        "low_s": None if estimate.low_s is None else round(estimate.low_s, 1),
        "high_s": None if estimate.high_s is None else round(estimate.high_s, 1),
        "source": estimate.source,
    }


def plate_document(plate: Plate, estimate: Estimate | None) -> PlateDocument:
    """Return a plate, and what past runs say of its time. Null: what its file does not tell."""
    return {
        "sha256": plate.sha256,
        "url": artifact_url(plate.sha256),
        "name": plate.name,
        "size_bytes": plate.size_bytes,
        "printer_class": plate.printer_class,
        "material": plate.material,
        "copies": plate.copies,
        "time_s": plate.time_s,
        "filament_mm": plate.filament_mm,
        "estimate": estimate_document(estimate),
        "filament_g": plate.filament_g,
        "cost": plate.cost,
        "layer_count": plate.layer_count,
        "line_count": plate.line_count,
        "engine": plate.engine,
        "remarks": list(plate.remarks),
        "pictures": {shows: artifact_url(sha256) for shows, sha256 in plate.pictures.items()},
    }


def unmade_document(unmade: Unmade) -> UnmadeDocument:
    """Return a plate that is `wanted` or `refused`. Null: `ratio` unless it is being sliced now."""
    plate = unmade.plate
    return {
        "printer_class": plate.printer_class,
        "material": plate.material,
        "state": plate.state,
        "reason": plate.reason,
        "ratio": unmade.ratio,
        "stage": unmade.stage,
    }


def whole_run_document(run: Run) -> WholeRunDocument:
    """Return a run with the last lines between host and printer, where it ended badly.

    Null: see `run_document`.
    """
    return {**run_document(run), "dialogue": str(run.facts.get("dialogue", "")).splitlines()}


def run_document(run: Run) -> RunDocument:
    """Return a run. Null: `started_at` and `ended_at` before they happened."""
    return {
        "id": run.run_id,
        "job_id": run.job_id,
        "printer_id": run.printer_id,
        "agent_id": run.agent_id,
        "epoch": run.epoch,
        "plate_sha256": run.plate_sha256,
        "copies": run.copies,
        "state": run.state,
        "mode": run.mode,
        "reason": run.reason,
        "line": run.line,
        "layer": run.layer,
        "facts": {name: fact for name, fact in run.facts.items() if name != "dialogue"},
        "leased_at": moment(run.leased_at),
        "started_at": moment_or_null(run.started_at),
        "ended_at": moment_or_null(run.ended_at),
    }


def wait_document(wait: Wait) -> WaitDocument:
    """Return one reason to wait.

    Null: `printer_id` where it concerns no single printer, `estimate` of a copy there where no
    plate for it tells.
    """
    return {
        "printer_id": wait.printer_id,
        "code": wait.code,
        "words": wait.words,
        "estimate": estimate_document(wait.estimate),
    }


def event_document(line: Line) -> EventDocument:
    """Return one line of the history; `at` to the microsecond, as it was hashed.

    Null: `facts` and `changes` where somebody made them unreadable.
    """
    try:
        event = event_of(line)
    except ValueError:
        event = None
    return {
        "number": line.number,
        "at": line.at,
        "actor": line.actor,
        "origin": line.origin,
        "cause": line.cause,
        "subject": line.subject,
        "subject_id": line.subject_id,
        "name": line.name,
        "facts": event.facts if event is not None else None,
        "changes": event.changes if event is not None else None,
        "hash": line.hash,
    }


def audit_document(verdict: Verdict) -> AuditDocument:
    """Return what became of an audit.

    Null: a fault's `number` where it is about no line, `checkpoint` where nothing was archived.
    """
    return {
        "ok": not verdict.faults_count,
        "head": {"number": verdict.head.number, "hash": verdict.head.hash},
        "checkpoint": verdict.checkpoint.facts if verdict.checkpoint is not None else None,
        "rows_compared": verdict.rows_count,
        "faults_count": verdict.faults_count,
        "faults": [
            {"code": fault.code, "number": fault.number, "words": fault.words}
            for fault in verdict.faults
        ],
    }
