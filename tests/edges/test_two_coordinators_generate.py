"""Two coordinators on one real PostgreSQL share the work on generations, and pay each once."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from coordinator.adapters.clock import SystemClock, TimeSortedIds
from coordinator.adapters.db.postgresql import named
from coordinator.adapters.db.store import open_database
from coordinator.adapters.storage.obstore_artifacts import open_artifacts
from coordinator.domain.generations import Asked, GenerationState
from coordinator.domain.ledger import Budget
from coordinator.domain.providing import Kind
from coordinator.ports_generations import GenerationsWanted
from coordinator.usecases import generating
from coordinator.usecases.farm import Farm
from coordinator.usecases.generating import Wanted
from coordinator.usecases.producing import Producer
from coordinator.usecases.sources import Source, Sources
from tests.fakes.fake_slicer import FakeSlicer
from tests.fakes.fake_workshop import FakeWorkshop
from tests.fakes.postgresql_process import PostgresqlProcess
from tests.fakes.recording_link import RecordingLink
from tests.fakes.scripted_provider import PRICE, ScriptedProvider, Service, offering

WANTED, PAID = 12, 8
OFFERED = offering(look_every_s=0.0, at_once_max=3)


async def worked(farm: Farm, producer: Producer) -> None:
    """Work until nothing is left that has something to do."""
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(producer.run())
        await asyncio.sleep(0)
        while True:
            await producer.look()
            await producer.rested()
            async with farm.store.read() as unit:
                every = await unit.generations_page(GenerationsWanted(), after=None, limit=99)
            if all(each.ended for each in every):
                break
            await asyncio.sleep(0)
        running.cancel()


async def test_each_generation_is_worked_on_by_one_of_them(
    postgresql: PostgresqlProcess, tmp_path: Path
) -> None:
    address, service, farms = postgresql.new_database(), Service(), list[Farm]()
    providers = [ScriptedProvider(service=service, offer=OFFERED) for _ in range(2)]
    async with AsyncExitStack() as stack:
        artifacts = await stack.enter_async_context(open_artifacts(tmp_path / "artifacts"))
        for provider in providers:
            source = Source(name="mesh", provider=provider, budget=Budget(day=PAID * PRICE))
            farms.append(
                Farm(
                    store=await stack.enter_async_context(open_database(named(address))),
                    artifacts=artifacts,
                    slicer=FakeSlicer(),
                    workshop=FakeWorkshop(),
                    link=RecordingLink(),
                    clock=SystemClock(),
                    ids=TimeSortedIds(),
                    sources=Sources([source]),
                )
            )
        for number in range(WANTED):
            asked = replace(Asked(kind=Kind.TEXT, name="a hook"), prompt=f"hook {number}")
            await generating.want(farms[0], Wanted(provider="mesh", asked=asked, actor="user:anna"))
        await asyncio.gather(
            *(worked(each, Producer(each, f"worker-{n}")) for n, each in enumerate(farms))
        )
        async with farms[0].store.read() as unit:
            every = await unit.generations_page(GenerationsWanted(), after=None, limit=99)
            made = [name for each in every for name, _ in each.versions]
            again = [await unit.model_version(name, 2) for name in made]
    done = [each for each in every if each.state is GenerationState.DONE]
    assert len(done) == PAID
    assert len(service.calls) == len(set(service.calls)) == PAID
    assert service.till == PAID * PRICE
    assert not any(again)
    assert all(provider.wishes for provider in providers), "both worked"
