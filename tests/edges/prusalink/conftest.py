"""A PrusaLink of our own on loopback for each test, and a driver before it."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from agent.printers.driver import Observation, PlateFile, RunState
from agent.printers.prusalink import PrusaLink
from protocols.wire.vocabulary import PrinterId, RunId
from tests.fakes.fake_prusalink import KEY, FakePrusaLink

PATIENCE_S = 20.0


class LinkBench:
    """One printer; drivers come and go."""

    def __init__(self, folder: Path) -> None:
        self.printer, self.folder = FakePrusaLink(), folder
        path = folder / "cube.gcode"
        path.write_text("G28\nG1 X10 Y10 Z0.2 E1\n")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        self.plate = PlateFile(path=path, sha256=digest, name="cube")
        self._task: asyncio.Task[None] | None = None

    async def open(self, **settings: Any) -> None:
        """Have a process look at the printer; the one before it is dead."""
        await self.die()
        self.driver = PrusaLink(
            PrinterId("one"),
            {
                "url": self.url,
                "api_key": KEY,
                "allow": ["cold", "unhomed"],
                "poll_moving_s": 0.05,
                "poll_resting_s": 0.05,
                **settings,
            },
            state_dir=self.folder / "state",
            start_seen_s=2.0,
            settle_s=0.3,
            back_off_s_max=1.0,
        )
        self._task = asyncio.create_task(self.driver.run(), name="driver")

    async def die(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def until(self, holds: Callable[[Observation], Any]) -> Observation:
        async with asyncio.timeout(PATIENCE_S):
            while not holds(self.driver.observation):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await self.driver.changed()
        return self.driver.observation

    async def until_run(self, state: RunState) -> None:
        await self.until(lambda seen: seen.run is not None and seen.run.state is state)

    async def start(self, run: str) -> RunId:
        await self.driver.check(self.plate)
        await self.driver.start(self.plate, RunId(run))
        return RunId(run)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[LinkBench]:
    bench = LinkBench(tmp_path)
    bench.url = await bench.printer.start()
    yield bench
    await bench.die()
    await bench.printer.stop()
