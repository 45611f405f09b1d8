"""The part of a `Unit` that is about lists and receipts: see `ports.py`."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from coordinator.domain.jobs import Job, JobState
from coordinator.domain.listing import JobPlace, JobsWanted
from coordinator.domain.plates import Plate
from coordinator.domain.receipts import Receipt
from coordinator.domain.runs import Run, RunState
from protocols.wire.vocabulary import JobId, PrinterId


class Listing(Protocol):
    """Pages of jobs, last runs, and receipts."""

    async def jobs_page(
        self, wanted: JobsWanted, *, after: JobPlace | None, limit: int
    ) -> list[Job]:
        """Return jobs in order of arrival, or those that came last first.

        Args:
            after: only what stands behind this; None begins with the first.
            limit: how many at most.
        """

    async def jobs_count(self, wanted: JobsWanted, *, limit: int) -> int:
        """Return how many such jobs there are; nobody counts further than `limit`."""

    async def jobs_of(self, job_ids: Collection[JobId]) -> dict[JobId, Job]:
        """Return these jobs at once, as far as there are such."""

    async def runs_of(self, job_ids: Collection[JobId]) -> dict[JobId, list[Run]]:
        """Return the runs of many jobs at once, as `Unit.runs` has those of one; empty: none."""

    async def plates_of(self, job_ids: Collection[JobId]) -> dict[JobId, list[Plate]]:
        """Return the plates of many jobs at once, as `Unit.plates` has those of one."""

    async def last_runs(self, printer_id: PrinterId, limit: int) -> list[Run]:
        """Return a printer's last runs, the one that was leased last first."""

    async def job_states(self) -> Mapping[JobState, int]:
        """Return how many jobs are in each state; states without any are left out."""

    async def runs_ended(self) -> list[tuple[PrinterId, RunState, int]]:
        """Return how many runs ended in each state on each printer."""

    async def receipt(self, key: str) -> Receipt | None:
        """Return the receipt with this key."""

    async def save_receipt(self, receipt: Receipt) -> None:
        """Insert or replace a receipt."""

    async def drop_receipts(self, before: datetime) -> None:
        """Remove the receipts that were given before."""
