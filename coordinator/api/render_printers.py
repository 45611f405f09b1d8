"""Printers, as JSON: pure functions from views to documents; see `render.py`."""

from collections.abc import Mapping

from coordinator.api.documents import (
    BedDocument,
    FindingDocument,
    HostDocument,
    LiveDocument,
    NamedJobDocument,
    NowDocument,
    PrinterDocument,
    StagedDocument,
    StandingDocument,
    TemperatureDocument,
)
from coordinator.api.render import moment, moment_or_null, run_document
from coordinator.domain.jobs import Job
from coordinator.domain.printers import Printer
from coordinator.domain.runs import RunState
from coordinator.usecases.live import Sample
from coordinator.usecases.reading import PrinterView, StagedRun
from protocols.wire.from_agent import HostSample
from protocols.wire.vocabulary import UNTUNED, Finding, Temperature


def printer_document(view: PrinterView) -> PrinterDocument:
    """Return a printer with what it does now."""
    return {**standing_document(view), **now_document(view)}


def standing_document(view: PrinterView) -> StandingDocument:
    """Return what is written of a printer."""
    printer = view.printer
    return {
        "id": printer.printer_id,
        "agent_id": printer.agent_id,
        "name": printer.name,
        "printer_class": printer.printer_class,
        "driver": printer.driver,
        "material": printer.material,
        "spool_id": printer.spool_id or None,
        "printer_group": printer.printer_group,
        "tags": list(printer.tags),
        "location": printer.location,
        "notes": printer.notes,
        "status": view.status,
        "seen": printer.seen,
        "message": printer.message,
        "online": printer.online,
        "foreign": printer.foreign,
        "in_service": printer.in_service,
        "quarantine": printer.quarantine,
        "since": moment_or_null(printer.since),
        "can_pause": printer.can_pause,
        "epoch": printer.epoch,
        "bed": _bed_document(printer),
        "staged": [staged_document(each) for each in view.staged],
        "run": run_document(view.run) if view.run is not None else None,
        "job": named_job_document(view.job) if view.job is not None else None,
    }


def now_document(view: PrinterView) -> NowDocument:
    """Return what is true of a printer only now."""
    return {
        "waits_for": view.waits_for,
        "away": view.away,
        "live": live_document(view.sample) if view.sample is not None else None,
        "host": host_document(view.host) if view.host is not None else None,
        "findings": [
            *(finding_document(finding, "printer") for finding in view.findings),
            *(finding_document(finding, "host") for finding in _findings_of(view.host)),
        ],
        "commands": list(view.commands),
    }


def named_job_document(job: Job) -> NamedJobDocument:
    """Return the job that a printer works for."""
    return {"id": job.job_id, "name": job.name, "held": job.held}


def host_document(host: HostSample) -> HostDocument:
    """Return the machine beside a printer. Null: everything that it does not tell."""
    return {
        "under_voltage": host.under_voltage,
        "under_voltage_seen": host.under_voltage_seen,
        "throttled": host.throttled,
        "throttled_seen": host.throttled_seen,
        "cpu_celsius": None if host.cpu_celsius is None else round(host.cpu_celsius, 1),
        "disk_free_bytes": host.disk_free_bytes,
        "memory_free_bytes": host.memory_free_bytes,
        "load_ratio": host.load,
    }


def _findings_of(host: HostSample | None) -> tuple[Finding, ...]:
    return host.findings if host is not None else ()


def finding_document(finding: Finding, about: str) -> FindingDocument:
    """Return one thing that is wrong now; it is about the `printer`, or about its `host`."""
    return {
        "about": about,
        "rule": finding.rule,
        "level": finding.level,
        "words": finding.words,
        "evidence": dict(finding.evidence),
    }


def staged_document(staged: StagedRun) -> StagedDocument:
    """Return a run that a printer holds in advance; `permitted`: it may start unheard."""
    return {
        "run": run_document(staged.run),
        "job": named_job_document(staged.job),
        "permitted": staged.run.state is RunState.PERMITTED,
    }


def _bed_document(printer: Printer) -> BedDocument:
    """Return the bed. Null: `changed_at` where nobody said anything of it yet."""
    bed = printer.bed
    return {
        "policy": printer.bed_policy,
        "state": bed.state,
        "changed_by": bed.changed_by,
        "changed_at": moment_or_null(bed.changed_at),
    }


def live_document(sample: Sample) -> LiveDocument:
    """Return what a printer last said of itself. Null: what it can't tell."""
    printer, tuning = sample.printer, sample.printer.tuning or UNTUNED
    return {
        "seen_at": moment(sample.seen_at),
        "state": printer.state,
        "run_id": printer.run_id,
        "temperatures": temperature_documents(printer.temperatures),
        "line": printer.line,
        "line_count": printer.line_count,
        "layer": printer.layer,
        "layer_count": printer.layer_count,
        "progress_ratio": round(printer.progress, 4),
        "remaining_s": None if printer.remaining_s is None else round(printer.remaining_s, 1),
        "fan_ratio": tuning.fan_ratio,
        "speed_ratio": tuning.speed_ratio,
        "flow_ratio": tuning.flow_ratio,
        "fan_rpm": tuning.fan_rpm,
        "hotend_fan_rpm": tuning.hotend_fan_rpm,
    }


def temperature_documents(
    temperatures: Mapping[str, Temperature],
) -> dict[str, TemperatureDocument]:
    """Return readings by sensor. Null: `target_celsius` where it is unknown; 0 is off."""
    return {
        sensor: {
            "actual_celsius": round(reading.actual_celsius, 1),
            "target_celsius": reading.target_celsius,
        }
        for sensor, reading in temperatures.items()
    }
