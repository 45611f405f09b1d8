"""Plates for agents: one that enrolled gets those that its printers are to print, others any."""

from aiohttp import web

from coordinator.api.agent_auth import agent_asking
from coordinator.api.artifacts import PROBLEMS, sent
from coordinator.api.asking import FARM
from coordinator.api.problems import BadRequest, Problem
from coordinator.api.render import API_ROOT
from coordinator.api.routes import Route
from coordinator.domain.access import Permission
from coordinator.errors import NotFound
from coordinator.usecases import enrolling

# Alike for a plate of others and for what is none: an agent need not know which there are.
_NOT_LEASED = Problem(
    status=403,
    code="not_leased",
    title="Not allowed",
    detail="No run of this plate is leased to a printer of this agent.",
)


async def serve_plate(request: web.Request) -> web.StreamResponse:
    """Answer GET and HEAD of one plate."""
    farm, sha256, agent_id = request.app[FARM], request.match_info["sha256"], agent_asking(request)
    if agent_id is None:
        if not await enrolling.is_plate(farm, sha256):
            raise NotFound("artifact", sha256)
    elif not await enrolling.may_fetch(farm, agent_id, sha256):
        raise BadRequest(_NOT_LEASED)
    return await sent(request, sha256)


_PLATE = f"{API_ROOT}/plates/{{sha256}}"

ROUTES = tuple(
    Route(
        method=method,
        path=_PLATE,
        handler=serve_plate,
        needs=Permission.PLATES_FETCH,
        content_type="application/octet-stream",
        also=(206,) if method == "GET" else (),
        versioned=True,
        problems=(*PROBLEMS, "not_leased"),
    )
    for method in ("GET", "HEAD")
)
