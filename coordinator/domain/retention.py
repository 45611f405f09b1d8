"""Which files a farm may do without: those of jobs that ended long ago, and nobody else's.

An artifact stays as long as anything but such jobs refers to it. What is known of it stays for
ever, with its name and hash: only its bytes go, and history tells of each.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from coordinator.domain.jobs import ENDED, JobState
from protocols.wire.vocabulary import JobId


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFiles:
    """A job, and the artifacts that it refers to.

    Attributes:
        unsettled: one of its runs lives, or nobody knows how it ended: an agent may still want it.
        sha256s: its model, its plates, and their pictures.
    """

    job_id: JobId
    state: JobState
    updated_at: datetime
    unsettled: bool
    sha256s: frozenset[str]

    @property
    def needs_files(self) -> bool:
        """Whether anybody may still want them for the job itself."""
        return self.state not in ENDED or self.unsettled


@dataclass(frozen=True, slots=True, kw_only=True)
class Riddance:
    """Which ended jobs need their files no more.

    Attributes:
        before: those that ended before; None: none for their age.
        job_ids: those as well, whenever they ended.
    """

    before: datetime | None = None
    job_ids: frozenset[JobId] = frozenset()

    def covers(self, job: JobFiles) -> bool:
        """Whether a job is one of them."""
        if job.needs_files:
            return False
        is_old = self.before is not None and job.updated_at < self.before
        return is_old or job.job_id in self.job_ids


@dataclass(slots=True)
class Sorting:
    """A look at all jobs, page by page: which files are still needed, and which could go.

    Attributes:
        needed: what anything else refers to; begun with what is no job.
        spare: hash -> a job that ended and had it.
    """

    riddance: Riddance
    needed: set[str] = field(default_factory=set)
    spare: dict[str, JobId] = field(default_factory=dict)

    def take(self, jobs: Iterable[JobFiles]) -> None:
        """Look at some jobs."""
        for job in jobs:
            if self.riddance.covers(job):
                self.spare.update(dict.fromkeys(job.sha256s, job.job_id))
            else:
                self.needed |= job.sha256s
