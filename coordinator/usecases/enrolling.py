"""Agents enrol, are shown, replaced and shut out; and which plates each may fetch."""

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta

from coordinator.domain import enrolment
from coordinator.domain.broker_access import SALT_BYTES, files_for, password_hash
from coordinator.domain.effects import Save
from coordinator.domain.enrolment import (
    TOKEN_PREFIX,
    AgentCredential,
    Arrival,
    EnrolmentToken,
    text_of,
)
from coordinator.domain.plates import ArtifactKind
from coordinator.domain.presence import gone
from coordinator.domain.printers import Agent
from coordinator.domain.retiring import restore_agent
from coordinator.errors import NotFound, Refused
from coordinator.usecases.farm import Farm
from coordinator.usecases.performing import writing
from protocols.wire.from_agent import Presence
from protocols.wire.vocabulary import AgentId, is_id

TOKEN_S_MIN, TOKEN_S_MAX = 60.0, 30 * 86400.0
# Long enough that an agent that comes too late is told so, and not that nobody knows its token.
EXPIRED_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A token as it is shown once: `text` is never stored."""

    token: EnrolmentToken
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentView:
    """An agent, as far as it has enrolled and as far as it has presented itself.

    Attributes:
        presence: what it said last, while it is there.
    """

    agent_id: AgentId
    credential: AgentCredential | None
    agent: Agent | None
    printers_count: int
    presence: Presence | None = None


async def make_token(
    farm: Farm, actor: str, origin: str = "", *, agent_id: str | None = None, valid_s: float
) -> NewToken:
    """Make a token that enrols one agent, once.

    Args:
        agent_id: the only name that it enrols, known or new; None for a new name only.
        valid_s: seconds until it expires, a minute to thirty days.

    Raises:
        Refused: the name is none, or the time is out of range.
    """
    if agent_id is not None and not is_id(agent_id):
        raise Refused(
            "agent_id_invalid",
            f"{agent_id!r} can't name an agent: a-z, 0-9 and inner hyphens, 63 at most",
        )
    if not TOKEN_S_MIN <= valid_s <= TOKEN_S_MAX:
        raise Refused("ttl_out_of_range", "a token is valid for a minute at least, 30 days at most")
    token_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    async with writing(farm, actor, origin) as transaction:
        token = EnrolmentToken(
            token_id=token_id,
            agent_id=AgentId(agent_id) if agent_id is not None else None,
            secret_sha256=enrolment.hashed(secret),
            made_by=actor,
            made_at=transaction.now,
            expires_at=transaction.now + timedelta(seconds=valid_s),
        )
        await transaction.unit.drop_enrolment_tokens(transaction.now - EXPIRED_KEPT)
        await transaction.unit.save_enrolment_token(token)
        await transaction.perform((enrolment.offered(token),))
    return NewToken(token=token, text=text_of(TOKEN_PREFIX, token_id, secret))


async def renew(
    farm: Farm, agent_id: str, actor: str, origin: str = "", *, valid_s: float
) -> NewToken:
    """Make a token that replaces an agent's credential; the old one is good until it is used.

    Raises:
        NotFound: no such agent has enrolled.
    """
    async with farm.store.read() as unit:
        if await unit.agent_credential(AgentId(agent_id)) is None:
            raise NotFound("agent", agent_id)
    return await make_token(farm, actor, origin, agent_id=agent_id, valid_s=valid_s)


async def enrol(
    farm: Farm,
    token_id: str,
    origin: str = "",
    *,
    agent_id: str | None,
    host_name: str,
    secret: str,
    reserved: str = "",
) -> AgentCredential:
    """Take an agent in; once this returns the broker has been told.

    Args:
        token_id: of a token whose secret was shown.
        agent_id, host_name, secret: as in `Arrival`.
        reserved: a name that is somebody else's at the broker.

    Raises:
        NotFound: the token is gone.
        Refused: as `enrolment.enrol`, or the name is reserved.
    """
    hashed = password_hash(secret, secrets.token_bytes(SALT_BYTES))
    arrival = Arrival(agent_id=agent_id, host_name=host_name, secret=secret, broker_hash=hashed)
    async with writing(farm, f"enrolment:{token_id}", origin) as transaction:
        unit = transaction.unit
        token = await unit.enrolment_token(token_id)
        if token is None:
            raise NotFound("token", token_id)
        name = enrolment.name_for(token, arrival)
        if name == reserved:
            raise Refused(
                "agent_id_reserved",
                f"{name!r} is the broker_username of this farm: give the agent another agent_id",
            )
        known = await unit.agent_credential(name)
        token, credential, notes = enrolment.enrol(token, arrival, known, transaction.now)
        await unit.save_enrolment_token(token)
        await unit.save_agent_credential(credential)
        await transaction.perform(notes)
        agent = await unit.agent(name)
        if agent is not None and agent.retired_at is not None:  # who made the token wants it back
            await transaction.perform(restore_agent(agent))
    await tell_broker(farm)
    return credential


async def revoke(farm: Farm, agent_id: str, actor: str, origin: str = "") -> AgentView:
    """Shut an agent out, at the broker and at the API; what it prints goes on.

    It counts as gone at once: the broker may not send the will of somebody whom it throws out.

    Raises:
        NotFound: no such agent has enrolled.
    """
    async with writing(farm, actor, origin) as transaction:
        known = await transaction.unit.agent_credential(AgentId(agent_id))
        if known is None:
            raise NotFound("agent", agent_id)
        credential, notes = enrolment.revoke(known, transaction.now)
        await transaction.unit.save_agent_credential(credential)
        agent = await transaction.unit.agent(credential.agent_id)
        if agent is not None and agent.online:
            await transaction.perform((*notes, Save(replace(agent, online=False))))
            await transaction.perform(gone(await transaction.unit.printers(agent.agent_id)))
        else:
            await transaction.perform(notes)
    await tell_broker(farm)
    return next(view for view in await agent_views(farm) if view.agent_id == agent_id)


async def tell_broker(farm: Farm) -> None:
    """Bring the broker's list up to date; whoever comes last writes what is true by then."""
    async with farm.live.at_the_door:
        async with farm.store.read() as unit:
            credentials = await unit.agent_credentials()
        await farm.door.admit(credentials)


async def agent_views(farm: Farm) -> list[AgentView]:
    """Return all agents that enrolled or presented themselves, and are not retired, by id."""
    async with farm.store.read() as unit:
        credentials = {each.agent_id: each for each in await unit.agent_credentials()}
        agents = {each.agent_id: each for each in await unit.agents()}
        printers = await unit.printers()
    return [
        AgentView(
            agent_id=name,
            credential=credentials.get(name),
            agent=agents.get(name),
            printers_count=sum(printer.agent_id == name for printer in printers),
            presence=farm.live.presences.get(name),
        )
        for name in sorted(credentials.keys() | agents.keys())
        if name not in agents or agents[name].retired_at is None
    ]


async def may_fetch(farm: Farm, agent_id: AgentId, sha256: str) -> bool:
    """Whether an agent needs this plate: it belongs to a run that it holds, now or in advance."""
    async with farm.store.read() as unit:
        for printer in await unit.printers(agent_id):
            for run in await unit.runs(printer_id=printer.printer_id, live=True):
                if run.plate_sha256 == sha256 and run.agent_id == agent_id:
                    return True
    return False


async def is_plate(farm: Farm, sha256: str) -> bool:
    """Whether a file is a plate: what has `plates:fetch` alone must not get models with it."""
    async with farm.store.read() as unit:
        known = await unit.artifact(sha256)
    return known is not None and known.kind is ArtifactKind.PLATE


async def broker_files(farm: Farm, shared: tuple[str, str] | None) -> dict[str, str]:
    """Return `passwords` and `access` for a Mosquitto that is not ours to start.

    Args:
        shared: name and password with which the coordinator logs in there.

    Raises:
        Refused: there is none.
    """
    if shared is None:
        raise Refused(
            "no_broker_username",
            "set broker_username and broker_password first: the coordinator logs in with them",
        )
    async with farm.store.read() as unit:
        credentials = await unit.agent_credentials()
    return files_for(credentials, shared, secrets.token_bytes(SALT_BYTES))
