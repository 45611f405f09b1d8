"""What the use cases of enrolment ask of the outside; the part of `Unit` that is about it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from coordinator.domain.enrolment import AgentCredential, EnrolmentToken
from protocols.wire.vocabulary import AgentId


class EnrolmentUnit(Protocol):
    """Tokens and credentials in one transaction."""

    async def enrolment_token(self, token_id: str) -> EnrolmentToken | None:
        """Return one token."""

    async def save_enrolment_token(self, token: EnrolmentToken) -> None:
        """Insert or replace a token."""

    async def drop_enrolment_tokens(self, before: datetime) -> None:
        """Remove the tokens that expired before then; history still tells of them."""

    async def agent_credential(self, agent_id: AgentId) -> AgentCredential | None:
        """Return what an agent shows, revoked or not."""

    async def agent_credentials(self) -> list[AgentCredential]:
        """Return all of them, by agent."""

    async def save_agent_credential(self, credential: AgentCredential) -> None:
        """Insert or replace an agent's credential."""


class BrokerDoor(Protocol):
    """The broker's list of who may enter."""

    async def admit(self, credentials: Sequence[AgentCredential]) -> None:
        """Let in who shows one of these, and nobody else of the agents.

        Who is connected and no longer on the list can neither speak nor hear from now on.

        Raises:
            Unavailable: the list can't be written.
        """


class OpenDoor:
    """The door of a broker that is somebody else's: its list is not ours to write."""

    async def admit(self, credentials: Sequence[AgentCredential]) -> None:
        """Do nothing."""
