"""The route that tells how the coordinator is."""

from aiohttp import web

from coordinator.api.asking import CALLER, FARM, VERSION
from coordinator.api.documents_farm import HealthDocument
from coordinator.api.render import API_ROOT, health_document
from coordinator.api.routes import Route
from coordinator.domain.access import Permission
from coordinator.usecases import reading


async def show_health(request: web.Request) -> web.Response:
    """Return how the coordinator is: 503 where it can do nothing, else 200. Anybody may ask."""
    health = await reading.health(request.app[FARM])
    caller = request.get(CALLER)
    document = health_document(
        health,
        version=request.app[VERSION],
        in_words=caller is not None and caller.may(Permission.FARM_READ),
    )
    return web.json_response(document, status=200 if health.ok else 503)


_HEALTH = f"{API_ROOT}/health"

ROUTES = tuple(
    Route(
        method=method,
        path=_HEALTH,
        handler=show_health,
        needs=None,
        gives=HealthDocument,
        also=(503,),
    )
    for method in ("GET", "HEAD")
)
