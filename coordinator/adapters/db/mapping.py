"""Rows <-> values of the domain. The only place that knows both."""

from collections.abc import Mapping
from dataclasses import fields
from enum import Enum
from typing import Any, TypeVar

from coordinator.domain.jobs import Job, JobState
from coordinator.domain.plates import Artifact, ArtifactKind, Plate
from coordinator.domain.printers import Agent, Bed, BedState, Printer
from coordinator.domain.runs import Run, RunState
from coordinator.ports import FarmEvent
from protocols.wire.vocabulary import BedPolicy, Mode, PrinterState

Row = Mapping[str, Any]
Value = TypeVar("Value", Job, Plate, Run, Agent, Artifact, FarmEvent, Printer)

_BED = tuple(field.name for field in fields(Bed))


def to_row(value: Job | Plate | Run | Agent | Artifact | FarmEvent) -> dict[str, Any]:
    """Return a value's columns; they are called as its fields are."""
    return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}


def printer_to_row(printer: Printer) -> dict[str, Any]:
    """Return a printer's columns, the bed's among them."""
    row = {
        field.name: _plain(getattr(printer, field.name))
        for field in fields(printer)
        if field.name != "bed"
    }
    return row | {f"bed_{name}": _plain(getattr(printer.bed, name)) for name in _BED}


def _plain(value: Any) -> Any:
    """Return what the database takes."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple):
        return list(value)
    return value.value if isinstance(value, Enum) else value


def job_of(row: Row) -> Job:
    """Return a job."""
    return _value(Job, row, state=JobState(row["state"]))


def plate_of(row: Row) -> Plate:
    """Return a plate."""
    return _value(Plate, row)


def run_of(row: Row) -> Run:
    """Return a run."""
    return _value(Run, row, state=RunState(row["state"]), mode=Mode(row["mode"]))


def agent_of(row: Row) -> Agent:
    """Return an agent."""
    return _value(Agent, row)


def artifact_of(row: Row) -> Artifact:
    """Return what is known of an artifact."""
    return _value(Artifact, row, kind=ArtifactKind(row["kind"]))


def event_of(row: Row) -> FarmEvent:
    """Return a line of history."""
    return _value(FarmEvent, row)


def printer_of(row: Row) -> Printer:
    """Return a printer with its bed."""
    bed = {name: row[f"bed_{name}"] for name in _BED} | {"state": BedState(row["bed_state"])}
    return _value(
        Printer,
        row,
        seen=PrinterState(row["seen"]),
        bed=Bed(**bed),
        bed_policy=BedPolicy(row["bed_policy"]),
        staged=tuple(row["staged"]),
    )


def _value(wanted: type[Value], row: Row, **given: Any) -> Value:
    """Return a value from the columns of its fields, but for those fields that are given."""
    names = [field.name for field in fields(wanted) if field.name not in given]
    return wanted(**{name: row[name] for name in names}, **given)
