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
    """Implements `coordinator.enrolment_ports.EnrolmentUnit` on a copy of the tables."""

    def __init__(self, tables: EnrolmentTables) -> None:
        self._enrolment = tables
        self.changed = False

    async def enrolment_token(self, token_id: str) -> EnrolmentToken | None:
        return self._enrolment.tokens.get(token_id)

    async def save_enrolment_token(self, token: EnrolmentToken) -> None:
        self.changed = True
        self._enrolment.tokens[token.token_id] = token

    async def drop_enrolment_tokens(self, before: datetime) -> None:
        self.changed = True
        kept = (each for each in self._enrolment.tokens.values() if each.expires_at >= before)
        self._enrolment.tokens = {each.token_id: each for each in kept}

    async def agent_credential(self, agent_id: AgentId) -> AgentCredential | None:
        return self._enrolment.credentials.get(agent_id)

    async def agent_credentials(self) -> list[AgentCredential]:
        return [self._enrolment.credentials[name] for name in sorted(self._enrolment.credentials)]

    async def save_agent_credential(self, credential: AgentCredential) -> None:
        self.changed = True
        self._enrolment.credentials[credential.agent_id] = credential
