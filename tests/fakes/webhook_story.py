"""Endpoints of a farm on fakes: made, and brought what is due."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from coordinator.domain.history import FarmEvent
from coordinator.domain.webhooks import Endpoint
from coordinator.usecases import webhooks
from coordinator.usecases.delivering import Courier
from coordinator.usecases.farm import Farm
from coordinator.usecases.webhooks import Wish
from tests.fakes.fake_outside import FakeOutside
from tests.fakes.manual_clock import ManualClock


async def hook(farm: Farm, url: str = "https://one.test/", **wish: Any) -> Endpoint:
    return await webhooks.create(farm, Wish(url=url, **wish), "user:anna", "request r1")


async def happens(farm: Farm, *names: str) -> None:
    """Let lines of history be written."""
    at = farm.clock.now()
    events = [
        FarmEvent(subject="job", subject_id=f"job-{index}", name=name, at=at, actor="farm")
        for index, name in enumerate(names)
    ]
    async with farm.store.write() as unit:
        await unit.record(*events)


@asynccontextmanager
async def courier(farm: Farm) -> AsyncIterator[Courier]:
    """A courier at work, and its end by force: what a kill leaves."""
    carrier = Courier(farm)
    running = asyncio.create_task(carrier.run())
    await turns()
    try:
        yield carrier
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def turns() -> None:
    """Let everybody do what needs no time."""
    for _ in range(200):
        await asyncio.sleep(0)


async def carry(farm: Farm) -> None:
    """Look once, and let all that is due be carried."""
    async with courier(farm) as carrier:
        await carrier.look()
        await turns()


def clock(farm: Farm) -> ManualClock:
    assert isinstance(farm.clock, ManualClock)
    return farm.clock


async def stored(farm: Farm, endpoint: Endpoint) -> Endpoint:
    return (await webhooks.view(farm, endpoint.endpoint_id)).endpoint


def ids(outside: FakeOutside, url: str = "") -> list[str]:
    return [said["data"]["id"] for said in outside.said(url)]
