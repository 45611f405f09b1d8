"""The part of a transaction that is about generations, and about what they cost."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from coordinator.domain.generations import Generation, GenerationState
from coordinator.domain.ledger import Entry
from coordinator.domain.library import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationsWanted:
    """Which generations are wanted; what is empty or None does not count.

    Attributes:
        model_id: one of the models that came of it.
        text: in its name, words or address; capitals or not is nothing, as far as a to z go.
    """

    owner: str | None = None
    provider: str = ""
    model_id: str = ""
    text: str = ""
    states: Collection[GenerationState] = ()


class GenerationUnit(Protocol):
    """Generations and the ledger in one transaction."""

    async def generation(self, generation_id: str) -> Generation | None:
        """Return one generation."""

    async def generations_page(
        self, wanted: GenerationsWanted, *, after: Place | None, limit: int
    ) -> list[Generation]:
        """Return generations, the newest first: the first `limit` older than `after`."""

    async def generations_due(self, now: datetime, *, limit: int) -> list[Generation]:
        """Return those with something to do that nobody works on, longest due first.

        Those that wait for a paid call are not: `generations_wanted` has them.
        """

    async def generations_wanted(
        self, provider: str, now: datetime, *, limit: int
    ) -> list[Generation]:
        """Return those that wait for a paid call to a provider and are due, in order of arrival."""

    async def generations_open(self, owner: str) -> int:
        """Return how many of an owner's have not ended."""

    async def generations_at(self, provider: str) -> int:
        """Return how many of a provider's places are taken."""

    async def generation_like(self, fingerprint: str) -> Generation | None:
        """Return the newest with this fingerprint that is done and has versions."""

    async def generation_of_task(self, provider: str, task_id: str) -> Generation | None:
        """Return the newest generation that a task belongs to."""

    async def save_generation(self, generation: Generation) -> None:
        """Insert or replace a generation."""

    async def free_generations(self, worker: str) -> None:
        """Have nobody work on what this worker, which died, worked on."""

    async def entries(self, generation_id: str) -> list[Entry]:
        """Return what a generation's paid calls cost, in order."""

    async def save_entry(self, entry: Entry) -> None:
        """Insert or replace what a paid call costs."""

    async def spent(
        self, day: date, *, unit: str, provider: str | None = None, owner: str | None = None
    ) -> Decimal:
        """Return what is spent in a day: on one provider, by one user, or by all for None."""

    async def spendings(self, day: date) -> Mapping[tuple[str, str], Decimal]:
        """Return what is spent in a day by provider and unit; none of which nothing is."""
