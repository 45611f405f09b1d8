"""A link that keeps what was said; it can be cut."""

from coordinator.errors import Unavailable
from protocols.wire.to_agent import Desired
from protocols.wire.vocabulary import AgentId, PrinterId


class RecordingLink:
    """Implements `coordinator.ports.AgentLink`; `retained` is what a broker would keep."""

    def __init__(self) -> None:
        self.said: list[tuple[AgentId, Desired]] = []
        self.retained: dict[PrinterId, Desired] = {}
        self.connected = True

    @property
    def trouble(self) -> str:
        return "" if self.connected else "the broker does not answer: start it"

    async def publish_desired(self, agent_id: AgentId, desired: Desired) -> None:
        if not self.connected:
            raise Unavailable("broker_unreachable", self.trouble)
        self.said.append((agent_id, desired))
        self.retained[desired.printer_id] = desired
