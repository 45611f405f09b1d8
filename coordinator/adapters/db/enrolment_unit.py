"""The part of a `Unit` that is about enrolment: tokens, and what agents show."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select

from coordinator.adapters.db import tables
from coordinator.adapters.db.saving import saving
from coordinator.domain.enrolment import AgentCredential, EnrolmentToken
from protocols.wire.vocabulary import AgentId

_TOKENS = tables.table(tables.EnrolmentTokenRow)
_CREDENTIALS = tables.table(tables.AgentCredentialRow)


_TOKEN = select(_TOKENS).where(_TOKENS.c.token_id == bindparam("id"))
_DROP_TOKENS = delete(_TOKENS).where(_TOKENS.c.expires_at < bindparam("before"))
_SAVE_TOKEN = saving(_TOKENS, "token_id")
_CREDENTIAL = select(_CREDENTIALS).where(_CREDENTIALS.c.agent_id == bindparam("id"))
_ALL_CREDENTIALS = select(_CREDENTIALS).order_by(_CREDENTIALS.c.agent_id)
_SAVE_CREDENTIAL = saving(_CREDENTIALS, "agent_id")


class EnrolmentUnit:
    """Enrolment in one transaction; the contracts stand in the port."""

    _connection: Connection

    async def enrolment_token(self, token_id: str) -> EnrolmentToken | None:
        """Return one token."""
        found = self._connection.execute(_TOKEN, {"id": token_id}).mappings().first()
        return EnrolmentToken(**found) if found is not None else None

    async def save_enrolment_token(self, token: EnrolmentToken) -> None:
        """Insert or replace a token."""
        self._connection.execute(_SAVE_TOKEN[self._connection.dialect.name], asdict(token))

    async def drop_enrolment_tokens(self, before: datetime) -> None:
        """Remove the tokens that expired before then."""
        self._connection.execute(_DROP_TOKENS, {"before": before})

    async def agent_credential(self, agent_id: AgentId) -> AgentCredential | None:
        """Return what an agent shows, revoked or not."""
        found = self._connection.execute(_CREDENTIAL, {"id": agent_id}).mappings().first()
        return AgentCredential(**found) if found is not None else None

    async def agent_credentials(self) -> list[AgentCredential]:
        """Return all of them, by agent."""
        found = self._connection.execute(_ALL_CREDENTIALS).mappings()
        return [AgentCredential(**row) for row in found]

    async def save_agent_credential(self, credential: AgentCredential) -> None:
        """Insert or replace an agent's credential."""
        statement = _SAVE_CREDENTIAL[self._connection.dialect.name]
        self._connection.execute(statement, asdict(credential))
