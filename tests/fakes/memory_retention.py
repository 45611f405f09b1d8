"""The part of a unit in memory that tells who refers to files."""

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from coordinator.domain.retention import JobFiles
from coordinator.domain.runs import RunState

if TYPE_CHECKING:
    from tests.fakes.memory_store import Tables


class MemoryRetention:
    """Implements `coordinator.ports_retention.RetentionUnit`; jobs and releases refer to files."""

    tables: "Tables"

    async def job_files(self) -> AsyncIterator[Sequence[JobFiles]]:
        for job_id, job in sorted(self.tables.jobs.items()):
            plates = [each for each in self.tables.plates.values() if each.job_id == job_id]
            runs = [each for each in self.tables.runs.values() if each.job_id == job_id]
            sha256s = {job.model_sha256 or "", *(plate.sha256 for plate in plates)}
            sha256s |= {sha256 for plate in plates for sha256 in plate.pictures.values()}
            sha256s |= {run.plate_sha256 for run in runs}
            yield [
                JobFiles(
                    job_id=job_id,
                    state=job.state,
                    updated_at=job.updated_at,
                    unsettled=any(run.live or run.state is RunState.LOST for run in runs),
                    sha256s=frozenset(sha256s - {""}),
                )
            ]

    async def referred_elsewhere(self) -> set[str]:
        return {release.sha256 for release in self.tables.updates.releases.values()}
