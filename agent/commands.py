"""Commands: what is not state. Done once, in a printer's turn, before they expire, and answered.

A command that comes twice gets its answer again and is not done again.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from agent.errors import DriverError, NotPossible
from agent.printers.driver import Driver
from protocols.wire.from_agent import CommandResult
from protocols.wire.to_agent import Command
from protocols.wire.vocabulary import AgentId

ANSWERS_KEPT = 1000  # repeats come within seconds; a thousand commands take minutes
COMMAND_S_MAX = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A command that waits for its printer's turn; `expires_at_s` is monotonic."""

    command: Command
    expires_at_s: float
    answer: Callable[[bool, str, str], None]

    async def perform(self, driver: Driver, now_s: float) -> None:
        """Do it if it is not too late, and answer."""
        name = self.command.name
        if now_s > self.expires_at_s:
            return self.answer(False, "expired", "the printer was busy for too long")
        if name not in driver.capabilities.commands:
            return self.answer(False, "unknown_command", f"this printer does not know {name!r}")
        try:
            async with asyncio.timeout(COMMAND_S_MAX):
                words = await driver.command(name, self.command.arguments)
        except NotPossible as refusal:
            return self.answer(False, "not_possible", str(refusal))
        except DriverError as failure:
            return self.answer(False, "failed", str(failure))
        except TimeoutError:
            return self.answer(False, "timeout", f"no answer in {COMMAND_S_MAX:.0f} s")
        return self.answer(True, "", words)


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

    def give(self, command: Command, ok: bool, code: str, message: str) -> None:
        """Answer a command, and remember the answer."""
        result = CommandResult(
            id=command.id, agent_id=self._agent_id, ok=ok, code=code, message=message
        )
        if command.id in self._known:
            self._known[command.id] = result
        self._say(result)
