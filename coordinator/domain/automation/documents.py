"""The farm as programs beside it are told it: values become documents, pure.

Every key is always there; null is what nobody knows. Who is away keeps what was known of them last:
whether that is still so stands apart (`Topics.online`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from coordinator.domain.history import Plain
from coordinator.domain.jobs import Job, JobState
from coordinator.domain.printers import Agent, BedState, Printer, PrinterStatus
from coordinator.domain.runs import Run, RunState
from protocols.wire.from_agent import HostSample, PrinterSample
from protocols.wire.vocabulary import UNTUNED, Finding, Level, Mode, PrinterState, Tuning

Document = dict[str, Plain]

# Longer texts are no states for Home Assistant.
TEXT_CHARACTERS_MAX = 250

# What moves less than this is not told anew: sensors flicker, and forecasts waver.
CELSIUS_STEP = 0.5
REMAINING_STEP_S = 30.0
FINISH_STEP = timedelta(seconds=60)
RPM_STEP = 200.0
HOST_CELSIUS_STEP = 1.0
LOAD_STEP = 0.1
FREE_STEP_MIB = 50.0

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class PrinterSeen:
    """A printer and all that is known of it now.

    Attributes:
        run: the one that holds its lease, with its `job`.
        sample: its last telemetry; `sampled_at` is when that came; None before the first.
        findings: what is wrong with it now.
    """

    printer: Printer
    status: PrinterStatus
    run: Run | None = None
    job: Job | None = None
    sample: PrinterSample | None = None
    sampled_at: datetime | None = None
    waits_for: str = ""
    findings: Sequence[Finding] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FarmSeen:
    """The farm in figures: printers by status, jobs by state, and what is wrong with its parts."""

    version: str
    printers: Mapping[PrinterStatus, int]
    jobs: Mapping[JobState, int]
    troubles: Mapping[str, str]


def reachable(printer: Printer) -> bool:
    """Whether what is told of a printer is so now: its agent is there, and sees it."""
    return printer.online and printer.seen is not PrinterState.OFFLINE


def printer_document(seen: PrinterSeen) -> Document:
    """Return what a printer is and does, but for what is measured.

    Null: `job` and `run` where none holds it, `started_at` of a run that did not start.
    """
    printer, run, job = seen.printer, seen.run, seen.job
    return {
        "id": printer.printer_id,
        "name": printer.name,
        "agent_id": printer.agent_id,
        "printer_class": printer.printer_class,
        "driver": printer.driver,
        "printer_group": printer.printer_group,
        "tags": list(printer.tags),
        "location": printer.location,
        "material": printer.material,
        "spool_id": printer.spool_id,
        "status": seen.status.value,
        "seen": printer.seen.value,
        "printing": is_printing(seen),
        "paused": is_paused(seen),
        "needs_attention": needs_attention(seen),
        "message": short(printer.message),
        "error": error_of(seen),
        "waits_for": short(seen.waits_for),
        "bed": printer.bed.state.value,
        "bed_occupied": printer.bed.state is not BedState.CLEAR,
        "in_service": printer.in_service,
        "foreign": printer.foreign,
        "job": None
        if job is None
        else {"id": job.job_id, "name": short(job.name), "copies": job.copies, "held": job.held},
        "run": None
        if run is None
        else {
            "id": run.run_id,
            "state": run.state.value,
            "started_at": None if run.started_at is None else moment(run.started_at),
        },
    }


def live_document(seen: PrinterSeen, before: Document | None) -> Document | None:
    """Return what was measured of a printer; None where nothing was that holds.

    An agent that has just begun again does not know yet how far its run is, nor a driver without
    its printer how warm that is: what was told before stays, so that nobody takes it for an end.

    Args:
        before: what was told last; what moved by less than its step stays as it was told.

    Null: `remaining_s` and `finish_at` where nothing prints or nobody can tell; `layer` likewise;
    a heater's `target` where it is unknown; `fan`, `speed` and `flow`, in percent, likewise.
    """
    sample = seen.sample
    if sample is None or seen.sampled_at is None or sample.state is PrinterState.OFFLINE:
        return None
    known = before or {}
    temperatures = _temperatures(sample, known.get("temperatures"))
    if _is_behind(sample, seen.run):
        return {**before, "temperatures": temperatures} if before is not None else None
    # What an agent of ours did not start has no run, and prints all the same.
    prints = sample.state in (PrinterState.PRINTING, PrinterState.PAUSED)
    printing = prints or sample.run_id is not None
    remaining_s = sample.remaining_s if printing else None
    finish_at = None
    if remaining_s is not None:
        finish_at = seen.sampled_at + timedelta(seconds=remaining_s)
    return {
        "progress": round(sample.progress * 100, 1) if printing else None,
        "remaining_s": _steady(remaining_s, known.get("remaining_s"), REMAINING_STEP_S),
        "finish_at": _steady_moment(finish_at, known.get("finish_at")),
        "layer": sample.layer if printing and sample.layer_count else None,
        "layer_count": sample.layer_count if printing and sample.layer_count else None,
        "temperatures": temperatures,
        **tuned_document(sample.tuning or UNTUNED, known),
    }


def _is_behind(sample: PrinterSample, run: Run | None) -> bool:
    """Whether telemetry knows nothing yet of a run that prints."""
    if run is None or not run.started:
        return False
    return sample.run_id != run.run_id or not (sample.progress or sample.line)


def _temperatures(sample: PrinterSample, before: Plain) -> Document:
    known = before if isinstance(before, dict) else {}
    told: Document = {}
    for heater, reading in sample.temperatures.items():
        last = known.get(heater)
        was = last.get("actual") if isinstance(last, dict) else None
        told[heater] = {
            "actual": _steady(round(reading.actual_celsius, 1), was, CELSIUS_STEP),
            "target": reading.target_celsius,
        }
    return told


def tuned_document(tuning: Tuning, before: Mapping[str, Plain] = {}) -> Document:
    """Return fan, speed and flow in percent, and turns a minute; null is what nobody knows."""
    percents = {"fan": tuning.fan_ratio, "speed": tuning.speed_ratio, "flow": tuning.flow_ratio}
    told: Document = {
        name: None if ratio is None else round(ratio * 100, 1) for name, ratio in percents.items()
    }
    turning = {"fan_rpm": tuning.fan_rpm, "hotend_fan_rpm": tuning.hotend_fan_rpm}
    for name, rpm in turning.items():
        # That one stands still is no matter of steps.
        told[name] = _steady(rpm, before.get(name), RPM_STEP) if rpm else rpm
    return told


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateSeen:
    """What an agent could be updated to, and how that goes.

    Attributes:
        latest: the newest release that the farm has; empty where it has none. `words`: what is new.
        going: it is being brought a release now; `said` is how that goes or went, in words.
    """

    latest: str = ""
    words: str = ""
    going: bool = False
    said: str = ""


def agent_document(
    agent: Agent, host: HostSample | None, *, draining: bool, update: UpdateSeen | None = None
) -> Document:
    """Return what an agent is; null is what its machine does not tell. Memory and disk in MiB.

    Null: `latest_version` where the farm has no release.
    """
    host, update = host or HostSample(), update or UpdateSeen()
    return {
        "id": agent.agent_id,
        "version": agent.build,
        "latest_version": update.latest or None,
        "release_words": short(update.words),
        "updating": update.going,
        "update_words": short(update.said),
        "draining": draining,
        "seen_at": moment(agent.seen_at),
        "cpu_celsius": None if host.cpu_celsius is None else round(host.cpu_celsius, 1),
        "load": None if host.load is None else round(host.load, 2),
        "disk_free_mib": None if host.disk_free_bytes is None else host.disk_free_bytes // _MIB,
        "memory_free_mib": (
            None if host.memory_free_bytes is None else host.memory_free_bytes // _MIB
        ),
        "under_voltage": host.under_voltage,
        "throttled": host.throttled,
        "findings": [each.words for each in host.findings],
    }


_AGENT_STEPS = {
    "cpu_celsius": HOST_CELSIUS_STEP,
    "load": LOAD_STEP,
    "disk_free_mib": FREE_STEP_MIB,
    "memory_free_mib": FREE_STEP_MIB,
}


# What only the machine beside the printers can tell.
OF_MACHINE = (*_AGENT_STEPS, "under_voltage", "throttled", "findings")


def steady_agent(document: Document, before: Document | None) -> Document:
    """Return an agent's document with what moved by less than its step as it was told last."""
    if before is None:
        return document
    steady: Document = {}
    for name, step in _AGENT_STEPS.items():
        value = document[name]
        number = value if isinstance(value, int | float) else None
        steady[name] = _steady(number, before.get(name), step)
    calm = {**document, **steady}
    if {**calm, "seen_at": ""} == {**before, "seen_at": ""}:
        return before  # that it was seen again is no news
    return calm


def farm_document(seen: FarmSeen) -> Document:
    """Return the farm in figures."""
    return {
        "version": seen.version,
        "printers": {status.value: seen.printers.get(status, 0) for status in PrinterStatus},
        "printer_count": sum(seen.printers.values()),
        "jobs": {state.value: seen.jobs.get(state, 0) for state in JobState},
        "jobs_waiting": sum(
            seen.jobs.get(state, 0)
            for state in (JobState.RECEIVED, JobState.PREPARING, JobState.READY)
        ),
        "troubles": {part: short(words) for part, words in seen.troubles.items() if words},
        "trouble": short("; ".join(words for words in seen.troubles.values() if words)),
    }


def is_printing(seen: PrinterSeen) -> bool:
    """Whether a plate is being printed: by what was heard last, also while the agent is away."""
    if seen.run is not None and seen.run.started:
        return seen.run.state is RunState.PRINTING
    return seen.printer.seen is PrinterState.PRINTING


def is_paused(seen: PrinterSeen) -> bool:
    """Whether what prints is paused."""
    if seen.run is not None and seen.run.started:
        return seen.run.state is RunState.PAUSED
    return seen.printer.seen is PrinterState.PAUSED


def needs_attention(seen: PrinterSeen) -> bool:
    """Whether a person has to go there, for more than to clear the bed."""
    return bool(error_of(seen)) and not seen.printer.in_service


def error_of(seen: PrinterSeen) -> str:
    """Return what is wrong, in words; empty where nothing is."""
    printer, run = seen.printer, seen.run
    words = [printer.quarantine]
    if printer.seen in (PrinterState.HALTED, PrinterState.ATTENTION):
        words.append(printer.message or f"it is {printer.seen.value}")
    if run is not None and run.state is RunState.PAUSED and run.mode is Mode.RUN:
        words.append(f"paused by itself: {run.reason}" if run.reason else "paused by itself")
    words += [each.words for each in seen.findings if each.level is Level.ALARM]
    return short("; ".join(dict.fromkeys(word for word in words if word)))


def short(text: str) -> str:
    """Return a text as one line that fits into a state."""
    line = " ".join(text.split())
    return line if len(line) <= TEXT_CHARACTERS_MAX else line[: TEXT_CHARACTERS_MAX - 1] + "…"


def moment(at: datetime) -> str:
    """Return a time as RFC 3339, in UTC, to the second."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def packed(document: Mapping[str, Plain]) -> bytes:
    """Return a document's bytes."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _steady(value: float | None, before: Plain, step: float) -> float | None:
    """Return a value, or the one before where it hardly moved."""
    if value is None or isinstance(before, bool) or not isinstance(before, int | float):
        return value
    return before if abs(value - before) < step else value


def _steady_moment(at: datetime | None, before: Plain) -> str | None:
    if at is None:
        return None
    if isinstance(before, str) and abs(datetime.fromisoformat(before) - at) < FINISH_STEP:
        return before
    return moment(at)
