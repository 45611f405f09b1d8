"""A broker's list that remembers who is on it."""

from collections.abc import Sequence

from coordinator.domain.enrolment import AgentCredential


class RecordingDoor:
    """Implements `coordinator.ports_enrolment.BrokerDoor`; `inside` are the agents let in."""

    def __init__(self) -> None:
        self.inside: list[str] = []

    async def admit(self, credentials: Sequence[AgentCredential]) -> None:
        self.inside = [each.agent_id for each in credentials if each.good]
