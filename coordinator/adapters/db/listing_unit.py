"""The part of a `Unit` that is about lists and receipts; the contracts stand in the port."""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Select, bindparam, delete, func, select, tuple_

from coordinator.adapters.db import mapping, tables
from coordinator.adapters.db.history_unit import HistoryUnit
from coordinator.adapters.db.saving import saving
from coordinator.adapters.db.threads import whole
from coordinator.domain.jobs import Job, JobState
from coordinator.domain.listing import JobPlace, JobsWanted
from coordinator.domain.plates import Plate
from coordinator.domain.receipts import Receipt
from coordinator.domain.runs import Run, RunState
from protocols.wire.vocabulary import JobId, PrinterId

OfJobT = TypeVar("OfJobT", Run, Plate)

_JOBS = tables.table(tables.JobRow)
_RECEIPTS = tables.table(tables.ReceiptRow)
_STATES = select(_JOBS.c.state, func.count()).group_by(_JOBS.c.state)
_RECEIPT = select(_RECEIPTS).where(_RECEIPTS.c.key == bindparam("key"))
_RUNS = tables.table(tables.RunRow)
_PLATES = tables.table(tables.PlateRow)
_IDS: Any = bindparam("ids", expanding=True)
_JOBS_OF = select(_JOBS).where(_JOBS.c.job_id.in_(_IDS))
_RUNS_OF = select(_RUNS).where(_RUNS.c.job_id.in_(_IDS)).order_by(_RUNS.c.leased_at, _RUNS.c.run_id)
_PLATES_OF = select(_PLATES).where(_PLATES.c.job_id.in_(_IDS)).order_by(_PLATES.c.printer_class)
_LAST_RUNS = (
    select(_RUNS)
    .where(_RUNS.c.printer_id == bindparam("id"))
    .order_by(_RUNS.c.epoch.desc())
    .limit(bindparam("limit"))
)
_RUNS_ENDED = (
    select(_RUNS.c.printer_id, _RUNS.c.state, func.count())
    .where(_RUNS.c.ended_at.is_not(None))
    .group_by(_RUNS.c.printer_id, _RUNS.c.state)
    .order_by(_RUNS.c.printer_id, _RUNS.c.state)
)
# So many parameters older libraries of SQLite take at most.
_IDS_MAX = 900
_DROP = delete(_RECEIPTS).where(_RECEIPTS.c.at < bindparam("before"))
_SAVE = saving(_RECEIPTS, "key")


class ListingUnit(HistoryUnit):
    """Lists and receipts in one transaction."""

    async def jobs_page(
        self, wanted: JobsWanted, *, after: JobPlace | None, limit: int
    ) -> list[Job]:
        """Return jobs in order of arrival, or those that came last first."""
        place = tuple_(_JOBS.c.created_at, _JOBS.c.job_id)
        page = _narrowed(select(_JOBS), wanted).limit(limit)
        if after is not None:
            last = tuple_(_time(after.created_at), after.job_id)
            page = page.where(place < last if wanted.newest else place > last)
        order = (_JOBS.c.created_at, _JOBS.c.job_id)
        page = page.order_by(*(each.desc() if wanted.newest else each for each in order))
        found = self._connection.execute(page).mappings()
        return [mapping.job_of(dict(row)) for row in found]

    async def jobs_count(self, wanted: JobsWanted, *, limit: int) -> int:
        """Return how many such jobs there are, `limit` where there are more."""
        some = _narrowed(select(_JOBS.c.job_id), wanted).limit(limit).subquery()
        return int(self._connection.execute(select(func.count()).select_from(some)).scalar_one())

    async def jobs_of(self, job_ids: Collection[JobId]) -> dict[JobId, Job]:
        """Return these jobs at once."""
        found = (mapping.job_of(row) for row in self._of(_JOBS_OF, job_ids))
        return {job.job_id: job for job in found}

    async def runs_of(self, job_ids: Collection[JobId]) -> dict[JobId, list[Run]]:
        """Return the runs of many jobs at once."""
        return self._by_job(_RUNS_OF, job_ids, mapping.run_of)

    async def plates_of(self, job_ids: Collection[JobId]) -> dict[JobId, list[Plate]]:
        """Return the plates of many jobs at once."""
        return self._by_job(_PLATES_OF, job_ids, mapping.plate_of)

    def _by_job(
        self,
        these: Select[Any],
        job_ids: Collection[JobId],
        value_of: Callable[[dict[str, Any]], OfJobT],
    ) -> dict[JobId, list[OfJobT]]:
        """Return what belongs to each of these jobs, an empty list where nothing does."""
        found: dict[JobId, list[OfJobT]] = {job_id: [] for job_id in job_ids}
        for row in self._of(these, job_ids):
            value = value_of(row)
            found[value.job_id].append(value)
        return found

    def _of(self, these: Select[Any], job_ids: Collection[JobId]) -> Iterator[dict[str, Any]]:
        """Yield the rows of these jobs; so many with each statement as any database takes."""
        ids = sorted(set(job_ids))
        for first in range(0, len(ids), _IDS_MAX):
            some = {"ids": ids[first : first + _IDS_MAX]}
            yield from (dict(row) for row in self._connection.execute(these, some).mappings())

    async def last_runs(self, printer_id: PrinterId, limit: int) -> list[Run]:
        """Return a printer's last runs, the one that was leased last first."""
        found = self._connection.execute(_LAST_RUNS, {"id": printer_id, "limit": limit}).mappings()
        return [mapping.run_of(dict(row)) for row in found]

    async def job_states(self) -> Mapping[JobState, int]:
        """Return how many jobs are in each state."""
        return {JobState(state): count for state, count in self._connection.execute(_STATES)}

    async def runs_ended(self) -> list[tuple[PrinterId, RunState, int]]:
        """Return how many runs ended in each state on each printer; all of them are looked at."""
        found = await whole(lambda: self._connection.execute(_RUNS_ENDED).all())
        return [(PrinterId(printer), RunState(state), count) for printer, state, count in found]

    async def receipt(self, key: str) -> Receipt | None:
        """Return the receipt with this key."""
        row = self._connection.execute(_RECEIPT, {"key": key}).mappings().first()
        return Receipt(**row) if row is not None else None

    async def save_receipt(self, receipt: Receipt) -> None:
        """Insert or replace a receipt."""
        self._connection.execute(
            _SAVE[self._connection.dialect.name],
            {name: getattr(receipt, name) for name in Receipt.__dataclass_fields__},
        )

    async def drop_receipts(self, before: datetime) -> None:
        """Remove the receipts that were given before."""
        self._connection.execute(_DROP, {"before": before})


def _time(at: datetime) -> Any:
    return bindparam(None, at, type_=_JOBS.c.created_at.type)


def _narrowed(page: Select[Any], wanted: JobsWanted) -> Select[Any]:
    if wanted.states is not None:
        page = page.where(_JOBS.c.state.in_(sorted(state.value for state in wanted.states)))
    if wanted.material:
        page = page.where(_JOBS.c.material == wanted.material)
    if wanted.printer_class:
        page = page.where(_JOBS.c.printer_class == wanted.printer_class)
    if wanted.owner:
        page = page.where(_JOBS.c.owner == wanted.owner)
    if wanted.model_id:
        page = page.where(_JOBS.c.model_id == wanted.model_id)
    if wanted.text:
        name = func.lower(_JOBS.c.name)
        page = page.where(name.contains(wanted.text.lower(), autoescape=True))
    if wanted.since is not None:
        page = page.where(_JOBS.c.updated_at >= wanted.since)
    return page
