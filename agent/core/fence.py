"""What documents are admitted, and what they change.

An epoch is a lease: the highest ever admitted is remembered, anything below it is a ghost. Within
an epoch the assignment stands, or is withdrawn; only what surrounds it changes, in the order of
the revisions. A run that may have started is never dropped by a document: it ends by itself or by
`Mode.STOP`.

Leases handed over in advance have epochs above that of the document. What was staged once is known
by the highest of these: a lease that was given up is not taken up again.
"""

from dataclasses import replace
from datetime import datetime

from agent.core.memory import Change, Memory, promoted, record, record_staged
from agent.core.run import Happened, Run
from protocols.wire.from_agent import Refusal
from protocols.wire.to_agent import Assignment, Desired
from protocols.wire.vocabulary import Epoch, Mode, RunPhase

WITHDRAWN = "the coordinator withdrew it"

# A coordinator hands over four at most; more than this is no coordinator of ours.
STAGED_MAX = 8


def admit(memory: Memory, document: Desired, at: datetime) -> Change | Refusal:
    """Return what a document changes, or why it is refused.

    A document that is known already is admitted and changes nothing.

    Args:
        memory: of the printer that the document is for.
        document: what arrived.
        at: wall clock of the agent.
    """
    if reason := _objection(memory, document):
        return Refusal(epoch=document.epoch, revision=document.revision, reason=reason)
    change = Change(memory=memory)
    run, assignment = memory.run, document.assignment
    unwanted = assignment is None or (run is not None and assignment.run_id != run.run_id)
    if run is not None and run.never_started and unwanted:
        change = record(memory, Happened.WITHDRAWN, at=at, reason=WITHDRAWN)
    if assignment is not None and document.epoch > memory.epoch:
        change = _take_turn(change, document, assignment, at)
    after = replace(change.memory, epoch=document.epoch, revision=document.revision)
    return Change(memory=_with_staged(after, document), events=change.events)


def _take_turn(change: Change, document: Desired, assignment: Assignment, at: datetime) -> Change:
    """Let the run of a new lease take its turn: one that is staged, or one never heard of."""
    memory = change.memory
    if not any(run.run_id == assignment.run_id for run in memory.staged):
        if document.epoch <= memory.staged_epoch:
            return change  # given up a moment ago
        run = _born(assignment, document.epoch)
        change = _without_staged(change, memory.staged, at)
        return replace(change, memory=replace(change.memory, run=run))
    passed = tuple(run for run in memory.staged if run.epoch < document.epoch)
    change = _without_staged(change, passed, at)
    return replace(change, memory=promoted(change.memory))


def _without_staged(change: Change, runs: tuple[Run, ...], at: datetime) -> Change:
    for run in runs:
        more = record_staged(change.memory, run.run_id, Happened.WITHDRAWN, at=at, reason=WITHDRAWN)
        change = Change(memory=more.memory, events=(*change.events, *more.events))
    return change


def _with_staged(memory: Memory, document: Desired) -> Memory:
    """Take up what is handed over in advance, behind a run that goes on or has FINISHED."""
    run = memory.run
    if run is None or (run.phase.is_end and run.phase is not RunPhase.FINISHED):
        return memory
    for lease in document.staged:
        above = max(memory.epoch, memory.staged_epoch)
        if lease.epoch > above and lease.mode is Mode.RUN and len(memory.staged) < STAGED_MAX:
            staged = (*memory.staged, _born(lease.assignment, lease.epoch))
            memory = replace(memory, staged=staged, staged_epoch=lease.epoch)
    return memory


def _objection(memory: Memory, document: Desired) -> str:
    """Return why a document can't be obeyed, empty where it can."""
    run, assignment = memory.run, document.assignment
    if document.epoch < memory.epoch:
        return f"epoch {document.epoch} is over: this journal has seen {memory.epoch}"
    if document.epoch == memory.epoch:
        if document.revision < memory.revision:
            return f"revision {document.revision} is older than {memory.revision}"
        if assignment is not None and not _is_of(run, document, assignment):
            return f"epoch {document.epoch} can't change its assignment"
        return ""
    if assignment is None or run is None:
        return ""
    if assignment.run_id == run.run_id:
        return f"run {run.run_id} was given under epoch {run.epoch} and is given only once"
    if run.is_active and not run.never_started:
        return f"run {run.run_id} still goes on"
    known = any(run.run_id == assignment.run_id for run in memory.staged)
    if document.epoch <= memory.staged_epoch and not known:
        return f"run {assignment.run_id} was given up"
    return ""


def _is_of(run: Run | None, document: Desired, assignment: Assignment) -> bool:
    """Whether the assignment is the one that the document's epoch began with."""
    return (
        run is not None
        and run.epoch == document.epoch
        and run.run_id == assignment.run_id
        and run.job_id == assignment.job_id
        and run.plate.sha256 == assignment.plate.sha256
    )


def _born(assignment: Assignment, epoch: Epoch) -> Run:
    return Run(
        run_id=assignment.run_id,
        job_id=assignment.job_id,
        epoch=epoch,
        plate=assignment.plate,
    )
