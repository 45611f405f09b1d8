"""What the farm knows, as JSON: pure functions from views to documents.

Every key is always there. A key may be null only where its docstring says so. Times are RFC 3339
in UTC, ratios run from 0 to 1, and everything else with a dimension has its unit in the name.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeAlias

from coordinator.domain.estimates import Estimate
from coordinator.domain.history import Line, event_of
from coordinator.domain.plates import Plate
from coordinator.domain.printers import Printer
from coordinator.domain.runs import Run, RunState
from coordinator.usecases.auditing import Verdict
from coordinator.usecases.live import Sample
from coordinator.usecases.reading import Health, JobView, PrinterView, StagedRun, Unmade
from coordinator.usecases.waiting import Wait
from protocols.wire.from_agent import HostSample
from protocols.wire.vocabulary import Finding, Temperature

Document: TypeAlias = dict[str, object]

API_ROOT = "/api/v1"

HEALTH_PARTS = ("database", "history", "broker", "slicer")


def moment(at: datetime) -> str:
    """Return a time as RFC 3339, in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment_or_null(at: datetime | None) -> str | None:
    return moment(at) if at is not None else None


def artifact_url(sha256: str) -> str:
    """Return where an artifact is fetched, as a path."""
    return f"{API_ROOT}/artifacts/{sha256}"


def job_document(view: JobView) -> Document:
    """Return a job with its plates, runs and reasons to wait.

    `estimate`, `filament_g` and `cost` are of all copies, one after the other, by the fastest
    plate.

    Null: `model_sha256` where plates were given ready, `printer_id` where any will do,
    `preparing_ratio` where nothing is being sliced; and the three above where no plate tells.
    """
    job = view.job
    return {
        "id": job.job_id,
        "name": job.name,
        "state": job.state.value,
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
        "printer_id": job.printer_id,
        "settings": dict(job.overrides),
        "priority": job.priority,
        "retries_max": job.retries_max,
        "model_sha256": job.model_sha256,
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


def estimate_document(estimate: Estimate | None) -> Document | None:
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
        "source": estimate.source.value,
    }


def plate_document(plate: Plate, estimate: Estimate | None) -> Document:
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


def unmade_document(unmade: Unmade) -> Document:
    """Return a plate that is `wanted` or `refused`. Null: `ratio` unless it is being sliced now."""
    plate = unmade.plate
    return {
        "printer_class": plate.printer_class,
        "material": plate.material,
        "state": plate.state.value,
        "reason": plate.reason,
        "ratio": unmade.ratio,
        "stage": unmade.stage,
    }


def whole_run_document(run: Run) -> Document:
    """Return a run with the last lines between host and printer, where it ended badly.

    Null: see `run_document`.
    """
    return {**run_document(run), "dialogue": str(run.facts.get("dialogue", "")).splitlines()}


def run_document(run: Run) -> Document:
    """Return a run. Null: `started_at` and `ended_at` before they happened."""
    return {
        "id": run.run_id,
        "job_id": run.job_id,
        "printer_id": run.printer_id,
        "agent_id": run.agent_id,
        "epoch": run.epoch,
        "plate_sha256": run.plate_sha256,
        "copies": run.copies,
        "state": run.state.value,
        "mode": run.mode.value,
        "reason": run.reason,
        "line": run.line,
        "layer": run.layer,
        "facts": {name: fact for name, fact in run.facts.items() if name != "dialogue"},
        "leased_at": moment(run.leased_at),
        "started_at": _moment_or_null(run.started_at),
        "ended_at": _moment_or_null(run.ended_at),
    }


def wait_document(wait: Wait) -> Document:
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


def printer_document(view: PrinterView) -> Document:
    """Return a printer with what it does now.

    Null: `run` and `job` where it holds no lease, `live` where nothing was heard of it yet, `host`
    where the machine beside it tells nothing or is away.
    """
    printer = view.printer
    return {
        "id": printer.printer_id,
        "agent_id": printer.agent_id,
        "name": printer.name,
        "printer_class": printer.printer_class,
        "driver": printer.driver,
        "material": printer.material,
        "status": view.status.value,
        "seen": printer.seen.value,
        "message": printer.message,
        "online": printer.online,
        "foreign": printer.foreign,
        "in_service": printer.in_service,
        "quarantine": printer.quarantine,
        "waits_for": view.waits_for,
        "can_pause": printer.can_pause,
        "epoch": printer.epoch,
        "bed": _bed_document(printer),
        "staged": [staged_document(each) for each in view.staged],
        "run": run_document(view.run) if view.run is not None else None,
        "job": {"id": view.job.job_id, "name": view.job.name, "held": view.job.held}
        if view.job is not None
        else None,
        "live": live_document(view.sample) if view.sample is not None else None,
        "host": host_document(view.host) if view.host is not None else None,
        "findings": [
            *(finding_document(finding, "printer") for finding in view.findings),
            *(finding_document(finding, "host") for finding in _findings_of(view.host)),
        ],
    }


def host_document(host: HostSample) -> Document:
    """Return the machine beside a printer. Null: everything that it does not tell."""
    return {
        "under_voltage": host.under_voltage,
        "under_voltage_seen": host.under_voltage_seen,
        "throttled": host.throttled,
        "throttled_seen": host.throttled_seen,
        "cpu_celsius": host.cpu_celsius,
        "disk_free_bytes": host.disk_free_bytes,
        "memory_free_bytes": host.memory_free_bytes,
        "load_ratio": host.load,
    }


def _findings_of(host: HostSample | None) -> tuple[Finding, ...]:
    return host.findings if host is not None else ()


def finding_document(finding: Finding, about: str) -> Document:
    """Return one thing that is wrong now; it is about the `printer`, or about its `host`."""
    return {
        "about": about,
        "rule": finding.rule,
        "level": finding.level.value,
        "words": finding.words,
        "evidence": dict(finding.evidence),
    }


def staged_document(staged: StagedRun) -> Document:
    """Return a run that a printer holds in advance; `permitted`: it may start unheard."""
    return {
        "run": run_document(staged.run),
        "job": {"id": staged.job.job_id, "name": staged.job.name, "held": staged.job.held},
        "permitted": staged.run.state is RunState.PERMITTED,
    }


def _bed_document(printer: Printer) -> Document:
    """Return the bed. Null: `changed_at` where nobody said anything of it yet."""
    bed = printer.bed
    return {
        "policy": printer.bed_policy.value,
        "state": bed.state.value,
        "changed_by": bed.changed_by,
        "changed_at": _moment_or_null(bed.changed_at),
    }


def live_document(sample: Sample) -> Document:
    """Return what a printer last said of itself. Null: `remaining_s` where it can't tell."""
    printer = sample.printer
    return {
        "seen_at": moment(sample.seen_at),
        "state": printer.state.value,
        "run_id": printer.run_id,
        "temperatures": temperature_documents(printer.temperatures),
        "line": printer.line,
        "line_count": printer.line_count,
        "layer": printer.layer,
        "layer_count": printer.layer_count,
        "progress_ratio": printer.progress,
        "remaining_s": printer.remaining_s,
    }


def health_document(health: Health, *, version: str, in_words: bool) -> Document:
    """Return how the coordinator is: `ok`, `degraded` or `failing`, and so each of its parts.

    Null: `troubles` for strangers: words name places and addresses.
    """
    troubles = health.troubles
    status = "failing" if not health.ok else "degraded" if troubles else "ok"
    return {
        "status": status,
        "version": version,
        **{part: "failing" if part in troubles else "ok" for part in HEALTH_PARTS},
        "troubles": [{"part": part, "words": words} for part, words in troubles.items()]
        if in_words
        else None,
    }


def event_document(line: Line) -> Document:
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


def audit_document(verdict: Verdict) -> Document:
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
            {"code": fault.code.value, "number": fault.number, "words": fault.words}
            for fault in verdict.faults
        ],
    }


def temperature_documents(temperatures: Mapping[str, Temperature]) -> Document:
    """Return readings by sensor. Null: `target_celsius` where it is unknown; 0 is off."""
    return {
        sensor: {
            "actual_celsius": reading.actual_celsius,
            "target_celsius": reading.target_celsius,
        }
        for sensor, reading in temperatures.items()
    }
