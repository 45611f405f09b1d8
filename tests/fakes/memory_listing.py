"""The part of a unit in memory that is about lists and receipts."""

import operator
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from coordinator.domain.jobs import Job, JobState
from coordinator.domain.listing import JobPlace, JobsWanted
from coordinator.domain.plates import Plate
from coordinator.domain.receipts import Receipt
from coordinator.domain.runs import Run, RunState
from protocols.wire.vocabulary import JobId, PrinterId

if TYPE_CHECKING:
    from tests.fakes.memory_store import Tables


class MemoryListing:
    """Implements `coordinator.ports_listing.Listing` on tables."""

    tables: "Tables"
    changed: bool

    async def jobs_page(
        self, wanted: JobsWanted, *, after: JobPlace | None, limit: int
    ) -> list[Job]:
        found = sorted(self._those(wanted), key=_place, reverse=wanted.newest)
        if after is not None:
            last = (after.created_at, after.job_id)
            behind = operator.lt if wanted.newest else operator.gt
            found = [job for job in found if behind(_place(job), last)]
        return found[:limit]

    async def jobs_count(self, wanted: JobsWanted, *, limit: int) -> int:
        return min(limit, len(self._those(wanted)))

    async def jobs_of(self, job_ids: Collection[JobId]) -> dict[JobId, Job]:
        return {job_id: job for job_id, job in self.tables.jobs.items() if job_id in set(job_ids)}

    async def runs_of(self, job_ids: Collection[JobId]) -> dict[JobId, list[Run]]:
        runs = sorted(self.tables.runs.values(), key=lambda run: (run.leased_at, run.run_id))
        return {job_id: [run for run in runs if run.job_id == job_id] for job_id in job_ids}

    async def plates_of(self, job_ids: Collection[JobId]) -> dict[JobId, list[Plate]]:
        plates = sorted(self.tables.plates.values(), key=lambda plate: plate.printer_class)
        return {job_id: [each for each in plates if each.job_id == job_id] for job_id in job_ids}

    async def last_runs(self, printer_id: PrinterId, limit: int) -> list[Run]:
        runs = [each for each in self.tables.runs.values() if each.printer_id == printer_id]
        return sorted(runs, key=lambda run: run.epoch, reverse=True)[:limit]

    async def job_states(self) -> Mapping[JobState, int]:
        return dict(Counter(job.state for job in self.tables.jobs.values()))

    async def runs_ended(self) -> list[tuple[PrinterId, RunState, int]]:
        ended = [run for run in self.tables.runs.values() if run.ended_at is not None]
        counts = Counter((run.printer_id, run.state) for run in ended)
        return [(printer, state, count) for (printer, state), count in sorted(counts.items())]

    async def receipt(self, key: str) -> Receipt | None:
        return self.tables.receipts.get(key)

    async def save_receipt(self, receipt: Receipt) -> None:
        self.changed = True
        self.tables.receipts[receipt.key] = receipt

    async def drop_receipts(self, before: datetime) -> None:
        kept = {key: each for key, each in self.tables.receipts.items() if each.at >= before}
        self.tables.receipts = kept

    def _those(self, wanted: JobsWanted) -> list[Job]:
        return [
            job
            for job in self.tables.jobs.values()
            if (wanted.states is None or job.state in wanted.states)
            and wanted.material in ("", job.material)
            and wanted.printer_class in ("", job.printer_class)
            and wanted.owner in ("", job.owner)
            and wanted.model_id in ("", job.model_id)
            and wanted.text.lower() in job.name.lower()
            and (wanted.since is None or job.updated_at >= wanted.since)
        ]


def _place(job: Job) -> tuple[datetime, str]:
    return job.created_at, job.job_id
