"""What documents are admitted, and what they change.

An epoch is a lease: the highest ever admitted is remembered, anything below it is a ghost. Within
an epoch the assignment stands, or is withdrawn; only what surrounds it changes, in the order of
the revisions. A run that may have started is never dropped by a document: it ends by itself or by
`Mode.STOP`.
"""

from dataclasses import replace
from datetime import datetime

from agent.core.memory import Change, Memory, record
from agent.core.run import Happened, Run
from protocols.wire.from_agent import Refusal
from protocols.wire.to_agent import Assignment, Desired

WITHDRAWN = "the coordinator withdrew it"


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
    after = replace(
        change.memory, epoch=document.epoch, revision=document.revision, term=document.term
    )
    if assignment is not None and document.epoch > memory.epoch:
        after = replace(after, run=_born(document, assignment))
    return Change(memory=after, events=change.events)


def _objection(memory: Memory, document: Desired) -> str:
    """Return why a document can't be obeyed, empty where it can."""
    run, assignment = memory.run, document.assignment
    if document.term < memory.term:
        return f"it is of an earlier coordinator: term {document.term}, now {memory.term}"
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


def _born(document: Desired, assignment: Assignment) -> Run:
    return Run(
        run_id=assignment.run_id,
        job_id=assignment.job_id,
        epoch=document.epoch,
        plate=assignment.plate,
    )
