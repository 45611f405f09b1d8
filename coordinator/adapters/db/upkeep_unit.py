"""The part of a `Unit` that is about maintenance; the contracts stand in the port."""

from datetime import datetime

from sqlalchemy import bindparam, select

from coordinator.adapters.db import mapping, stock_tables, tables
from coordinator.adapters.db.history_unit import HistoryUnit
from coordinator.adapters.db.saving import saving
from coordinator.domain.upkeep import Upkeep
from protocols.wire.vocabulary import PrinterId

_UPKEEP = tables.table(stock_tables.UpkeepRow)
_RUNS = tables.table(tables.RunRow)
_ONE = select(_UPKEEP).where(_UPKEEP.c.upkeep_id == bindparam("id"))
_ALL = select(_UPKEEP).order_by(_UPKEEP.c.created_at, _UPKEEP.c.upkeep_id)
_ENDED = select(_RUNS.c.started_at, _RUNS.c.ended_at).where(
    _RUNS.c.printer_id == bindparam("id"),
    _RUNS.c.started_at.is_not(None),
    _RUNS.c.ended_at > bindparam("since", type_=_RUNS.c.ended_at.type),
)
_SAVE = saving(_UPKEEP, "upkeep_id")


class UpkeepUnit(HistoryUnit):
    """Tasks of maintenance in one transaction."""

    async def upkeep(self, upkeep_id: str) -> Upkeep | None:
        """Return one task."""
        row = self._connection.execute(_ONE, {"id": upkeep_id}).mappings().first()
        return Upkeep(**row) if row is not None else None

    async def upkeeps(
        self, printer_id: PrinterId | None = None, *, archived: bool = False
    ) -> list[Upkeep]:
        """Return tasks in order of arrival."""
        wanted = _ALL if archived else _ALL.where(~_UPKEEP.c.archived)
        if printer_id is not None:
            wanted = wanted.where(_UPKEEP.c.printer_id == printer_id)
        return [Upkeep(**row) for row in self._connection.execute(wanted).mappings()]

    async def save_upkeep(self, task: Upkeep) -> None:
        """Insert or replace a task."""
        statement = _SAVE[self._connection.dialect.name]
        self._connection.execute(statement, mapping.to_row(task))

    async def printed_s(self, printer_id: PrinterId, since: datetime) -> float:
        """Return for how many seconds a printer printed in runs that ended after a time."""
        found = self._connection.execute(_ENDED, {"id": printer_id, "since": since})
        spans: list[float] = [
            (ended - max(since, started)).total_seconds() for started, ended in found
        ]
        return sum(spans)
