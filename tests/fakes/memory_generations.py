"""Generations and the ledger, in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from coordinator.domain.generations import AT_PROVIDER, Generation, GenerationState
from coordinator.domain.ledger import Entry
from coordinator.domain.library import Place
from coordinator.ports_generations import GenerationsWanted


@dataclass
class GenerationTables:
    """The rows; `copy` makes a transaction's own."""

    generations: dict[str, Generation] = field(default_factory=dict)
    entries: dict[tuple[str, int], Entry] = field(default_factory=dict)

    def copy(self) -> "GenerationTables":
        return GenerationTables(dict(self.generations), dict(self.entries))


def _arrival(generation: Generation) -> tuple[datetime, str]:
    return generation.created_at, generation.generation_id


def _words_of(generation: Generation) -> str:
    asked = generation.asked
    return "\n".join((asked.name, asked.prompt, asked.url)).lower()


class MemoryGenerations:
    """Implements `coordinator.ports_generations.GenerationUnit` on a copy of the tables."""

    generated: GenerationTables
    changed: bool

    async def generation(self, generation_id: str) -> Generation | None:
        return self.generated.generations.get(generation_id)

    async def generations_page(
        self, wanted: GenerationsWanted, *, after: Place | None, limit: int
    ) -> list[Generation]:
        def fits(each: Generation) -> bool:
            return (
                wanted.owner in (None, each.owner)
                and wanted.provider in ("", each.provider)
                and (not wanted.model_id or wanted.model_id in [m for m, _ in each.versions])
                and wanted.text.lower() in _words_of(each)
                and (not wanted.states or each.state in wanted.states)
                and (after is None or _arrival(each) < (after.created_at, after.its_id))
            )

        return [each for each in self._newest() if fits(each)][:limit]

    async def generations_due(self, now: datetime, *, limit: int) -> list[Generation]:
        due = [each for each in self._free(now) if each.state is not GenerationState.WANTED]
        return sorted(due, key=lambda each: (each.next_at, each.generation_id))[:limit]

    async def generations_wanted(
        self, provider: str, now: datetime, *, limit: int
    ) -> list[Generation]:
        due = [
            each
            for each in self._free(now)
            if each.state is GenerationState.WANTED and each.provider == provider
        ]
        return sorted(due, key=_arrival)[:limit]

    async def generations_open(self, owner: str) -> int:
        every = self.generated.generations.values()
        return sum(each.owner == owner and not each.ended for each in every)

    async def generations_at(self, provider: str) -> int:
        every = self.generated.generations.values()
        return sum(each.provider == provider and each.state in AT_PROVIDER for each in every)

    async def generation_like(self, fingerprint: str) -> Generation | None:
        for each in self._newest():
            done = each.state is GenerationState.DONE and each.versions
            if done and each.fingerprint == fingerprint:
                return each
        return None

    async def generation_of_task(self, provider: str, task_id: str) -> Generation | None:
        for each in self._newest():
            known = each.handle.task_id if each.handle is not None else ""
            if each.provider == provider and known == task_id:
                return each
        return None

    async def save_generation(self, generation: Generation) -> None:
        self.changed = True
        self.generated.generations[generation.generation_id] = generation

    async def free_generations(self, worker: str) -> None:
        self.changed = True
        for its_id, each in self.generated.generations.items():
            if each.worker == worker:
                freed = replace(each, worker="", leased_until=None)
                self.generated.generations[its_id] = freed

    async def entries(self, generation_id: str) -> list[Entry]:
        every = self.generated.entries.values()
        mine = [each for each in every if each.generation_id == generation_id]
        return sorted(mine, key=lambda each: each.submit)

    async def save_entry(self, entry: Entry) -> None:
        self.changed = True
        self.generated.entries[entry.generation_id, entry.submit] = entry

    async def spent(
        self, day: date, *, unit: str, provider: str | None = None, owner: str | None = None
    ) -> Decimal:
        return sum(
            (
                each.spent
                for each in self.generated.entries.values()
                if (each.day, each.unit) == (day, unit)
                and provider in (None, each.provider)
                and owner in (None, each.owner)
            ),
            Decimal(0),
        )

    async def spendings(self, day: date) -> Mapping[tuple[str, str], Decimal]:
        found: dict[tuple[str, str], Decimal] = {}
        for each in self.generated.entries.values():
            if each.day == day and each.spent:
                key = (each.provider, each.unit)
                found[key] = found.get(key, Decimal(0)) + each.spent
        return found

    def _newest(self) -> list[Generation]:
        return sorted(self.generated.generations.values(), key=_arrival, reverse=True)

    def _free(self, now: datetime) -> list[Generation]:
        return [
            each
            for each in self.generated.generations.values()
            if each.next_at is not None
            and each.next_at <= now
            and (not each.worker or (each.leased_until is not None and each.leased_until < now))
        ]
