"""The HTTP application: every resource's routes, put together."""

from collections.abc import AsyncIterator

from aiohttp import web

from coordinator.api import (
    artifacts,
    describing,
    events,
    health,
    jobs,
    live,
    once,
    page,
    printers,
    runs,
)
from coordinator.api.asking import BOARD, FARM, TICKETS, UPLOAD_BYTES_MAX, VERSION
from coordinator.api.auth import TOKEN, check_token
from coordinator.api.board import Board
from coordinator.api.middlewares import add_headers, check, explain, guard, identify
from coordinator.api.routes import Route
from coordinator.api.stream import Stream
from coordinator.api.tickets import Tickets
from coordinator.usecases.farm import Farm

ROUTES: tuple[Route, ...] = (
    *jobs.ROUTES,
    *printers.ROUTES,
    *runs.ROUTES,
    *events.ROUTES,
    *artifacts.ROUTES,
    *live.ROUTES,
    *health.ROUTES,
    *describing.ROUTES,
    *page.ROUTES,
)


def build_app(farm: Farm, *, token: str, upload_bytes_max: int, version: str) -> web.Application:
    """Return the application, ready to be served.

    Args:
        farm: what the use cases work with.
        token: the credential that every route wants but the public ones.
        upload_bytes_max: the longest file that is taken.
        version: of this program, as health tells it.

    Raises:
        SettingsInvalid: the token protects nothing.
    """
    check_token(token)
    # From the outside in: an id first, so that even a refusal has one.
    app = web.Application(middlewares=[identify, explain, guard(ROUTES), check(ROUTES)])
    app[FARM] = farm
    app[UPLOAD_BYTES_MAX] = upload_bytes_max
    app[VERSION] = version
    app[TOKEN] = token
    app[BOARD] = Board(farm)
    app[live.STREAM] = Stream(farm, app[BOARD])
    app[TICKETS] = Tickets(farm.clock.now)
    app.cleanup_ctx.extend((_hearing, live.serve))
    app.on_shutdown.append(live.goodbye)
    once.prepare(app)
    describing.describe(app, ROUTES)
    for route in ROUTES:
        app.router.add_route(route.method, route.path, route.handler)
    app.on_response_prepare.append(add_headers)
    return app


async def _hearing(app: web.Application) -> AsyncIterator[None]:
    """Have the board hear what changes, as long as requests are answered."""
    with app[BOARD].heard():
        yield
