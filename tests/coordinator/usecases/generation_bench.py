"""A farm with a scripted provider, worked until nothing more is due."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from coordinator.domain.generations import Asked, Generation
from coordinator.domain.ledger import Budget, Purse
from coordinator.domain.policy import Policy
from coordinator.domain.providing import Kind
from coordinator.usecases import generating, generation_views
from coordinator.usecases.farm import Farm
from coordinator.usecases.generating import Wanted
from coordinator.usecases.producing import Producer
from coordinator.usecases.sources import Source, Sources
from tests.fakes.fake_farm import new_farm
from tests.fakes.fake_workshop import FakeWorkshop
from tests.fakes.manual_clock import ManualClock
from tests.fakes.memory_store import MemoryStore
from tests.fakes.scripted_provider import ScriptedProvider

ASKED = Asked(kind=Kind.TEXT, name="a hook", prompt="a hook for a 25 mm rail", size_mm=60.0)


class Bench:
    """A farm, its provider, its workshop and whoever works on generations."""

    def __init__(
        self,
        folder: Path,
        provider: ScriptedProvider,
        *,
        budget: Budget | None = None,
        purse: Purse | None = None,
        policy: Policy | None = None,
    ) -> None:
        self.provider, self.workshop, self.clock = provider, FakeWorkshop(), ManualClock()
        self.source = Source(name="mesh", provider=provider, budget=budget or Budget())
        self.store = MemoryStore()
        self.farm: Farm = new_farm(
            folder,
            store=self.store,
            clock=self.clock,
            sources=Sources([self.source], purse),
            workshop=self.workshop,
            policy=policy or Policy(),
        )

    async def want(self, owner: str = "user:anna", **changed: Any) -> str:
        """Ask for something; return the generation's id."""
        asked = replace(ASKED, **changed)
        wanted = Wanted(provider="mesh", asked=asked, actor=owner)
        return (await generating.want(self.farm, wanted)).generation_id

    async def show(self, generation_id: str) -> Generation:
        return (await generation_views.view(self.farm, generation_id)).generation

    async def work(self, seconds: float = 0.0, worker: str = "w-1") -> None:
        """Do what is due, and what becomes due within so many seconds."""
        until_s = self.clock.elapsed_s + seconds
        while True:
            await self.work_now(worker)
            due = [
                each.next_at
                for each in self.store.tables.generated.generations.values()
                if each.next_at is not None
            ]
            wait_s = (min(due) - self.clock.now()).total_seconds() if due else None
            # What is due and not taken up waits for something: the bell rings again later.
            if wait_s is None or self.clock.elapsed_s + _step(wait_s) > until_s:
                self.clock.elapsed_s = max(until_s, self.clock.elapsed_s)
                return
            self.clock.advance(_step(wait_s))

    async def work_now(self, worker: str = "w-1") -> None:
        """Do what is due at this moment, by a worker that ends then."""
        await worked(Producer(self.farm, worker))

    @property
    def spent(self) -> str:
        """What the ledger says is spent, as `0.25 USD`."""
        return str(sum(each.spent for each in self.store.tables.generated.entries.values()))


def _step(wait_s: float) -> float:
    return wait_s if wait_s > 0 else 5.0


async def worked(producer: Producer) -> None:
    """Have a worker do all that is due now, and end."""
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(producer.run())
        await asyncio.sleep(0)
        while True:
            await producer.look()
            if not producer.busy:
                break
            await producer.rested()
        running.cancel()
