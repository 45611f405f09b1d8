"""Tasks that tell of themselves, from a server that stands in for Meshy to a model's version."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from coordinator.domain.generations import GenerationState
from coordinator.usecases.listening import AGAIN_S, Listener
from tests.contracts.provider_benches import meshy
from tests.coordinator.usecases.generation_bench import Bench
from tests.fakes.fake_meshy import FakeMeshy
from tests.fakes.paid_service import Trouble

S = GenerationState


@asynccontextmanager
async def listened(bench: Bench) -> AsyncIterator[Listener]:
    listener = Listener(bench.farm)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(listener.run())
        await asyncio.sleep(0)
        yield listener
        running.cancel()


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[tuple[Bench, FakeMeshy]]:
    async with meshy(tmp_path) as opened:
        assert isinstance(opened.service, FakeMeshy)
        yield Bench(tmp_path, opened.provider), opened.service  # type: ignore[arg-type]


def streams(service: FakeMeshy) -> int:
    return sum(path.endswith("/stream") for path, _ in service.asked)


async def test_an_end_is_heard_and_not_waited_for(place: tuple[Bench, FakeMeshy]) -> None:
    bench, service = place
    its_id = await bench.want()
    await bench.work()
    assert (await bench.show(its_id)).state is S.RUNNING
    async with listened(bench) as listener:
        await listener.look()
        await listener.rested()
    await bench.work()
    assert (await bench.show(its_id)).state is S.DONE
    assert bench.clock.elapsed_s == 0
    assert len(service.till.charges) == 1


@pytest.mark.parametrize("how", ["drop", "garbage", "status", "halved"])
async def test_without_a_stream_looking_goes_on(place: tuple[Bench, FakeMeshy], how: str) -> None:
    bench, service = place
    service.misbehave("stream", *[Trouble(how=how)] * 2)
    its_id = await bench.want()
    await bench.work()
    async with listened(bench) as listener:
        await listener.look()
        await listener.rested()
        tried = streams(service)
        await listener.look()
        await listener.rested()
        assert streams(service) == tried  # not at once again
        service.behave()
        bench.clock.advance(AGAIN_S + 1)
        await listener.look()
        await listener.rested()
        assert streams(service) == tried + 1
    await bench.work(60)
    assert (await bench.show(its_id)).state is S.DONE


async def test_what_has_ended_is_not_listened_to(place: tuple[Bench, FakeMeshy]) -> None:
    bench, service = place
    its_id = await bench.want()
    await bench.work(60)
    assert (await bench.show(its_id)).state is S.DONE
    async with listened(bench) as listener:
        await listener.look()
        await listener.rested()
    assert streams(service) == 0
