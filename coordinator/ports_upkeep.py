"""The part of a `Unit` that is about maintenance: see `ports.py`."""

from datetime import datetime
from typing import Protocol

from coordinator.domain.upkeep import Upkeep
from protocols.wire.vocabulary import PrinterId


class UpkeepUnit(Protocol):
    """Tasks of maintenance in one transaction."""

    async def upkeep(self, upkeep_id: str) -> Upkeep | None:
        """Return one task."""

    async def upkeeps(
        self, printer_id: PrinterId | None = None, *, archived: bool = False
    ) -> list[Upkeep]:
        """Return the tasks of a printer, of all for None, in order of arrival."""

    async def save_upkeep(self, task: Upkeep) -> None:
        """Insert or replace a task."""

    async def printed_s(self, printer_id: PrinterId, since: datetime) -> float:
        """Return for how many seconds a printer printed in runs that ended after a time.

        A run that began before counts from that time on; one that is still on does not count.
        """
