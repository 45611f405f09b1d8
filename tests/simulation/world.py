"""What all parts of a simulated farm share: chance, time, the story, and what may go wrong."""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
STORY_LINES_MAX = 60

# Whose instructions run: its wall clock may be wrong by so many seconds.
wall_skew: ContextVar[list[float]] = ContextVar("wall_skew")


class Violation(Exception):
    """Something happened that must never happen; it ends the story."""


@dataclass
class World:
    """One story.

    Attributes:
        troubled: faults still happen; after them comes the calm in which all must end.
        faults: what went wrong so far, by kind.
        figures: what else is worth counting.
        verdicts: what must never happen, and did.
    """

    random: Random
    troubled: bool = True
    faults: Counter[str] = field(default_factory=Counter)
    figures: Counter[str] = field(default_factory=Counter)
    story: deque[str] = field(default_factory=lambda: deque(maxlen=STORY_LINES_MAX))
    verdicts: list[str] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    graves: list[asyncio.Future[None]] = field(default_factory=list)
    over: bool = False
    boots: int = 0

    def now_s(self) -> float:
        """Return the seconds since the story began."""
        return asyncio.get_running_loop().time()

    def tell(self, line: str) -> None:
        """Add a line to the story."""
        minutes, seconds = divmod(self.now_s(), 60)
        hours, minutes = divmod(int(minutes), 60)
        self.story.append(f"{hours:3}:{minutes:02}:{seconds:06.3f}  {line}")

    def fault(self, kind: str, line: str = "") -> None:
        """Count what goes wrong, and tell it."""
        self.faults[kind] += 1
        if line:
            self.tell(f"!! {line}")

    def violated(self, verdict: str) -> None:
        """Note what must never happen, and end the story."""
        self.tell(f"XX {verdict}")
        self.verdicts.append(verdict)
        self.ended.set()

    def strikes(self, probability: float) -> bool:
        """Whether a misfortune of this probability happens now; never in the calm."""
        return self.troubled and self.random.random() < probability

    def later(self, delay_s: float, work: Callable[[], None]) -> None:
        """Do something after a while, whoever lives then."""
        asyncio.get_running_loop().call_later(delay_s, work)

    async def nothing_more(self) -> None:
        """Wait, as what belongs to a dead process does, until the story is over."""
        if not self.over:
            grave = asyncio.get_running_loop().create_future()
            self.graves.append(grave)
            await grave
        raise asyncio.CancelledError

    def close(self) -> None:
        """End the story: what still ran, and what waited for nothing more."""
        self.over = True
        for waiting in (*self.tasks, *self.graves):
            waiting.cancel()

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Begin a task of the world itself; what it raises is a verdict."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self.tasks.add(task)
        task.add_done_callback(self._over)
        return task

    def _over(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.violated(f"{task.get_name()} failed: {error!r}")


class Process:
    """One process that can be killed at any of its instructions.

    What it does to the world goes through `step`; after its death nothing does any more.
    """

    def __init__(self, world: World, name: str, *, crash: float, skew_s: list[float]) -> None:
        """Prepare a process.

        Args:
            world: the story.
            name: for the story.
            crash: probability of dying at one step.
            skew_s: how wrong its wall clock is; a list of one, so that it can jump.
        """
        self.world = world
        self.name = name
        self.alive = True
        self.skew_s = skew_s
        self.died: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.on_death: Callable[[], None] = lambda: None
        self._crash = crash
        self._main: asyncio.Task[None] | None = None

    def begin(self, main: Callable[[], Awaitable[None]]) -> None:
        """Run its main function in a task of its own."""

        async def run() -> None:
            wall_skew.set(self.skew_s)
            await main()

        self._main = self.world.spawn(run(), self.name)

    def kill(self, how: str) -> None:
        """End it here and now, like kill -9."""
        if not self.alive:
            return
        self.alive = False
        self.died.set_result(None)
        self.world.fault(f"{self.name.split()[0]} {how}", f"{self.name}: {how}")
        if self._main is not None:
            self._main.cancel()
        self.on_death()

    async def step(self, at: str, lasts_s: float = 0.0) -> None:
        """Pass an instruction boundary; it may be the last one."""
        if self.alive and self.world.strikes(self._crash):
            self.kill(f"crash at {at}")
        if not self.alive:
            await self.world.nothing_more()
        if lasts_s:
            await asyncio.sleep(lasts_s)
            if not self.alive:
                await self.world.nothing_more()


class SkewedWall:
    """Stands in for `datetime` where code asks for the wall clock."""

    fromisoformat = datetime.fromisoformat

    @staticmethod
    def now(zone: object = UTC) -> datetime:
        """Return what the wall clock of the running process shows."""
        skew_s = wall_skew.get([0.0])[0]
        return NOON + timedelta(seconds=asyncio.get_running_loop().time() + skew_s)
