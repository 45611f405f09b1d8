"""Agents as JSON: shapes, and pure functions to them; see `render.py` for the rules."""

import hashlib
import ssl

from typing_extensions import TypedDict

from coordinator.api.documents import Moment
from coordinator.api.render import moment, moment_or_null
from coordinator.usecases.enrolling import AgentView, NewToken
from protocols.wire.from_agent import UpdateReport
from protocols.wire.vocabulary import UpdatePhase


class UpdateDocument(TypedDict):
    """How far an agent is with an update, or how that ended; `words` say why."""

    version: str
    phase: UpdatePhase
    words: str


class AgentDocument(TypedDict):
    """An agent; `protocol_minor` is of the wire, `update` how its last update goes, or went.

    Null: both while it is not there, `update` also where there was none; `issued_at` where it has
    not enrolled, `revoked_at` where it was not shut out; `online`, `build` and `seen_at` where it
    never presented itself.
    """

    id: str
    enrolled: bool
    issued_at: Moment | None
    revoked_at: Moment | None
    printers: int
    online: bool | None
    build: str | None
    seen_at: Moment | None
    protocol_minor: int | None
    update: UpdateDocument | None


class NewTokenDocument(TypedDict):
    """A token to enrol with: told this once. Null: `agent_id` where it is for any new name."""

    id: str
    token: str
    agent_id: str | None
    expires_at: Moment


class EnrolledDocument(TypedDict):
    """What an agent needs to know; `authority` is a certificate, PEM, or empty."""

    agent_id: str
    mqtt_url: str
    authority: str


class AuthorityDocument(TypedDict):
    """The certificate of the farm's own authority, PEM; empty where there is none."""

    certificate: str


class BrokerFilesDocument(TypedDict):
    """Password file and access list, as Mosquitto reads them."""

    passwords: str
    access: str


def agent_document(view: AgentView) -> AgentDocument:
    """Return an agent."""
    agent, credential, presence = view.agent, view.credential, view.presence
    return {
        "id": view.agent_id,
        "enrolled": credential is not None and credential.good,
        "issued_at": moment_or_null(credential.issued_at if credential else None),
        "revoked_at": moment_or_null(credential.revoked_at if credential else None),
        "printers": view.printers_count,
        "online": agent.online if agent else None,
        "build": agent.build if agent else None,
        "seen_at": moment_or_null(agent.seen_at if agent else None),
        "protocol_minor": presence.protocol_minor if presence else None,
        "update": _update(presence.update if presence else None),
    }


def _update(report: UpdateReport | None) -> UpdateDocument | None:
    if report is None:
        return None
    return {"version": report.version, "phase": report.phase, "words": report.words}


def token_document(made: NewToken, authority: str) -> NewTokenDocument:
    """Return a token; with the fingerprint of the farm's own authority, where it has one."""
    token, text = made.token, made.text
    if authority:
        der = ssl.PEM_cert_to_DER_cert(authority.strip())
        text = f"{text}.{hashlib.sha256(der).hexdigest()}"
    return {
        "id": token.token_id,
        "token": text,
        "agent_id": token.agent_id,
        "expires_at": moment(token.expires_at),
    }
