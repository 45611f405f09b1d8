"""A printer as the coordinator knows it, and what may be said of it.

Its state is derived, not stored: being offline, holding a lease, having an occupied bed and being
in service are separate facts that come and go on their own. `STATUS` tells which one presses most.

The bed is a machine. It is CLEAR only because somebody declared it so, and only up to what they
saw: whatever comes onto it later occupies it, and an agent with a new memory makes it UNKNOWN.
CLEARING is a claim, "I am at it", by a person or by a printer's own ejection routine; a claim that
nobody makes good in time falls back to OCCUPIED.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from coordinator.domain.effects import Effects, Note, Save, Say
from coordinator.domain.machine import Machine
from coordinator.domain.runs import Run
from protocols.wire.vocabulary import (
    NEVER_LEASED,
    AgentId,
    BedPolicy,
    Epoch,
    JournalId,
    PrinterId,
    PrinterState,
    RunId,
)


class BedState(StrEnum):
    """What lies on the bed. Nothing starts unless it is CLEAR."""

    UNKNOWN = "unknown"
    OCCUPIED = "occupied"
    CLEARING = "clearing"
    CLEAR = "clear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bed:
    """The bed, and who said so.

    Attributes:
        journal_id: the agent's memory that `occupation` counts in.
        occupation: the agent's count of things that came onto the bed, as last reported.
        cleared: the occupation up to which it was declared clear, None where it never was.
    """

    state: BedState = BedState.UNKNOWN
    journal_id: JournalId | None = None
    occupation: int = 0
    cleared: int | None = None
    changed_by: str = ""
    changed_at: datetime | None = None


class PrinterStatus(StrEnum):
    """What a printer is to the farm, the most pressing fact first."""

    IN_SERVICE = "in_service"
    OFFLINE = "offline"
    FAULTED = "faulted"
    BUSY = "busy"
    RESERVED = "reserved"
    NEEDS_CLEARING = "needs_clearing"
    IDLE = "idle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Printer:
    """One printer.

    Attributes:
        printer_id: unique in the farm, whichever agent it hangs on.
        material: what it holds, as its agent's configuration or a person last said; while a spool
            is loaded, what is on that.
        spool_id: the spool that its first tool draws from; empty where nobody said.
        printer_group: what it belongs to, as people have it: `lab`; empty where it is in none.
        tags: what jobs may ask for: `enclosed`; sorted, in lower case.
        location, notes: for people.
        online: its agent is connected.
        seen: what its driver sees.
        foreign: it prints something that no agent of ours started.
        in_service: a person took it out of the farm's hands.
        bed_policy: who empties its bed.
        epoch: number of the last lease that was given; `revision` of its last desired document.
        run_id: the run whose turn it is, None where there is none.
        staged: the runs that hold leases in advance, in the order of their epochs.
        journal_id: the agent's memory whose events are applied, up to `events_applied`.
        quarantine: why nothing is leased to it; empty where all is well.
        since: when any of `online`, `seen`, `foreign`, `in_service` and `quarantine` last changed;
            None where that was before anybody wrote it down. `dated` alone sets it.
        retired_at: since when it is no printer of the farm any more; None while it is.
    """

    printer_id: PrinterId
    agent_id: AgentId
    name: str
    printer_class: str
    driver: str
    material: str = ""
    spool_id: str = ""
    printer_group: str = ""
    tags: tuple[str, ...] = ()
    location: str = ""
    notes: str = ""
    can_pause: bool = True
    online: bool = False
    seen: PrinterState = PrinterState.OFFLINE
    message: str = ""
    foreign: bool = False
    in_service: bool = False
    bed: Bed = Bed()
    bed_policy: BedPolicy = BedPolicy.ATTENDED
    epoch: Epoch = NEVER_LEASED
    revision: int = 0
    run_id: RunId | None = None
    staged: tuple[RunId, ...] = ()
    journal_id: JournalId | None = None
    events_applied: int = 0
    quarantine: str = ""
    since: datetime | None = None
    retired_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """An agent, as it last presented itself; `retired_at` is as a printer's."""

    agent_id: AgentId
    online: bool
    boot_id: str
    connection_id: str
    journal_id: JournalId
    build: str = ""
    seen_at: datetime
    retired_at: datetime | None = None


class BedEvent(StrEnum):
    """What moves a bed."""

    OCCUPY = "occupy"
    CLAIM = "claim"  # somebody is at it
    ABANDON = "abandon"  # nobody is any more, and did not say that it is clear
    DECLARE_CLEAR = "declare_clear"
    FORGET = "forget"  # a new memory counts from nought: what lies there is not known


BED = Machine(
    "bed",
    BedState.UNKNOWN,
    {
        (state, event): target
        for event, target in (
            (BedEvent.OCCUPY, BedState.OCCUPIED),
            (BedEvent.CLAIM, BedState.CLEARING),
            (BedEvent.DECLARE_CLEAR, BedState.CLEAR),
            (BedEvent.FORGET, BedState.UNKNOWN),
        )
        for state in BedState
    }
    | {(BedState.CLEARING, BedEvent.ABANDON): BedState.OCCUPIED},
)

# The first claim that holds names the status; the order is what a person must know first.
STATUS: tuple[tuple[PrinterStatus, Callable[[Printer, Run | None], bool]], ...] = (
    (PrinterStatus.IN_SERVICE, lambda printer, run: printer.in_service),
    (
        PrinterStatus.OFFLINE,
        lambda printer, run: not printer.online or printer.seen is PrinterState.OFFLINE,
    ),
    (
        PrinterStatus.FAULTED,
        lambda printer, run: bool(printer.quarantine) or printer.seen is PrinterState.HALTED,
    ),
    (
        PrinterStatus.BUSY,
        lambda printer, run: (
            printer.foreign
            or (run is not None and run.started)
            or printer.seen in (PrinterState.PRINTING, PrinterState.PAUSED)
        ),
    ),
    (PrinterStatus.FAULTED, lambda printer, run: printer.seen is PrinterState.ATTENTION),
    (PrinterStatus.RESERVED, lambda printer, run: run is not None and run.live),
    (PrinterStatus.NEEDS_CLEARING, lambda printer, run: printer.bed.state is not BedState.CLEAR),
    (PrinterStatus.IDLE, lambda printer, run: True),
)


def status_of(printer: Printer, run: Run | None) -> PrinterStatus:
    """Return what the printer is to the farm; `run` is the one that holds its lease."""
    return next(status for status, holds in STATUS if holds(printer, run))


def dated(printer: Printer, known: Printer | None, now: datetime) -> Printer:
    """Return the printer with the time since when it is what it is.

    Args:
        known: as it was before; None for a new one.
    """
    same = known is not None and _standing(known) == _standing(printer)
    since = known.since if known is not None and same else now
    return printer if printer.since == since else replace(printer, since=since)


def _standing(printer: Printer) -> tuple[object, ...]:
    in_service, quarantine = printer.in_service, printer.quarantine
    return (printer.online, printer.seen, printer.foreign, in_service, quarantine)


def occupied(printer: Printer, now: datetime, *, occupation: int, by: str) -> Printer:
    """Return the printer with something on its bed; the count never falls."""
    return _bed(
        printer,
        BedEvent.OCCUPY,
        now,
        by=by,
        journal_id=printer.journal_id,
        occupation=max(occupation, printer.bed.occupation),
        cleared=printer.bed.cleared,
    )


def cleared(printer: Printer, now: datetime, *, by: str) -> Printer:
    """Return the printer with a bed that somebody declared clear of all that is known of."""
    return _bed(
        printer,
        BedEvent.DECLARE_CLEAR,
        now,
        by=by,
        journal_id=printer.journal_id,
        occupation=printer.bed.occupation,
        cleared=printer.bed.occupation,
    )


def uncleared(printer: Printer, occupation: int) -> Printer:
    """Return the printer with nobody's word for what came onto its bed just now.

    Its agent may count it with a number that was declared clear already: two copies of a card count
    on their own.
    """
    bed = printer.bed
    if bed.cleared is None or bed.cleared < occupation:
        return printer
    return replace(printer, bed=replace(bed, cleared=occupation - 1))


def claimed(printer: Printer, now: datetime, *, by: str) -> Printer:
    """Return the printer with a bed that somebody is about to clear."""
    return _same_things(printer, BedEvent.CLAIM, now, by=by)


def abandoned(printer: Printer, now: datetime, *, by: str) -> Printer:
    """Return the printer with a bed that somebody wanted to clear, and did not."""
    return _same_things(printer, BedEvent.ABANDON, now, by=by)


def _same_things(printer: Printer, event: BedEvent, now: datetime, *, by: str) -> Printer:
    """Return the printer after something that changes no count."""
    bed = printer.bed
    return _bed(
        printer,
        event,
        now,
        by=by,
        journal_id=bed.journal_id,
        occupation=bed.occupation,
        cleared=bed.cleared,
    )


def forgotten(printer: Printer, journal_id: JournalId, now: datetime, *, by: str) -> Printer:
    """Return the printer as an agent with a new memory makes it: nothing counts any more."""
    fresh = replace(printer, journal_id=journal_id, events_applied=0)
    return _bed(
        fresh, BedEvent.FORGET, now, by=by, journal_id=journal_id, occupation=0, cleared=None
    )


def _bed(
    printer: Printer,
    event: BedEvent,
    now: datetime,
    *,
    by: str,
    journal_id: JournalId | None,
    occupation: int,
    cleared: int | None,
) -> Printer:
    return replace(
        printer,
        bed=Bed(
            state=BED.after(printer.bed.state, event),
            journal_id=journal_id,
            occupation=occupation,
            cleared=cleared,
            changed_by=by,
            changed_at=now,
        ),
    )


def say(printer: Printer) -> tuple[Printer, Effects]:
    """Return the printer with a new revision of its desired document, saved and then said."""
    revised = replace(printer, revision=printer.revision + 1)
    return revised, (Save(revised), Say(printer.printer_id))


def quarantined(printer: Printer, reason: str) -> tuple[Printer, Effects]:
    """Return the printer with nothing to be leased to it until a person looked; said once."""
    if printer.quarantine:
        return printer, ()
    held = replace(printer, quarantine=reason)
    note = Note(
        subject="printer",
        subject_id=printer.printer_id,
        name="printer.quarantined",
        cause=reason,
    )
    return held, (Save(held), note)
