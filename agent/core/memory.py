"""What an agent remembers of one printer, and how that changes.

A `Change` is the memory after something happened together with the history it makes; the journal
writes both in one transaction. Events are numbered here, without a gap.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from agent.core.observation import RunSeen
from agent.core.run import OCCUPIES, SAYS, Happened, Run, advance
from protocols.wire.from_agent import RunEvent
from protocols.wire.to_agent import Scalar
from protocols.wire.vocabulary import (
    NEVER_LEASED,
    AgentId,
    Epoch,
    EventKind,
    Finding,
    JournalId,
    Nonce,
    PrinterId,
    RunId,
    RunPhase,
)

# Somebody will ask why.
_EXPLAINED = (EventKind.FAILED, EventKind.LOST, EventKind.PAUSED)
CHAIN_BROKEN = "the run before it did not finish"


class EjectionStage(StrEnum):
    """How far the printer is with emptying its bed."""

    DUE = "due"
    BEGUN = "begun"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ejection:
    """The bed, emptied by the printer itself: of what a run left there that FINISHED."""

    occupation: int
    stage: EjectionStage = EjectionStage.DUE


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What survives a power cut, of one printer.

    Attributes:
        epoch: that of the last run that took its turn, with the `revision` of the last document
            obeyed.
        occupation: how many things have come onto the bed.
        foreign: the last of them came from somebody else and still prints.
        events_stored: number of the last event.
        run: the last one that took its turn, ended or not.
        staged: leases held in advance, in the order of their epochs; none behind a run that ended
            otherwise than FINISHED.
        staged_epoch: the highest epoch ever staged: what is not above it is not taken up again.
        ejection: the last that was due, None before the first.
        boot_id: the process that remembers; it signs its events, and is not kept.
    """

    agent_id: AgentId
    printer_id: PrinterId
    journal_id: JournalId
    epoch: Epoch = NEVER_LEASED
    revision: int = 0
    occupation: int = 0
    foreign: bool = False
    events_stored: int = 0
    run: Run | None = None
    staged: tuple[Run, ...] = ()
    staged_epoch: Epoch = NEVER_LEASED
    ejection: Ejection | None = None
    boot_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A memory and the history made on the way to it; saved together or not at all."""

    memory: Memory
    events: tuple[RunEvent, ...] = ()


def record(
    memory: Memory,
    happened: Happened,
    *,
    at: datetime,
    reason: str = "",
    nonce: Nonce | None = None,
    seen: RunSeen | None = None,
    amiss: Collection[Finding] = (),
) -> Change:
    """Return what becomes of the memory when something happens to its run.

    A run that ends otherwise than FINISHED takes with it all that was to follow.

    Args:
        memory: as it was; it holds a run.
        happened: what did.
        at: wall clock of the agent.
        reason: why, for a person.
        nonce: the fresh one, with ARMED.
        seen: how far the printer has come, for the event's facts.
        amiss: what is wrong around it; told with a bad end and with a pause.

    Raises:
        IllegalTransition: that can't happen now.
    """
    run = memory.run
    assert run is not None, "nothing happens to no run"
    after = advance(run, happened, at=at, reason=reason, nonce=nonce)
    occupation = memory.occupation + OCCUPIES.get((run.phase, happened), 0)
    changed = replace(memory, run=after, occupation=occupation)
    if after.phase is RunPhase.FINISHED:
        changed = replace(changed, ejection=Ejection(occupation=occupation))
    change = _told(changed, after, happened, at, seen, amiss)
    broken = after.phase.is_end and after.phase is not RunPhase.FINISHED
    return _give_up_all(change, at) if broken else change


def record_staged(
    memory: Memory,
    run_id: RunId,
    happened: Happened,
    *,
    at: datetime,
    reason: str = "",
    nonce: Nonce | None = None,
) -> Change:
    """Return what becomes of the memory when something happens to a staged run.

    One that ends does not stay, and neither do those behind one that can't be printed.

    Raises:
        IllegalTransition: that can't happen now.
    """
    run = next(run for run in memory.staged if run.run_id == run_id)
    after = advance(run, happened, at=at, reason=reason, nonce=nonce)
    kept = tuple(after if each is run else each for each in memory.staged)
    if after.phase.is_end:
        kept = tuple(each for each in memory.staged if each is not run)
    change = _told(replace(memory, staged=kept), after, happened, at, None, ())
    return _give_up_all(change, at) if after.phase is RunPhase.FAILED else change


def promoted(memory: Memory) -> Memory:
    """Return the memory with its first staged run in its turn."""
    run, *rest = memory.staged
    return replace(memory, run=run, epoch=run.epoch, staged=tuple(rest))


def _told(
    memory: Memory,
    run: Run,
    happened: Happened,
    at: datetime,
    seen: RunSeen | None,
    amiss: Collection[Finding],
) -> Change:
    """Return the change with its line of history, if it has one."""
    if (kind := SAYS.get(happened)) is None:
        return Change(memory=memory)
    memory = replace(memory, events_stored=memory.events_stored + 1)
    return Change(memory=memory, events=(_event(memory, run, kind, at, seen, amiss),))


def _give_up_all(change: Change, at: datetime) -> Change:
    memory, events = change.memory, change.events
    for run in memory.staged:
        more = record_staged(memory, run.run_id, Happened.WITHDRAWN, at=at, reason=CHAIN_BROKEN)
        memory, events = more.memory, (*events, *more.events)
    return Change(memory=memory, events=events)


def note_foreign(memory: Memory, printing: bool) -> Memory:
    """Return the memory when a print of somebody else is seen to begin, or to be gone.

    A beginning comes onto the bed; a foreign print that was there before a restart is the same.
    """
    began = printing and not memory.foreign
    return replace(memory, foreign=printing, occupation=memory.occupation + began)


def _event(
    memory: Memory,
    run: Run,
    kind: EventKind,
    at: datetime,
    seen: RunSeen | None,
    amiss: Collection[Finding],
) -> RunEvent:
    return RunEvent(
        agent_id=memory.agent_id,
        printer_id=memory.printer_id,
        journal_id=memory.journal_id,
        number=memory.events_stored,
        epoch=run.epoch,
        run_id=run.run_id,
        job_id=run.job_id,
        event=kind,
        at=at,
        line=seen.line if seen else 0,
        layer=seen.layer if seen else 0,
        occupation=memory.occupation,
        reason=run.reason,
        facts=_facts(run, at, seen) | (_circumstances(seen, amiss) if kind in _EXPLAINED else {}),
        boot_id=memory.boot_id,
    )


def _circumstances(seen: RunSeen | None, amiss: Collection[Finding]) -> dict[str, Scalar]:
    """Return what whoever has to settle or to mend it wants to see."""
    facts: dict[str, Scalar] = {}
    if seen is not None and seen.evidence:
        facts["dialogue"] = "\n".join(seen.evidence)
    if amiss:
        facts["amiss"] = "; ".join(finding.words for finding in amiss)
    return facts


def _facts(run: Run, at: datetime, seen: RunSeen | None) -> dict[str, Scalar]:
    """Measured things. The duration is by the wall clock: it must survive a reboot."""
    facts: dict[str, Scalar] = {}
    if run.committed_at is not None:
        facts["duration_s"] = max(0.0, round((at - run.committed_at).total_seconds(), 3))
    if seen is not None:
        facts |= {
            "line_count": seen.line_count,
            "lines_sent": seen.lines_sent,
            "resends": seen.resends,
        }
    return facts
