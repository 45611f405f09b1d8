"""What an agent remembers of one printer, and how that changes.

A `Change` is the memory after something happened together with the history it makes; the journal
writes both in one transaction. Events are numbered here, without a gap.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

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
)

# Somebody will ask why.
_EXPLAINED = (EventKind.FAILED, EventKind.LOST, EventKind.PAUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What survives a power cut, of one printer.

    Attributes:
        epoch: the highest that was admitted, with the `revision` of the last document obeyed and
            the `term` of the coordinator that wrote it.
        occupation: how many things have come onto the bed.
        foreign: the last of them came from somebody else and still prints.
        events_stored: number of the last event.
        run: the last one given, ended or not.
    """

    agent_id: AgentId
    printer_id: PrinterId
    journal_id: JournalId
    epoch: Epoch = NEVER_LEASED
    revision: int = 0
    term: int = 0
    occupation: int = 0
    foreign: bool = False
    events_stored: int = 0
    run: Run | None = None


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
    if (kind := SAYS.get(happened)) is None:
        return Change(memory=changed)
    changed = replace(changed, events_stored=memory.events_stored + 1)
    return Change(memory=changed, events=(_event(changed, after, kind, at, seen, amiss),))


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
