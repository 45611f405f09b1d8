"""The bell: rings the farm's recurring work, and at once when somebody pokes.

APScheduler keeps the times, in memory only: what is to be done stands in the database, so a bell
that was missed loses nothing. Each kind of work has as many hands as its bell says, one unless
told; rings that come while all are at work become one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog
from apscheduler.executors.debug import DebugExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from coordinator.errors import FarmError

log = structlog.get_logger(__name__)

# A database that another program held, a broker that came back: soon, but without haste.
RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class Bell:
    """Work that is done again and again; doing it once too often is harmless.

    Attributes:
        hands: how often it may be done at once.
    """

    work: Callable[[], Awaitable[object]]
    every_s: float
    hands: int = 1


class Ticker:
    """Rings bells by name."""

    def __init__(self, bells: Mapping[str, Bell]) -> None:
        """Take the bells; nothing rings before `run`."""
        self._bells = bells
        self._wanted = {name: asyncio.Event() for name in bells}

    def poke(self, name: str) -> None:
        """Ring a bell now; a name that nobody listens to is a mistake of ours."""
        self._wanted[name].set()

    async def run(self) -> None:
        """Ring until cancelled."""
        scheduler = AsyncIOScheduler(
            # A ring is done at once: one that still waits at the end would be logged as an error.
            executors={"default": DebugExecutor()},
            # A loop that stalled must not lose a ring, nor make up for each it missed.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        for name, bell in self._bells.items():
            scheduler.add_job(self.poke, "interval", (name,), seconds=bell.every_s, id=name)
        scheduler.start()
        try:
            async with asyncio.TaskGroup() as tasks:
                for name, bell in self._bells.items():
                    for hand in range(bell.hands):
                        tasks.create_task(self._answer(name, bell), name=f"ticker-{name}-{hand}")
        finally:
            scheduler.shutdown(wait=False)

    async def _answer(self, name: str, bell: Bell) -> None:
        """Do one kind of work each time its bell has rung; tell a failure once, and its end."""
        wanted, failing = self._wanted[name], False
        while True:
            await wanted.wait()
            wanted.clear()
            try:
                await bell.work()
            except FarmError as error:
                if not failing:
                    log.warning("work.failed", work=name, error=str(error))
                failing = True
                await asyncio.sleep(RETRY_S)
                wanted.set()
            else:
                if failing:
                    log.info("work.recovered", work=name)
                failing = False
