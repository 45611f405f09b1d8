"""What an agent says of its printers, and what follows from it.

A report is a whole picture: what is older than our lease is dropped, what has not changed writes
nothing. An event is history: applied once, in order, by the agent's own numbers; a gap means that
an earlier one is still on its way, and then this one comes again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType

from coordinator.domain import leases
from coordinator.domain.effects import Effects, Note, Poke, RaiseEpoch, Save, Say, Work
from coordinator.domain.leases import Answer, Holding
from coordinator.domain.printers import (
    BedState,
    Printer,
    abandoned,
    claimed,
    cleared,
    occupied,
    quarantined,
    say,
    uncleared,
)
from coordinator.domain.runs import RunChange, RunState
from coordinator.errors import IllegalTransition
from protocols.wire.from_agent import Reported, RunEvent
from protocols.wire.vocabulary import BedPolicy, Epoch, EventKind, RunPhase

CHANGES: Mapping[EventKind, RunChange] = MappingProxyType(
    {
        EventKind.STARTED: RunChange.START,
        EventKind.PAUSED: RunChange.PAUSE,
        EventKind.RESUMED: RunChange.RESUME,
        EventKind.FINISHED: RunChange.FINISH,
        EventKind.STOPPED: RunChange.STOP,
        EventKind.FAILED: RunChange.FAIL,
        EventKind.LOST: RunChange.LOSE,
        EventKind.RELEASED: RunChange.RELEASE,
    }
)

# After these something lies on the bed, or may; the agent's count says so too, but is not needed.
_OCCUPYING = (EventKind.STARTED, EventKind.FINISHED, EventKind.LOST)

# In these an agent is at a run's plate, or is about to be.
_AT_WORK = (RunPhase.COMMITTED, RunPhase.PRINTING, RunPhase.PAUSED, RunPhase.STOPPING)

# What says of a run that was not heard to start that it never will.
_NEVER_BEGAN = (RunChange.RELEASE, RunChange.FAIL)

# How far a database may lie behind an agent and still catch up by itself; more is no database of
# this farm.
EPOCHS_BEHIND_MAX = 10_000


def absorb_report(holding: Holding, report: Reported, now: datetime) -> Effects:
    """Return what a report changes; nothing where it is old or says what is known.

    Args:
        holding: the printer, and the run that holds its lease.
    """
    printer = holding.printer
    if report.agent_id != printer.agent_id or report.journal_id != printer.journal_id:
        return ()
    if is_behind(printer, report):
        return _behind(holding, report, now)
    if report.epoch != leases.said_epoch(printer, holding.run):
        return ()  # old; or it went on by itself, and its events, still on their way, tell how
    seen, effects = _facts(printer, report, now)
    holding = replace(holding, printer=seen)
    if report.revision > seen.revision:
        ahead, more = say(replace(seen, revision=report.revision))
        holding, effects = replace(holding, printer=ahead), (*effects, *more)
    run = holding.run
    if run is None or not run.live:
        return effects
    if run.state is RunState.LEASED and seen.bed.state is not BedState.CLEAR:
        _, more = leases.move(holding, RunChange.REVOKE, now, reason="something is on the bed")
        return (*effects, *more)
    said = report.run
    if said is None or said.run_id != run.run_id or said.phase is not RunPhase.READY:
        return effects
    if leases.is_permitted_elsewhere(run, report.boot_id):
        reason = "its agent began anew after the permit: look whether it was printed"
        return (*effects, *leases.move(holding, RunChange.LOSE, now, reason=reason)[1])
    attended = seen.bed_policy is BedPolicy.ATTENDED
    if run.state is RunState.PERMITTED and attended and _counts_more(report, seen):
        # It did not start, and can't: no document ever cleared what it counted. Who clears the bed
        # must not have to wait for a run that waits for them.
        _, more = leases.move(holding, RunChange.RELEASE, now, reason="something is on the bed")
        return (*effects, *more)
    return (*effects, *_ready(holding, report, now)) if said.nonce else effects


def _facts(printer: Printer, report: Reported, now: datetime) -> tuple[Printer, Effects]:
    """Take over what the agent sees, and what it counted onto the bed."""
    seen = replace(printer, seen=report.state, message=report.message, foreign=report.foreign)
    effects: Effects = ()
    if report.events_acknowledged > printer.events_applied:
        # They were stored once, and the agent forgot them: an old presence that a broker brought
        # back, or an older database, made us forget it. To wait for them would be for ever.
        seen = replace(seen, events_applied=report.events_acknowledged)
        effects = (_caught_up(printer, report),)
    seen, cause = _bed_of(seen, report, now)
    if seen.bed.state is not printer.bed.state:
        due = (Poke(Work.DISPATCH),) if seen.bed.state is BedState.CLEAR else ()
        effects = (*effects, _bed_note(seen, cause, **_of_its_run(printer, report)), *due)
    return seen, (Save(seen), *effects) if seen != printer else ()


def _of_its_run(printer: Printer, report: Reported) -> Mapping[str, str]:
    """Return the fact that what is on the bed is our run's, where a report tells before its event.

    What a run at work brings onto its bed is no work for a person.
    """
    run = report.run
    ours = run is not None and run.run_id == printer.run_id and run.phase in _AT_WORK
    return {"run_id": run.run_id} if run is not None and ours else {}


def _bed_of(printer: Printer, report: Reported, now: datetime) -> tuple[Printer, str]:
    """Return the printer with its bed as the agent has it, and why it changed."""
    bed, by = printer.bed, f"agent:{report.agent_id}"
    if report.ejected and report.ejected >= max(report.occupation, bed.occupation):
        if bed.state is BedState.CLEAR and bed.occupation == report.occupation:
            return printer, ""
        there = occupied(printer, now, occupation=report.occupation, by=by)
        return cleared(there, now, by=by), "its ejection routine emptied it"
    cause = ""
    strange = report.foreign and bed.state is not BedState.OCCUPIED
    if report.occupation > bed.occupation or strange:
        cause = "it prints what no agent started" if report.foreign else "something came onto it"
        printer = occupied(printer, now, occupation=report.occupation, by=by)
    if report.ejecting and printer.bed.state is BedState.OCCUPIED:
        return claimed(printer, now, by=by), "its ejection routine is at it"
    at_it = printer.bed.state is BedState.CLEARING and printer.bed.changed_by == by
    if at_it and not report.ejecting:
        return abandoned(printer, now, by=by), "its ejection routine broke off"
    return printer, cause


def _counts_more(report: Reported, printer: Printer) -> bool:
    """Whether something came onto the bed that nobody cleared."""
    return report.occupation > (printer.bed.cleared or 0)


def _caught_up(printer: Printer, report: Reported) -> Note:
    return Note(
        subject="printer",
        subject_id=printer.printer_id,
        name="events.caught_up",
        cause="its agent had been told that these were stored",
        facts={"applied": printer.events_applied, "acknowledged": report.events_acknowledged},
    )


def _ready(holding: Holding, report: Reported, now: datetime) -> Effects:
    """Answer an agent that is ready to start the run it holds the lease for."""
    said, run, printer = report.run, holding.run, holding.printer
    assert said is not None, "the agent speaks of a run"
    assert run is not None, "the printer holds a lease"
    if report.events_stored < printer.events_applied:
        # Events come before the lease that it is ready for: a memory without them went back.
        return quarantined(
            printer,
            f"{report.agent_id} is ready to start {run.run_id}, but does not know what it told "
            "itself: its card is a copy or an old one; give it a blank card",
        )[1]
    match leases.answer(holding, said, report.boot_id):
        case Answer.PERMIT:
            return leases.move(holding, RunChange.PERMIT, now, nonce=said.nonce)[1]
        case Answer.REVOKE:
            # By the rules of `leases` it can't have started: a word as good as its release.
            reason = "not wanted any more"
            return leases.move(holding, RunChange.RELEASE, now, reason=reason)[1]
        case Answer.REPEAT:
            return (Say(printer.printer_id),)
        case Answer.NOTHING:
            return ()
        case Answer.CLONE:
            return quarantined(
                printer,
                f"another agent answers as {report.agent_id}: it is ready to start {run.run_id}, "
                "but its journal does not know the permit that was given",
            )[1]


def is_behind(printer: Printer, report: Reported) -> bool:
    """Whether an agent knows later leases than we do."""
    if report.agent_id != printer.agent_id or report.journal_id != printer.journal_id:
        return False
    return max(report.epoch, report.staged_epoch) > printer.epoch


def _behind(holding: Holding, report: Reported, now: datetime) -> Effects:
    """Catch up with an agent that knows later leases than we do: our database is an older copy.

    What that copy says of a live run is worth nothing, so the run is lost.
    """
    printer = holding.printer
    known = Epoch(max(report.epoch, report.staged_epoch))
    missing = known - printer.epoch
    reason = (
        f"its agent knows lease {known}, the database only {printer.epoch}: "
        "look what it prints before it is used again"
    )
    if missing > EPOCHS_BEHIND_MAX:
        return quarantined(printer, reason)[1]
    raises = [
        RaiseEpoch(printer.printer_id, Epoch(printer.epoch + step)) for step in range(missing)
    ]
    level = replace(printer, epoch=known, revision=max(printer.revision, report.revision))
    held, effects = quarantined(level, reason)
    if holding.run is not None and holding.run.live:
        behind = replace(holding, printer=held)
        _, more = leases.move(behind, RunChange.LOSE, now, reason=reason)
    else:
        _, more = leases.close(held)
    return (*raises, *effects, *more)


def apply_event(holding: Holding, event: RunEvent, now: datetime) -> Effects:
    """Return what an event changes: nothing where it came too early or is not of this memory.

    Args:
        holding: the printer, and the event's run with its job, None where it is not known.
    """
    printer = holding.printer
    if event.agent_id != printer.agent_id or event.journal_id != printer.journal_id:
        return ()
    if event.number <= printer.events_applied:
        # It repeats itself because the acknowledgement did not arrive.
        return (Say(printer.printer_id),)
    if event.number > printer.events_applied + 1:
        return ()
    applied = replace(printer, events_applied=event.number)
    bed_note: Effects = ()
    if event.event in _OCCUPYING or event.occupation > printer.bed.occupation:
        by = f"agent:{event.agent_id}"
        applied = occupied(applied, now, occupation=event.occupation, by=by)
        if event.event is EventKind.STARTED:
            applied = uncleared(applied, event.occupation)
        if printer.bed.state is not BedState.OCCUPIED:
            cause = f"{event.run_id} {event.event}"
            bed_note = (_bed_note(applied, cause, run_id=event.run_id),)
    holding = replace(holding, printer=applied)
    run = holding.run
    if run is None or run.printer_id != printer.printer_id:
        return (*bed_note, *_unheard_of(applied, event))
    change = CHANGES[event.event]
    if change in _NEVER_BEGAN and leases.is_hearsay(printer, run, event.boot_id):
        change = RunChange.LOSE
    told = replace(
        run,
        line=event.line or run.line,
        layer=event.layer or run.layer,
        facts={**run.facts, **event.facts},
    )
    try:
        _, effects = leases.move(
            replace(holding, run=told),
            change,
            now,
            at=event.at if event.at.tzinfo else event.at.replace(tzinfo=UTC),
            reason=event.reason,
        )
    except IllegalTransition as contradiction:
        return (*bed_note, *_contradicted(holding, event, str(contradiction)))
    return (*bed_note, *effects)


def _contradicted(holding: Holding, event: RunEvent, why: str) -> Effects:
    """Keep an event that can't be true by what we know; it is history all the same."""
    run, printer = holding.run, holding.printer
    assert run is not None, "only a known run can be contradicted"
    note = Note(
        subject="run",
        subject_id=run.run_id,
        name="run.contradicted",
        cause=why,
        facts={"event": event.event.value, "number": event.number},
    )
    effects: Effects = (note,)
    # Of a run that a person settled the agent may speak late. All else must not happen.
    if run.live or run.state is RunState.REVOKED:
        printer, more = quarantined(printer, f"its agent says what can't be: {why}")
        effects += more
    return (*effects, *say(printer)[1])


def _unheard_of(printer: Printer, event: RunEvent) -> Effects:
    """Keep an event of a run that we know nothing of."""
    note = Note(
        subject="printer",
        subject_id=printer.printer_id,
        name="printer.unknown_run",
        cause=f"{event.run_id} {event.event}, but there is no such run here",
        facts={"run_id": event.run_id, "event": event.event.value, "number": event.number},
    )
    return (note, *say(printer)[1])


def _bed_note(printer: Printer, cause: str, **facts: str) -> Note:
    return Note(
        subject="printer",
        subject_id=printer.printer_id,
        name=f"bed.{printer.bed.state}",
        cause=cause,
        facts={"occupation": printer.bed.occupation, **facts},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalKey:
    """What tells one refused document from another, so that each is recorded once."""

    printer_id: str
    epoch: int
    revision: int
    reason: str


def refusal(report: Reported) -> tuple[RefusalKey, Note] | None:
    """Return the line of history for a document that an agent did not obey, None without one."""
    refused = report.refused
    if refused is None:
        return None
    key = RefusalKey(
        printer_id=report.printer_id,
        epoch=refused.epoch,
        revision=refused.revision,
        reason=refused.reason,
    )
    note = Note(
        subject="printer",
        subject_id=report.printer_id,
        name="desired.refused",
        cause=refused.reason,
        facts={"epoch": refused.epoch, "revision": refused.revision},
    )
    return key, note
