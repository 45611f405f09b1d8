"""Commands: what is not state. Done once, before they expire, and answered.

A command that comes twice gets its answer again and is not done again. A printer's are done one
after the other beside its loop: an answer that takes a minute must not hold up a stop. Looking and
stopping wait for nobody; pictures wait for each other only.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from agent.errors import DriverError, NotPossible
from agent.pictures import Photographer
from agent.printers.driver import Driver
from protocols.wire.from_agent import CommandResult, FoundPlace
from protocols.wire.to_agent import Command
from protocols.wire.vocabulary import AgentId

log = structlog.get_logger(__name__)

# Who looks does so each second: worth a line only where it fails.
_LOOKS = frozenset({"dialogue", "picture"})
ANSWERS_KEPT = 1000  # repeats come within seconds; a thousand commands take minutes
COMMAND_S_MAX = 60.0


class Obeys(Protocol):
    """What does commands: a driver, or who looks through a printer's camera."""

    async def command(self, name: str, arguments: Mapping[str, Any]) -> str:
        """Do one; returns words for the person who asked. Raises `DriverError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A command that waits to be done; `expires_at_s` is monotonic."""

    command: Command
    expires_at_s: float
    answer: Callable[[bool, str, str], None]

    @property
    def presses(self) -> bool:
        """Whether it waits for no other: it only looks, or it stops the machine."""
        command = self.command
        line = str(command.arguments.get("line", "")).strip().upper()
        return command.name in ("dialogue", "emergency_stop") or line.startswith("M112")

    async def perform(self, who: Obeys, commands: Collection[str], now_s: float) -> None:
        """Have it done by who knows these commands, if it is not too late, and answer."""
        name = self.command.name
        if now_s > self.expires_at_s:
            return self.answer(False, "expired", "the printer was busy for too long")
        if name not in commands:
            return self.answer(False, "unknown_command", f"this printer does not know {name!r}")
        try:
            async with asyncio.timeout(COMMAND_S_MAX):
                words = await who.command(name, self.command.arguments)
        except NotPossible as refusal:
            return self.answer(False, "not_possible", str(refusal))
        except DriverError as failure:
            return self.answer(False, "failed", str(failure))
        except TimeoutError:
            return self.answer(False, "timeout", f"no answer in {COMMAND_S_MAX:.0f} s")
        return self.answer(True, "", words)


COMMANDS_MAX = 8


class Orders:
    """The orders of one printer."""

    def __init__(
        self,
        driver: Driver,
        monotonic_s: Callable[[], float],
        photographer: Photographer | None = None,
    ) -> None:
        """Take orders for a driver, and for who looks on; nothing is done before `run`."""
        self._driver = driver
        self._monotonic_s = monotonic_s
        self._photographer = photographer
        self._waiting: asyncio.Queue[Order] = asyncio.Queue(COMMANDS_MAX)
        self._pressing: asyncio.Queue[Order] = asyncio.Queue(COMMANDS_MAX)
        self._looking: asyncio.Queue[Order] = asyncio.Queue(COMMANDS_MAX)

    def put(self, order: Order) -> bool:
        """Take an order; False: too many wait."""
        try:
            self._queue_of(order).put_nowait(order)
        except asyncio.QueueFull:
            return False
        return True

    def _queue_of(self, order: Order) -> asyncio.Queue[Order]:
        photographer = self._photographer
        if photographer is not None and order.command.name in photographer.commands:
            return self._looking
        return self._pressing if order.presses else self._waiting

    async def run(self) -> None:
        """Do what was ordered until cancelled."""
        driver, photographer = self._driver, self._photographer
        known = driver.capabilities.commands
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._obey(self._pressing, driver, known), name="orders.pressing")
            tasks.create_task(self._obey(self._waiting, driver, known), name="orders.waiting")
            if photographer is not None:
                looking = self._obey(self._looking, photographer, photographer.commands)
                tasks.create_task(looking, name="orders.looking")

    async def _obey(
        self, orders: asyncio.Queue[Order], who: Obeys, commands: Collection[str]
    ) -> None:
        while True:
            await (await orders.get()).perform(who, commands, self._monotonic_s())


class Answers:
    """What was answered to which command, so that a repetition is harmless."""

    def __init__(self, agent_id: AgentId, say: Callable[[CommandResult], None]) -> None:
        """Answers go out through `say`."""
        self._agent_id = agent_id
        self._say = say
        self._known: OrderedDict[str, CommandResult | None] = OrderedDict()

    def is_new(self, command: Command) -> bool:
        """Whether the command was never seen; a known one is answered again if it was done."""
        if command.id not in self._known:
            self._known[command.id] = None
            while len(self._known) > ANSWERS_KEPT:
                self._known.popitem(last=False)
            return True
        if (answered := self._known[command.id]) is not None:
            self._say(answered)
        return False

    def give(
        self,
        command: Command,
        ok: bool,
        code: str,
        message: str,
        found: tuple[FoundPlace, ...] = (),
    ) -> None:
        """Answer a command, and remember the answer."""
        result = CommandResult(
            id=command.id,
            agent_id=self._agent_id,
            ok=ok,
            code=code,
            message=message,
            found=found,
        )
        if command.id in self._known:
            self._known[command.id] = result
        tell = log.debug if ok and command.name in _LOOKS else log.info
        tell("command.answered", command_id=command.id, name=command.name, ok=ok, code=code)
        self._say(result)
