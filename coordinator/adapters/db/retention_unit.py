"""The part of a `Unit` that tells who refers to files.

Only tables that are known to refer to none are left out: every hash in any row of any other counts.
So a table that joins the farm keeps its files, whether or not its author thought of this one.
"""

import re
from collections.abc import AsyncIterator, Sequence

from sqlalchemy import Connection, select

from coordinator.adapters.db import tables
from coordinator.adapters.db.shape import SQLModel
from coordinator.domain.jobs import JobState
from coordinator.domain.retention import JobFiles
from coordinator.domain.runs import LIVE, RunState
from protocols.wire.vocabulary import JobId

# What follows the life of a job; see `job_files`.
_OF_JOBS = frozenset({"jobs", "plates", "runs"})
# What tells of files, but needs none.
_REFERS_TO_NONE = frozenset(
    {
        "agent_credentials",
        "agents",
        "api_key_uses",
        "api_keys",
        "artifacts",
        "checkpoint_rows",
        "checkpoints",
        "enrolment_tokens",
        "events",
        "history",
        "notice_channels",
        "outbox",
        "passwords",
        "printers",
        "receipts",
        "sessions",
        "token_families",
        "users",
        "webhook_deliveries",
        "webhook_endpoints",
    }
)
_HASH = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_PAGE = 200

_JOBS = tables.table(tables.JobRow)
_PLATES = tables.table(tables.PlateRow)
_RUNS = tables.table(tables.RunRow)
_UNSETTLED = [state.value for state in (*LIVE, RunState.LOST)]


class SqlRetentionUnit:
    """Who refers to which artifact; the contracts stand in the port."""

    _connection: Connection

    async def job_files(self) -> AsyncIterator[Sequence[JobFiles]]:
        """Yield all jobs with the artifacts that they refer to."""
        last = ""
        while page := self._jobs_after(last):
            last = page[-1].job_id
            yield page

    async def referred_elsewhere(self) -> set[str]:
        """Return the hashes of all artifacts that anything but a job refers to."""
        found: set[str] = set()
        for table in SQLModel.metadata.sorted_tables:
            if table.name in _OF_JOBS or table.name in _REFERS_TO_NONE:
                continue
            rows = self._connection.execute(select(table).execution_options(yield_per=_PAGE))
            for row in rows:
                found.update(hashed for value in row for hashed in _HASH.findall(str(value)))
        return found

    def _jobs_after(self, last: str) -> list[JobFiles]:
        columns = (_JOBS.c.job_id, _JOBS.c.state, _JOBS.c.updated_at, _JOBS.c.model_sha256)
        wanted = select(*columns).where(_JOBS.c.job_id > last).order_by(_JOBS.c.job_id)
        jobs = self._connection.execute(wanted.limit(_PAGE)).all()
        names = [job.job_id for job in jobs]
        files: dict[str, set[str]] = {name: set() for name in names}
        plates = select(_PLATES.c.job_id, _PLATES.c.sha256, _PLATES.c.pictures)
        for plate in self._connection.execute(plates.where(_PLATES.c.job_id.in_(names))):
            files[plate.job_id] |= {plate.sha256, *plate.pictures.values()}
        runs = select(_RUNS.c.job_id, _RUNS.c.plate_sha256, _RUNS.c.state)
        unsettled: set[str] = set()
        for run in self._connection.execute(runs.where(_RUNS.c.job_id.in_(names))):
            files[run.job_id].add(run.plate_sha256)
            if run.state in _UNSETTLED:
                unsettled.add(run.job_id)
        return [
            JobFiles(
                job_id=JobId(job.job_id),
                state=JobState(job.state),
                updated_at=job.updated_at,
                unsettled=job.job_id in unsettled,
                sha256s=frozenset({*files[job.job_id], job.model_sha256 or ""} - {""}),
            )
            for job in jobs
        ]
