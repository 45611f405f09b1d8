"""Maintenance of printers: what has to be done again and again, by hours printed or by days.

Theory. A task counts from when it was done last, or made. It is due once the printer has printed so
many hours since then, or so many days have passed, whichever comes first. That it is due is told,
and holds nothing up; who did it says so, and history keeps when, by whom and what they wrote.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from coordinator.domain.effects import Effects, Note, Save
from protocols.wire.vocabulary import PrinterId

DONE = "maintenance.done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """One task of maintenance on one printer.

    Attributes:
        every_h: hours of printing between two times; None where it does not go by them.
        every_days: likewise days.
        since: when it was done last; when it was made, where it never was.
        done_by: who did it last, as history names them; empty where nobody has.
        archived: it is wanted no more.
        version: grows with every change.
    """

    upkeep_id: str
    printer_id: PrinterId
    name: str
    every_h: float | None = None
    every_days: float | None = None
    since: datetime
    done_by: str = ""
    archived: bool = False
    created_at: datetime
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a task stands: hours printed and days passed since it was done last."""

    printed_h: float
    days: float
    due: bool


def standing(task: Upkeep, printed_s: float, now: datetime) -> Standing:
    """Return how a task stands; `printed_s` is what its printer printed since it was done."""
    printed_h, days = printed_s / 3600, (now - task.since).total_seconds() / 86400
    by_hours = task.every_h is not None and printed_h >= task.every_h
    by_days = task.every_days is not None and days >= task.every_days
    due = (by_hours or by_days) and not task.archived
    return Standing(printed_h=printed_h, days=days, due=due)


def done(task: Upkeep, printed_s: float, now: datetime, *, by: str, words: str) -> Effects:
    """Write down that a task was done; it counts anew."""
    fresh = replace(task, since=now, done_by=by, version=task.version + 1)
    return (Save(fresh), note(task, DONE, words, printed_s))


def note(task: Upkeep, name: str, words: str = "", printed_s: float = 0.0) -> Note:
    """Return the line of history about a task."""
    return Note(
        subject="maintenance",
        subject_id=task.upkeep_id,
        name=name,
        cause=words,
        facts={"printer_id": task.printer_id, "printed_h": round(printed_s / 3600, 2)},
    )
