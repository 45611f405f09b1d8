"""The part of a `Unit` that is about spools; the contracts stand in the port."""

from typing import Any

from sqlalchemy import Select, bindparam, func, select, tuple_

from coordinator.adapters.db import mapping, stock_tables, tables
from coordinator.adapters.db.history_unit import HistoryUnit
from coordinator.adapters.db.saving import saving
from coordinator.domain.library import Place
from coordinator.domain.stock import Spool, SpoolsWanted

_SPOOLS = tables.table(stock_tables.SpoolRow)
_SPOOL = select(_SPOOLS).where(_SPOOLS.c.spool_id == bindparam("id"))
_SAVE = saving(_SPOOLS, "spool_id")


class StockUnit(HistoryUnit):
    """Spools in one transaction."""

    async def spool(self, spool_id: str) -> Spool | None:
        """Return one spool."""
        row = self._connection.execute(_SPOOL, {"id": spool_id}).mappings().first()
        return Spool(**row) if row is not None else None

    async def spools(
        self, wanted: SpoolsWanted, *, after: Place | None = None, limit: int | None = None
    ) -> list[Spool]:
        """Return spools in order of arrival."""
        page = _narrowed(select(_SPOOLS), wanted)
        if after is not None:
            at = bindparam(None, after.created_at, type_=_SPOOLS.c.created_at.type)
            place = tuple_(_SPOOLS.c.created_at, _SPOOLS.c.spool_id)
            page = page.where(place > tuple_(at, after.its_id))
        page = page.order_by(_SPOOLS.c.created_at, _SPOOLS.c.spool_id).limit(limit)
        return [Spool(**row) for row in self._connection.execute(page).mappings()]

    async def spools_count(self, wanted: SpoolsWanted) -> int:
        """Return how many such spools there are."""
        some = _narrowed(select(_SPOOLS.c.spool_id), wanted).subquery()
        return int(self._connection.execute(select(func.count()).select_from(some)).scalar_one())

    async def save_spool(self, spool: Spool) -> None:
        """Insert or replace a spool."""
        statement = _SAVE[self._connection.dialect.name]
        self._connection.execute(statement, mapping.to_row(spool))


def _narrowed(page: Select[Any], wanted: SpoolsWanted) -> Select[Any]:
    if wanted.material:
        page = page.where(func.lower(_SPOOLS.c.material) == wanted.material.lower())
    if wanted.printer_id is not None:
        page = page.where(_SPOOLS.c.printer_id == wanted.printer_id)
    if wanted.loaded is not None:
        is_loaded = _SPOOLS.c.printer_id.is_not(None)
        page = page.where(is_loaded if wanted.loaded else ~is_loaded)
    if not wanted.archived:
        page = page.where(~_SPOOLS.c.archived)
    return page
