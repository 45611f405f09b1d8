"""The spools and the maintenance of a store in memory."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from coordinator.domain.library import Place
from coordinator.domain.stock import Spool, SpoolsWanted
from coordinator.domain.upkeep import Upkeep
from protocols.wire.vocabulary import PrinterId

if TYPE_CHECKING:
    from tests.fakes.memory_store import Tables


@dataclass
class StockTables:
    """All rows about spools and maintenance."""

    spools: dict[str, Spool] = field(default_factory=dict)
    upkeeps: dict[str, Upkeep] = field(default_factory=dict)

    def copy(self) -> "StockTables":
        return StockTables(spools=dict(self.spools), upkeeps=dict(self.upkeeps))

    @property
    def told(self) -> tuple[dict[str, Spool], dict[str, Upkeep]]:
        """What history tells of."""
        return self.spools, self.upkeeps


class MemoryStock:
    """Implements `StockUnit` and `UpkeepUnit` of the ports on tables."""

    tables: "Tables"
    changed: bool

    async def spool(self, spool_id: str) -> Spool | None:
        return self.tables.stock.spools.get(spool_id)

    async def spools(
        self, wanted: SpoolsWanted, *, after: Place | None = None, limit: int | None = None
    ) -> list[Spool]:
        found = [
            spool
            for spool in self.tables.stock.spools.values()
            if wanted.material.lower() in ("", spool.material.lower())
            and wanted.printer_id in (None, spool.printer_id)
            and wanted.loaded in (None, spool.printer_id is not None)
            and (wanted.archived or not spool.archived)
            and (after is None or _place(spool) > (after.created_at, after.its_id))
        ]
        return sorted(found, key=_place)[:limit]

    async def spools_count(self, wanted: SpoolsWanted) -> int:
        return len(await self.spools(wanted))

    async def save_spool(self, spool: Spool) -> None:
        self.changed = True
        self.tables.stock.spools[spool.spool_id] = spool

    async def upkeep(self, upkeep_id: str) -> Upkeep | None:
        return self.tables.stock.upkeeps.get(upkeep_id)

    async def upkeeps(
        self, printer_id: PrinterId | None = None, *, archived: bool = False
    ) -> list[Upkeep]:
        found = [
            task
            for task in self.tables.stock.upkeeps.values()
            if printer_id in (None, task.printer_id) and (archived or not task.archived)
        ]
        return sorted(found, key=lambda task: (task.created_at, task.upkeep_id))

    async def save_upkeep(self, task: Upkeep) -> None:
        self.changed = True
        self.tables.stock.upkeeps[task.upkeep_id] = task

    async def printed_s(self, printer_id: PrinterId, since: datetime) -> float:
        return sum(
            (run.ended_at - max(since, run.started_at)).total_seconds()
            for run in self.tables.runs.values()
            if run.printer_id == printer_id
            and run.started_at is not None
            and run.ended_at is not None
            and run.ended_at > since
        )


def _place(spool: Spool) -> tuple[datetime, str]:
    return spool.created_at, spool.spool_id
