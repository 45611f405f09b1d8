"""A link that keeps what was said; it can be cut."""

from collections.abc import Awaitable, Callable

from coordinator.errors import Unavailable
from protocols.wire.to_agent import Command, Desired
from protocols.wire.vocabulary import AgentId, PrinterId


class RecordingLink:
    """Implements `coordinator.ports.AgentLink`; `retained` is what a broker would keep.

    `answer` is what an agent does with a command; without it nobody answers.
    """

    def __init__(self) -> None:
        self.said: list[tuple[AgentId, Desired]] = []
        self.retained: dict[PrinterId, Desired] = {}
        self.commands: list[Command] = []
        self.answer: Callable[[Command], Awaitable[None]] | None = None
        self.connected = True
        self.asked_again = 0

    @property
    def trouble(self) -> str:
        return "" if self.connected else "the broker does not answer: start it"

    async def publish_desired(self, agent_id: AgentId, desired: Desired) -> None:
        if not self.connected:
            raise Unavailable("broker_unreachable", self.trouble)
        self.said.append((agent_id, desired))
        self.retained[desired.printer_id] = desired

    async def forget_printer(self, agent_id: AgentId, printer_id: PrinterId) -> None:
        if not self.connected:
            raise Unavailable("broker_unreachable", self.trouble)
        self.retained.pop(printer_id, None)

    async def forget_agent(self, agent_id: AgentId) -> None:
        if not self.connected:
            raise Unavailable("broker_unreachable", self.trouble)

    async def ask_again(self) -> None:
        self.asked_again += 1

    async def send_command(self, command: Command) -> None:
        if not self.connected:
            raise Unavailable("broker_unreachable", self.trouble)
        self.commands.append(command)
        if self.answer is not None:
            await self.answer(command)
