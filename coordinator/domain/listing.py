"""Which jobs a list is to hold, and where a page of it begins."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from coordinator.domain.jobs import Job, JobState
from protocols.wire.vocabulary import JobId


@dataclass(frozen=True, slots=True)
class JobPlace:
    """Where a job stands in the order of arrival, which never changes."""

    created_at: datetime
    job_id: JobId


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsWanted:
    """Which jobs; None and empty mean that any will do.

    Attributes:
        text: in the name; capitals or not is nothing, as far as a to z go.
        since: those that changed then or later.
        newest: those that came last first, instead of in order of arrival.
    """

    states: Collection[JobState] | None = None
    material: str = ""
    printer_class: str = ""
    owner: str = ""
    model_id: str = ""
    text: str = ""
    since: datetime | None = None
    newest: bool = False


def place_of(job: Job) -> JobPlace:
    """Return where a job stands."""
    return JobPlace(job.created_at, job.job_id)
