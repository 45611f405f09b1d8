"""A thread for what feeds printers line by line, so that it waits for nothing else of the agent.

A print starves when an answer comes late by what a planner holds, some tens of milliseconds. On the
agent's own loop, decoding a message, a handshake with the broker or an import can take that long.
"""

import asyncio
import os
import threading
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from agent.printers.driver import Capabilities, Driver, Observation, PlateFile, RunSeen
from agent.printers.line_loop import LineLoop
from protocols.wire.vocabulary import RunId

T = TypeVar("T")

END_S_MAX = 5.0  # for ports to be closed
# A busy machine lets it run before all else, where it may have that (LimitNICE in systemd).
NICENESS = -10


class LineThread:
    """One thread with a loop for lines; begins with the first thing to do."""

    def __init__(self) -> None:
        """Begin without a thread."""
        self._loop = LineLoop()
        self._thread: threading.Thread | None = None

    async def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Have something done on the thread's loop; cancelling this cancels it there.

        Returns and raises what it does.
        """
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="lines", daemon=True)
            self._thread.start()
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def turn(self) -> None:
        """Come back once the thread's loop came round; at once while there is no thread."""
        if self._thread is not None:
            await self.do(asyncio.sleep(0))

    def _run(self) -> None:
        with suppress(OSError):  # not allowed, or no such thing here
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        self._loop.run_forever()

    def close(self) -> None:
        """End what is being done there, and the thread; blocks for seconds at worst."""
        if self._thread is not None:
            ended: Future[None] = asyncio.run_coroutine_threadsafe(_end_others(), self._loop)
            with suppress(TimeoutError):
                ended.result(END_S_MAX)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(END_S_MAX)
            self._thread = None
        if not self._loop.is_running():
            self._loop.close()


async def _end_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


class OnLineThread:
    """A driver that lives on a line thread. See `agent.printers.driver.Driver`."""

    def __init__(self, driver: Driver, thread: LineThread) -> None:
        """Have this driver, which does not run yet, live there."""
        self._driver = driver
        self._thread = thread

    @property
    def capabilities(self) -> Capabilities:
        """What the driver is capable of."""
        return self._driver.capabilities

    @property
    def observation(self) -> Observation:
        """What is seen now; the driver makes a snapshot, from whatever thread it is asked."""
        return self._driver.observation

    async def run(self) -> None:
        """See the contract."""
        await self._thread.do(self._driver.run())

    async def changed(self) -> None:
        """See the contract."""
        await self._thread.do(self._driver.changed())

    async def check(self, plate: PlateFile) -> None:
        """See the contract."""
        await self._thread.do(self._driver.check(plate))

    async def start(self, plate: PlateFile, run_id: RunId) -> None:
        """See the contract."""
        await self._thread.do(self._driver.start(plate, run_id))

    async def pause(self) -> None:
        """See the contract."""
        await self._thread.do(self._driver.pause())

    async def resume(self) -> None:
        """See the contract."""
        await self._thread.do(self._driver.resume())

    async def stop(self) -> None:
        """See the contract."""
        await self._thread.do(self._driver.stop())

    async def recover(self, run_id: RunId, plate: PlateFile | None) -> RunSeen:
        """See the contract."""
        return await self._thread.do(self._driver.recover(run_id, plate))

    async def command(self, name: str, arguments: Mapping[str, Any]) -> str:
        """See the contract."""
        return await self._thread.do(self._driver.command(name, arguments))
