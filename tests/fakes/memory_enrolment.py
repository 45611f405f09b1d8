"""The part of a unit in memory that is about enrolment."""

from dataclasses import dataclass, field
from datetime import datetime

from coordinator.domain.enrolment import AgentCredential, EnrolmentToken
from protocols.wire.vocabulary import AgentId


@dataclass
class EnrolmentTables:
    """Its rows."""

    tokens: dict[str, EnrolmentToken] = field(default_factory=dict)
    credentials: dict[AgentId, AgentCredential] = field(default_factory=dict)

    def copy(self) -> "EnrolmentTables":
        return EnrolmentTables(dict(self.tokens), dict(self.credentials))


class MemoryEnrolment:
    """Implements `coordinator.ports_enrolment.EnrolmentUnit` on a copy of the tables."""

    enrolment: EnrolmentTables
    changed: bool

    async def enrolment_token(self, token_id: str) -> EnrolmentToken | None:
        return self.enrolment.tokens.get(token_id)

    async def save_enrolment_token(self, token: EnrolmentToken) -> None:
        self.changed = True
        self.enrolment.tokens[token.token_id] = token

    async def drop_enrolment_tokens(self, before: datetime) -> None:
        self.changed = True
        kept = (each for each in self.enrolment.tokens.values() if each.expires_at >= before)
        self.enrolment.tokens = {each.token_id: each for each in kept}

    async def agent_credential(self, agent_id: AgentId) -> AgentCredential | None:
        return self.enrolment.credentials.get(agent_id)

    async def agent_credentials(self) -> list[AgentCredential]:
        return [self.enrolment.credentials[name] for name in sorted(self.enrolment.credentials)]

    async def save_agent_credential(self, credential: AgentCredential) -> None:
        self.changed = True
        self.enrolment.credentials[credential.agent_id] = credential
