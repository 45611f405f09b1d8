"""Which agent asks, or with which token somebody enrols, as `admitting` found out."""

from aiohttp import web

from coordinator.api.asking import CALLER
from coordinator.usecases.admitting import AGENT_ACTOR, ENROLMENT_ACTOR
from protocols.wire.vocabulary import AgentId


def agent_asking(request: web.Request) -> AgentId | None:
    """Return which agent asks, None where it is somebody else."""
    actor = request[CALLER].actor
    return AgentId(actor.removeprefix(AGENT_ACTOR)) if actor.startswith(AGENT_ACTOR) else None


def token_asking(request: web.Request) -> str:
    """Return the id of the token that was shown, on a route that only tokens open."""
    return request[CALLER].actor.removeprefix(ENROLMENT_ACTOR)
