"""Who asks where an agent asks: what it got when it enrolled, or the token to enrol with."""

from aiohttp import web

from coordinator.api.asking import CALLER
from coordinator.domain.access import PERMISSIONS, Caller, Permission, Role
from coordinator.usecases import enrolling
from coordinator.usecases.farm import Farm
from protocols.wire.vocabulary import AgentId

_AGENT, _ENROLMENT = "agent:", "enrolment:"


async def caller_of(farm: Farm, credential: str) -> Caller | None:
    """Return who shows this, None where it is no agent's and no token.

    Raises:
        Unavailable: the database does not answer; nobody is let in then.
    """
    agent_id = await enrolling.agent_showing(farm, credential)
    if agent_id is not None:
        actor = f"{_AGENT}{agent_id}"
        return Caller(actor=actor, role=Role.AGENT, permissions=PERMISSIONS[Role.AGENT])
    token_id = await enrolling.token_shown(farm, credential)
    if token_id is not None:
        may = frozenset({Permission.AGENTS_ENROLL})
        return Caller(actor=f"{_ENROLMENT}{token_id}", role=Role.AGENT, permissions=may)
    return None


def agent_asking(request: web.Request) -> AgentId | None:
    """Return which agent asks, None where it is somebody else."""
    actor = request[CALLER].actor
    return AgentId(actor.removeprefix(_AGENT)) if actor.startswith(_AGENT) else None


def token_asking(request: web.Request) -> str:
    """Return the id of the token that was shown, on a route that only tokens open."""
    return request[CALLER].actor.removeprefix(_ENROLMENT)
