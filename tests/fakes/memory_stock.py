"""The spools of a store in memory."""

from datetime import datetime
from typing import TYPE_CHECKING

from coordinator.domain.library import Place
from coordinator.domain.stock import Spool, SpoolsWanted

if TYPE_CHECKING:
    from tests.fakes.memory_store import Tables


class MemoryStock:
    """Implements `coordinator.ports_stock.StockUnit` on tables."""

    tables: "Tables"
    changed: bool

    async def spool(self, spool_id: str) -> Spool | None:
        return self.tables.spools.get(spool_id)

    async def spools(
        self, wanted: SpoolsWanted, *, after: Place | None = None, limit: int | None = None
    ) -> list[Spool]:
        found = [
            spool
            for spool in self.tables.spools.values()
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
        self.tables.spools[spool.spool_id] = spool


def _place(spool: Spool) -> tuple[datetime, str]:
    return spool.created_at, spool.spool_id
