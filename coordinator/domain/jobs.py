"""A job's life: what someone wants, from the order to the last copy.

Theory. A job is READY once it has a plate, or its model can be sliced for a class of printers; that
is done when it is wanted (`plates.py`), and fails the job only when no class is left. From then on
it only mirrors its runs: `copies.py` counts them and says which event that amounts to. So a job
never knows more than its runs do. LEASED means that a printer is reserved for it, PRINTING that
some copy was started. Where nothing is reserved any more and copies are missing it waits, and is
READY again. CANCELLING lasts as long as any run lives: nobody says "cancelled" of something that
may still move. LOST waits for a person; it is left by what they say of the lost runs, or by
cancelling.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from coordinator.domain.effects import Effects, Note, Save
from coordinator.domain.machine import Machine
from protocols.wire.vocabulary import JobId, PrinterId


class JobState(StrEnum):
    """Where a job stands; pausing belongs to its runs."""

    RECEIVED = "received"
    PREPARING = "preparing"
    READY = "ready"
    LEASED = "leased"
    PRINTING = "printing"
    CANCELLING = "cancelling"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What someone wants.

    Attributes:
        model_sha256: the model to slice, None where plates were given ready.
        model_id: whose version `model_version` is sliced; empty and 0 where a file was brought.
        copies: how many are wanted, 1 or more.
        copies_per_plate: how many of them should lie on one bed; of a plate that was given, how
            many do.
        material: what it must be printed in; empty where any will do.
        quality: name of a quality profile; empty for the standard one.
        printer_class: only on printers of this class; empty where any will do.
        printer_group: likewise, of this group; printer_tags: with all of these.
        printer_id: only on this printer; None where any will do.
        overrides: slicer settings that differ from the profile.
        priority: higher first; equal ones by when they are due, then in order of arrival.
        due_at: when it should be finished; None where nobody said.
        place_at, place_due_at: where somebody moved it in the queue: it is served as though it had
            come, and were due, then; `place_at` is None where nobody moved it.
        held: nothing new is leased, and what prints is paused.
        owner: whose it is, as history names them: `user:anna`; empty where nobody wrote that down.
        approved: it may be printed; else it waits until somebody who may says so.
        retries_max: how many failed runs are replaced before the job counts as failed.
        reason: why it failed or waits, for a person; empty when all is well.
        version: grows with every change.
    """

    job_id: JobId
    name: str
    model_sha256: str | None = None
    model_id: str = ""
    model_version: int = 0
    copies: int = 1
    copies_per_plate: int = 1
    material: str = ""
    quality: str = ""
    printer_class: str = ""
    printer_group: str = ""
    printer_tags: tuple[str, ...] = ()
    printer_id: PrinterId | None = None
    overrides: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    priority: int = 0
    due_at: datetime | None = None
    place_at: datetime | None = None
    place_due_at: datetime | None = None
    held: bool = False
    owner: str = ""
    approved: bool = True
    retries_max: int = 1
    state: JobState = JobState.RECEIVED
    reason: str = ""
    created_at: datetime
    updated_at: datetime
    version: int = 0

    @property
    def turn(self) -> tuple[datetime | None, datetime]:
        """When it counts as due, and since when as waiting: its place among equal priorities."""
        if self.place_at is not None:
            return self.place_due_at, self.place_at
        return self.due_at, self.created_at


class JobEvent(StrEnum):
    """What moves a job."""

    PREPARE = "prepare"
    INTERRUPT = "interrupt"  # the coordinator stopped while it was prepared
    READY = "ready"
    REFUSE = "refuse"  # no plate can be made of it
    WAIT = "wait"  # nothing lives, and copies are missing
    LEASE = "lease"
    START = "start"
    FINISH = "finish"
    FAIL = "fail"
    LOSE = "lose"
    CANCEL = "cancel"
    CANCELLED = "cancelled"


# Jobs that runs may be leased for.
OPEN = (JobState.READY, JobState.LEASED, JobState.PRINTING)

# Jobs that have a place in the queue while copies are missing.
QUEUED = (JobState.RECEIVED, JobState.PREPARING, *OPEN)

ENDED = frozenset({JobState.FINISHED, JobState.FAILED, JobState.CANCELLED})


def _table() -> dict[tuple[JobState, JobEvent], JobState]:
    table = {
        (JobState.RECEIVED, JobEvent.READY): JobState.READY,
        (JobState.READY, JobEvent.REFUSE): JobState.FAILED,
        # Earlier versions sliced for all classes before a job was READY: databases and histories
        # of theirs hold these.
        (JobState.RECEIVED, JobEvent.PREPARE): JobState.PREPARING,
        (JobState.PREPARING, JobEvent.INTERRUPT): JobState.RECEIVED,
        (JobState.PREPARING, JobEvent.READY): JobState.READY,
        (JobState.PREPARING, JobEvent.REFUSE): JobState.FAILED,
        (JobState.PRINTING, JobEvent.LEASE): JobState.PRINTING,
        (JobState.CANCELLING, JobEvent.CANCELLED): JobState.CANCELLED,
    }
    for state in (JobState.READY, JobState.LEASED, JobState.PRINTING, JobState.LOST):
        table[state, JobEvent.WAIT] = JobState.READY
        table[state, JobEvent.START] = JobState.PRINTING
        table[state, JobEvent.FINISH] = JobState.FINISHED
        table[state, JobEvent.FAIL] = JobState.FAILED
        table[state, JobEvent.LOSE] = JobState.LOST
    for state in (JobState.READY, JobState.LEASED, JobState.LOST):
        table[state, JobEvent.LEASE] = JobState.LEASED
    for state in (JobState.RECEIVED, JobState.PREPARING, *OPEN, JobState.LOST):
        table[state, JobEvent.CANCEL] = JobState.CANCELLING
    return table


MACHINE = Machine("job", JobState.RECEIVED, _table())


def advance(job: Job, event: JobEvent, now: datetime, *, reason: str = "") -> tuple[Job, Effects]:
    """Return the job after an event, and what has to be done about it.

    Args:
        reason: why, for a person; it replaces the job's reason.

    Raises:
        IllegalTransition: the table has no such move.
    """
    state = MACHINE.after(job.state, event)
    moved = changed(job, now, state=state, reason=reason)
    note = Note(subject="job", subject_id=job.job_id, name=f"job.{state}", cause=reason)
    return moved, (Save(moved), note)


def changed(
    job: Job,
    now: datetime,
    *,
    state: JobState | None = None,
    reason: str | None = None,
    held: bool | None = None,
    approved: bool | None = None,
) -> Job:
    """Return the job with these fields replaced and its version raised; None leaves a field."""
    return replace(
        job,
        state=job.state if state is None else state,
        reason=job.reason if reason is None else reason,
        held=job.held if held is None else held,
        approved=job.approved if approved is None else approved,
        updated_at=now,
        version=job.version + 1,
    )


def once_more(job: Job, job_id: JobId, now: datetime) -> Job:
    """Return a new job that wants the same once more; nothing says when, or before whom."""
    return replace(
        job,
        job_id=job_id,
        priority=min(job.priority, 0),
        due_at=None,
        place_at=None,
        place_due_at=None,
        held=False,
        state=MACHINE.start,
        reason="",
        created_at=now,
        updated_at=now,
        version=0,
    )


def late(job: Job, now: datetime) -> bool:
    """Whether a job was not finished when it was due; cancelled and failed ones are owed no more.

    Args:
        now: what counts for a job that is not finished yet.
    """
    if job.due_at is None or job.state in (JobState.CANCELLED, JobState.FAILED):
        return False
    return job.due_at < (job.updated_at if job.state is JobState.FINISHED else now)
