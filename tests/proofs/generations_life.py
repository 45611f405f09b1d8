"""One process of the proof of generations: it asks, works until nothing is left, and may die.

People cancel, settle and approve meanwhile, webhooks tell of tasks; one whose calls hang finds that
another worker took them over. Waits are leapt over.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from coordinator.adapters.clock import TimeSortedIds
from coordinator.adapters.db.store import open_store
from coordinator.adapters.storage.obstore_artifacts import open_artifacts
from coordinator.domain.generations import ENDED, Asked, Generation, GenerationState, Printing
from coordinator.domain.ledger import Budget
from coordinator.domain.providing import Again, Kind, ProviderFault
from coordinator.errors import FarmError
from coordinator.ports_generations import GenerationsWanted
from coordinator.usecases import generating
from coordinator.usecases.farm import Farm
from coordinator.usecases.generating import Settlement, Wanted
from coordinator.usecases.producing import Producer
from coordinator.usecases.sources import Source, Sources
from tests.fakes.fake_slicer import FakeSlicer
from tests.fakes.recording_link import RecordingLink
from tests.fakes.scripted_provider import PRICE, offering
from tests.proofs.generations_farm import (
    Fuse,
    LeapingClock,
    Perilous,
    PerilousStore,
    PerilousWorkshop,
    Steps,
    Till,
)

# Some of those that are wanted can't be paid.
BUDGET = PRICE * 4
FROZEN_S = 61.0
# Each has tasks looked at now, and no time passes meanwhile.
WEBHOOKS_MAX = 20
_PRINTED = Printing(copies=2)
# From the first process on; all are different.
FIRST = (
    (Asked(kind=Kind.TEXT, name="hook 0", prompt="hook 0", printing=_PRINTED), True),
    (Asked(kind=Kind.TEXT, name="hook 1", prompt="hook 1"), True),
    (Asked(kind=Kind.TEXT, name="hook 2", prompt="hook 2", printing=_PRINTED), False),
    (Asked(kind=Kind.TEXT, name="hook 3", prompt="hook 3"), False),
    (Asked(kind=Kind.TEXT, name="hook 4", prompt="hook 4", printing=_PRINTED), True),
)
# Once most have ended: what exists is good enough.
AGAIN = (
    (replace(FIRST[0][0], name="hook 5", reuse=True), True),
    (replace(FIRST[1][0], name="hook 6", reuse=True), True),
    (replace(FIRST[1][0], name="hook 7", reuse=True), False),
)


@dataclass(frozen=True)
class Life:
    """What one process does: where it dies, what goes wrong; by one seed."""

    again: Again
    seed: int = 0
    fuse: int | None = None
    named: str = ""
    faulty: bool = False
    freezes: int = 0
    settles: bool = False


@dataclass
class World:
    """What a process works with."""

    farm: Farm
    clock: LeapingClock
    provider: Perilous
    till: Till
    chance: random.Random
    idle_s: float = 0.0
    webhooks: int = WEBHOOKS_MAX


@asynccontextmanager
async def world_of(folder: Path, life: Life) -> AsyncIterator[World]:
    chance, steps = random.Random(life.seed), Steps(folder / "steps")
    fuse, clock = Fuse(steps, life.fuse, life.named), LeapingClock(folder / "clock")
    till = Till(folder / "till", fuse, chance)
    till.faulty = life.faulty
    provider = Perilous(
        service=till,
        offer=offering(again=life.again, look_every_s=1.0, at_once_max=2),
        fuse=fuse,
        chance=chance,
        faulty=life.faulty,
        freezes=life.freezes,
    )
    async with (
        open_store(folder / "farm.sqlite3") as store,
        open_artifacts(folder / "artifacts") as artifacts,
    ):
        farm = Farm(
            store=PerilousStore(store, fuse),  # type: ignore[arg-type]
            artifacts=artifacts,
            slicer=FakeSlicer(),
            workshop=PerilousWorkshop(provider),
            link=RecordingLink(),
            clock=clock,
            ids=TimeSortedIds(),
            sources=Sources([Source(name="mesh", provider=provider, budget=Budget(day=BUDGET))]),
        )
        yield World(farm, clock, provider, till, chance)


async def live(folder: Path, life: Life) -> None:
    """Be one process: ask for what was not asked for yet, and work until nothing is left to do."""
    async with world_of(folder, life) as world:
        Steps(folder / "steps").count_moves()
        await ask_for(world.farm, 0, FIRST)
        if life.settles:
            await settle_all(world)
            await ask_for(world.farm, len(FIRST), AGAIN)
        if life.faulty:
            world.provider.meanwhile = lambda: change_a_mind(world)
        producer, other = Producer(world.farm, "worker"), Producer(world.farm, "other")
        await producer.take_up()
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(each.run()) for each in (producer, other)]
            await asyncio.sleep(0)
            while await worked(world, producer, other):
                if life.faulty:
                    await tell_by_webhook(world)
            for each in running:
                each.cancel()


async def worked(world: World, producer: Producer, other: Producer) -> bool:
    """Do what is due; leap to what will be. Return whether there may be more."""
    await producer.look()
    resting = asyncio.ensure_future(producer.rested())
    freezing = asyncio.ensure_future(world.provider.frozen.wait())
    await asyncio.wait({resting, freezing}, return_when=asyncio.FIRST_COMPLETED)
    if world.provider.frozen.is_set():  # its leases end, and another takes over what it was at
        world.clock.leap(FROZEN_S)
        await other.look()
        await other.rested()
        world.provider.thaw.set()
        world.provider.frozen.clear()
    await resting
    freezing.cancel()
    due = [each.next_at for each in await all_of(world.farm) if each.next_at is not None]
    wait_s = (min(due) - world.clock.now()).total_seconds() if due else 0.0
    # What is due and not taken up waits for a place, or for a provider that is left alone.
    world.idle_s = 0.0 if wait_s > 0 else min(2 * world.idle_s + 1.0, 60.0)
    world.clock.leap(max(wait_s, world.idle_s))
    return bool(due)


async def ask_for(farm: Farm, first: int, every: Iterable[tuple[Asked, bool]]) -> None:
    known = {each.generation_id for each in await all_of(farm)}
    for number, (asked, approved) in enumerate(every, first):
        if (its_id := f"gen-{number}") not in known:
            wanted = Wanted(provider="mesh", asked=asked, actor="user:anna", generation_id=its_id)
            farm_now = farm if approved else replace(farm, policy=_strict(farm))
            await generating.want(farm_now, wanted)


def _strict(farm: Farm) -> Any:
    return replace(farm.policy, approve_generations=True)


async def change_a_mind(world: World) -> None:
    """Be somebody who cancels one of them."""
    open_now = [each for each in await all_of(world.farm) if each.state not in ENDED]
    if open_now:
        with suppress(FarmError):  # it has ended meanwhile
            chosen = world.chance.choice(open_now).generation_id
            await generating.cancel(world.farm, chosen, "user:anna")


async def tell_by_webhook(world: World) -> None:
    """Tell of tasks: twice, in any order, of unknown ones; and be somebody who forges that."""
    if not world.webhooks or world.chance.random() < 0.5:
        return
    world.webhooks -= 1
    ids = [*world.till.tasks, "task-unknown"] * 2
    world.chance.shuffle(ids)
    body = " ".join(ids[: world.chance.randrange(4)]).encode()
    secret = world.chance.choice(("right", "right", "wrong"))
    [source] = world.farm.sources
    try:
        hints = world.provider.hints({"x-secret": secret}, body)
    except ProviderFault:
        return
    await generating.hinted(world.farm, source, [hint.task_id for hint in hints])


async def settle_all(world: World) -> None:
    """Be the person who looks at the vendor's list, and at what was made."""
    farm = world.farm
    for each in await all_of(farm):
        its_id = each.generation_id
        if each.state is GenerationState.AWAITING_APPROVAL:
            say = world.chance.choice((generating.approve, generating.approve, generating.reject))
            await say(farm, its_id, "user:boss")
        if each.state is not GenerationState.UNSURE:
            continue
        found = [task.task_id for task in world.till.every if task.key == each.key]
        how = Settlement.HAPPENED if found else Settlement.NEVER
        if not found and world.chance.random() < 0.3:
            how = Settlement.GIVE_UP
        await generating.settle(farm, its_id, how, "user:boss", task_id="".join(found[:1]))


ALL = GenerationsWanted()
PAGE: dict[str, Any] = {"after": None, "limit": 100}


async def all_of(farm: Farm) -> list[Generation]:
    async with farm.store.read() as unit:
        return await unit.generations_page(ALL, **PAGE)
