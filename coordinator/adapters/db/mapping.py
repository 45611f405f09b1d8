"""Rows <-> values of the domain. The only place that knows both."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from enum import Enum
from typing import Any, TypeVar

from coordinator.domain.estimates import Timing, measured_s_of
from coordinator.domain.history import Line
from coordinator.domain.jobs import Job, JobState
from coordinator.domain.plates import Artifact, ArtifactKind, Plate, PlateState
from coordinator.domain.printers import Agent, Bed, BedState, Printer
from coordinator.domain.runs import Run, RunState
from protocols.wire.vocabulary import BedPolicy, Mode, PrinterState

Row = dict[str, Any]
Value = TypeVar("Value", Job, Plate, Run, Agent, Artifact, Line, Printer)

# Looked up once: a farm reads thousands of rows a second.
_NAMES: dict[type[Any], tuple[str, ...]] = {}


def _names(kind: type[Any]) -> tuple[str, ...]:
    """Return the fields of a kind."""
    if kind not in _NAMES:
        _NAMES[kind] = tuple(field.name for field in fields(kind))
    return _NAMES[kind]


_BED = tuple((field.name, f"bed_{field.name}") for field in fields(Bed))


def to_row(value: object) -> Row:
    """Return the columns of a value of the domain; they are called as its fields are."""
    return {name: _plain(getattr(value, name)) for name in _names(type(value))}


def printer_to_row(printer: Printer) -> Row:
    """Return a printer's columns, the bed's among them."""
    row = {name: _plain(getattr(printer, name)) for name in _names(Printer) if name != "bed"}
    return row | {column: _plain(getattr(printer.bed, name)) for name, column in _BED}


def _plain(value: Any) -> Any:
    """Return what the database takes."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value


def job_of(row: Row) -> Job:
    """Return a job."""
    tags = tuple(row["printer_tags"])
    return _value(Job, row, state=JobState(row["state"]), printer_tags=tags)


def plate_of(row: Row) -> Plate:
    """Return a plate."""
    return _value(Plate, row, state=PlateState(row["state"]), remarks=tuple(row["remarks"]))


def run_of(row: Row) -> Run:
    """Return a run."""
    return _value(Run, row, state=RunState(row["state"]), mode=Mode(row["mode"]))


def timings_of(rows: Iterable[Row]) -> list[Timing]:
    """Return how long runs took, of those whose agent measured it."""
    return [
        Timing(
            printer_id=row["printer_id"],
            printer_class=row["printer_class"],
            foretold_s=row["time_s"],
            measured_s=measured_s,
        )
        for row in rows
        if (measured_s := measured_s_of(row["facts"])) is not None
    ]


def agent_of(row: Row) -> Agent:
    """Return an agent."""
    return _value(Agent, row)


def artifact_of(row: Row) -> Artifact:
    """Return what is known of an artifact."""
    return _value(Artifact, row, kind=ArtifactKind(row["kind"]))


def line_of(row: Row) -> Line:
    """Return a line of history, as it stands."""
    return _value(Line, row)


def printer_of(row: Row) -> Printer:
    """Return a printer with its bed."""
    bed = {name: row[column] for name, column in _BED} | {"state": BedState(row["bed_state"])}
    return _value(
        Printer,
        row,
        seen=PrinterState(row["seen"]),
        bed=Bed(**bed),
        bed_policy=BedPolicy(row["bed_policy"]),
        staged=tuple(row["staged"]),
        tags=tuple(row["tags"]),
    )


def _value(wanted: type[Value], row: Row, **given: Any) -> Value:
    """Return a value from the columns of its fields, but for those fields that are given."""
    own = {name: row[name] for name in _names(wanted) if name not in given}
    return wanted(**own, **given)
