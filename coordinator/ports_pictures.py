"""Pictures of printers, as their agents' cameras saw them: where they are kept.

They are what was seen, no more: nothing rests on them, no history tells of them, and a backup goes
without.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from protocols.wire.vocabulary import PrinterId, RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture: a JPEG or PNG; `taken_at` is when it arrived, at most seconds later."""

    data: bytes
    taken_at: datetime

    @property
    def tag(self) -> str:
        """What tells it from every other picture of its printer."""
        return f"{self.taken_at.timestamp():.3f}-{len(self.data)}"


class Pictures(Protocol):
    """The newest picture of each printer, and what was seen when each of the last runs ended."""

    async def keep(
        self, printer_id: PrinterId, picture: Picture, *, run_id: RunId | None = None
    ) -> None:
        """Keep a printer's newest picture, also as that of the end of a run where one is named.

        Raises:
            Unavailable: the disk is full.
        """

    async def newest(self, printer_id: PrinterId) -> Picture | None:
        """Return a printer's newest picture, None where there is none."""

    async def of_run(self, run_id: RunId) -> Picture | None:
        """Return what was seen when a run ended, None where nobody looked, or long ago."""

    async def seen_of(self, run_ids: Collection[RunId]) -> frozenset[RunId]:
        """Return of which of these runs there is a picture."""


class NoPictures:
    """Implements `Pictures` where nothing is kept."""

    async def keep(
        self, printer_id: PrinterId, picture: Picture, *, run_id: RunId | None = None
    ) -> None:
        """Keep nothing."""

    async def newest(self, printer_id: PrinterId) -> Picture | None:
        """There is none."""
        return None

    async def of_run(self, run_id: RunId) -> Picture | None:
        """There is none."""
        return None

    async def seen_of(self, run_ids: Collection[RunId]) -> frozenset[RunId]:
        """There is none."""
        return frozenset()
