"""Agents that enrol: a one-time token is traded for the agent's own credential.

Theory. A *token* lets one agent in, once, before it expires; it may be made for one name. The agent
makes its own secret and brings it along, so that a lost answer costs nothing: the same token with
the same secret is answered again, with another secret it is used up. A *credential* is an agent's
name and the hashes of its secret: what it shows to the broker (its name is the user's) and to the
HTTP API. It ends when it is revoked or replaced by another enrolment. What is stored opens nothing:
secrets are there as hashes only.
"""

import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import datetime

from coordinator.domain.effects import Note
from coordinator.errors import Refused
from protocols.wire.vocabulary import AgentId, is_id

TOKEN_PREFIX = "enroll"
CREDENTIAL_PREFIX = "agent"

# 32 random bytes as text have 43 characters; whoever brings less made it up.
SECRET_CHARACTERS_MIN = 43
SECRET_CHARACTERS_MAX = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentToken:
    """A one-time token.

    Attributes:
        token_id: the part of it that is no secret.
        agent_id: the only name that it enrols, None for a new one.
        secret_sha256: of its secret, 64 hex digits.
        used_by: who came with it, None as long as nobody did.
        used_secret_sha256: of the secret that came with it.
    """

    token_id: str
    agent_id: AgentId | None = None
    secret_sha256: str
    made_by: str
    made_at: datetime
    expires_at: datetime
    used_by: AgentId | None = None
    used_at: datetime | None = None
    used_secret_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentCredential:
    """What one agent shows.

    Attributes:
        secret_sha256: of its secret, for the HTTP API.
        broker_hash: of the same secret, as the broker's password file has it.
        revoked_at: since when it opens nothing, None while it is good.
    """

    agent_id: AgentId
    secret_sha256: str
    broker_hash: str
    issued_at: datetime
    token_id: str
    revoked_at: datetime | None = None

    @property
    def good(self) -> bool:
        """Whether it opens anything."""
        return self.revoked_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Who comes with a token.

    Attributes:
        agent_id: the name that its configuration insists on, None where it says nothing.
        host_name: what it is called where neither configuration nor token names it.
        secret: what it wants to show from now on.
        broker_hash: of the secret.
    """

    agent_id: str | None
    host_name: str
    secret: str
    broker_hash: str


def hashed(secret: str) -> str:
    """Return what is stored of a random secret: SHA-256, for there is nothing to be guessed."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def is_the_secret(secret: str, secret_sha256: str) -> bool:
    """Whether a secret is the one with this hash; takes as long for any."""
    return hmac.compare_digest(hashed(secret), secret_sha256)


def text_of(prefix: str, name: str, secret: str) -> str:
    """Return a credential as one word: what it is, whose, and the secret."""
    return f"{prefix}_{name}_{secret}"


def parts_of(text: str, prefix: str) -> tuple[str, str] | None:
    """Return name and secret in such a word, None where it is another kind of word."""
    kind, _, rest = text.partition("_")
    name, _, secret = rest.partition("_")
    return (name, secret) if kind == prefix and name and secret else None


def name_for(token: EnrolmentToken, arrival: Arrival) -> AgentId:
    """Return what an agent will be called.

    Raises:
        Refused: the name is none, or not the one that the token is for.
    """
    wanted = arrival.agent_id
    if token.agent_id is not None:
        if wanted not in (None, token.agent_id):
            raise Refused(
                "token_for_another",
                f"this token enrols {token.agent_id!r}, but the agent is configured as {wanted!r}: "
                "change its agent_id, or make a token for that name",
            )
        return token.agent_id
    name = wanted or arrival.host_name
    if not is_id(name):
        raise Refused(
            "agent_id_invalid",
            f"{name!r} can't name an agent: a-z, 0-9 and inner hyphens, 63 at most",
        )
    return AgentId(name)


def enrol(
    token: EnrolmentToken, arrival: Arrival, known: AgentCredential | None, now: datetime
) -> tuple[EnrolmentToken, AgentCredential, tuple[Note, ...]]:
    """Return the token, used up, and the agent's credential.

    Args:
        known: the credential that goes by the same name.

    Raises:
        Refused: expired, used, for another name, or the name is taken; the text says what to do.
    """
    agent_id = name_for(token, arrival)
    secret_sha256 = hashed(arrival.secret)
    if token.used_at is not None:
        is_repeated = token.used_by == agent_id and hmac.compare_digest(
            token.used_secret_sha256, secret_sha256
        )
        if is_repeated and known is not None and known.good and known.token_id == token.token_id:
            return token, known, ()
        raise Refused(
            "token_used",
            f"this token was used by {token.used_by} at {token.used_at:%Y-%m-%d %H:%M} UTC: "
            "make another with `farmhand agent token`",
        )
    if now >= token.expires_at:
        raise Refused(
            "token_expired",
            f"this token expired at {token.expires_at:%Y-%m-%d %H:%M} UTC: "
            "make another with `farmhand agent token`",
        )
    if known is not None and token.agent_id is None:
        raise Refused(
            "agent_id_taken",
            f"an agent {agent_id!r} has enrolled before: give this one another agent_id, or, if it "
            f"is the same machine, make a token with `farmhand agent token --for {agent_id}`",
        )
    used = replace(token, used_by=agent_id, used_at=now, used_secret_sha256=secret_sha256)
    credential = AgentCredential(
        agent_id=agent_id,
        secret_sha256=secret_sha256,
        broker_hash=arrival.broker_hash,
        issued_at=now,
        token_id=token.token_id,
    )
    name = "agent.enrolled" if known is None else "agent.enrolled_again"
    facts = {"token_id": token.token_id, "token_made_by": token.made_by}
    note = Note(subject="agent", subject_id=agent_id, name=name, facts=facts)
    return used, credential, (note,)


def revoke(credential: AgentCredential, now: datetime) -> tuple[AgentCredential, tuple[Note, ...]]:
    """Return a credential that opens nothing from now on; one that was revoked stays as it is."""
    if not credential.good:
        return credential, ()
    note = Note(subject="agent", subject_id=credential.agent_id, name="agent.revoked")
    return replace(credential, revoked_at=now), (note,)


def offered(token: EnrolmentToken) -> Note:
    """Return the line of history about a token that was made; who made it is the actor."""
    facts = {"agent_id": token.agent_id, "expires_at": token.expires_at.isoformat()}
    return Note(
        subject="enrolment", subject_id=token.token_id, name="enrolment.offered", facts=facts
    )
