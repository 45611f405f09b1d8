"""The part of a `Unit` that is about statistics: see `ports.py`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from coordinator.domain.standing import Changed, Spell, SpellSum, Standing
from coordinator.domain.statistics import By, RunEntry, Span, Tally
from protocols.wire.vocabulary import PrinterId, RunId


class StatisticsUnit(Protocol):
    """Runs and spells, summed up in one transaction.

    What sums up many rows is done beside the loop: the farm goes on meanwhile.
    """

    async def tallies(self, by: By, span: Span, *, offset_min: int = 0) -> list[Tally]:
        """Return what the runs that ended in a span amount to, by key and state.

        Args:
            offset_min: by how many minutes the days and months of who asks are ahead of UTC.
        """

    async def reasons(self, span: Span) -> list[tuple[str, int]]:
        """Return why runs failed or were lost that ended in a span, and how many of each.

        The most frequent twenty thousand: most differ in a number only.
        """

    async def run_entries(
        self, span: Span, *, after: tuple[datetime, RunId] | None, limit: int
    ) -> list[RunEntry]:
        """Return a page of the runs that ended in a span, in the order of their ends.

        Args:
            after: the end and the id of the last one of the page before.
        """

    async def spell_sums(self, span: Span) -> list[SpellSum]:
        """Return what the spells of each printer amount to within a span, by status.

        A spell's clearing counts where its end lies in the span.
        """

    async def standings(self) -> Mapping[PrinterId, Standing]:
        """Return how each printer stood when its lines were last played."""

    async def played_upto(self) -> int:
        """Return the number of the last line of history that was played; 0 for none."""

    async def printer_lines(self, *, after: int, upto: int) -> list[Changed]:
        """Return what the lines of history above `after`, up to `upto`, changed in printers."""

    async def save_played(
        self, standings: Sequence[Standing], spells: Sequence[Spell], *, before: int, upto: int
    ) -> bool:
        """Keep what playing lines amounts to; False, and nothing, if `before` is not the last."""
