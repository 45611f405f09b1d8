"""Agents that have enrolled, for tests that need no farm around them."""

from datetime import UTC, datetime

from coordinator.domain.broker_access import password_hash
from coordinator.domain.enrolment import AgentCredential, hashed
from protocols.wire.vocabulary import AgentId

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def secret_of(agent_id: str) -> str:
    """Return what the agent shows."""
    return f"secret-of-{agent_id}-".ljust(43, "x")


def credential_of(agent_id: str) -> AgentCredential:
    """Return what the farm has stored of it."""
    secret = secret_of(agent_id)
    return AgentCredential(
        agent_id=AgentId(agent_id),
        secret_sha256=hashed(secret),
        broker_hash=password_hash(secret, b"twelve bytes"),
        issued_at=NOW,
        token_id="one",
    )
