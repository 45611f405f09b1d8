"""The part of a `Unit` that is about spools: see `ports.py`."""

from typing import Protocol

from coordinator.domain.library import Place
from coordinator.domain.stock import Spool, SpoolsWanted


class StockUnit(Protocol):
    """Spools in one transaction."""

    async def spool(self, spool_id: str) -> Spool | None:
        """Return one spool."""

    async def spools(
        self, wanted: SpoolsWanted, *, after: Place | None = None, limit: int | None = None
    ) -> list[Spool]:
        """Return spools in order of arrival: those behind `after`, so many at most; None: all."""

    async def spools_count(self, wanted: SpoolsWanted) -> int:
        """Return how many such spools there are."""

    async def save_spool(self, spool: Spool) -> None:
        """Insert or replace a spool."""
