"""The HTTP application: every resource's routes, put together."""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from coordinator.api import (
    accounts,
    agents,
    artifacts,
    backups,
    bulk,
    cameras,
    describing,
    equipping,
    estimates,
    events,
    generation_variants,
    generations,
    health,
    icon,
    jobs,
    labels,
    library,
    live,
    log_reading,
    maintenance,
    measurements,
    metrics,
    model_versions,
    notices,
    once,
    openid,
    operating,
    page,
    plates,
    printers,
    providers,
    queueing,
    retired,
    runs,
    settings,
    statistics,
    stock,
    trial,
    updates,
    users,
    webhooks,
)
from coordinator.api.agents import LOCAL, WELCOME, Welcome
from coordinator.api.asking import BOARD, FARM, GATE, TICKETS, UPLOAD_BYTES_MAX, VERSION
from coordinator.api.auth import check_token
from coordinator.api.board import Board
from coordinator.api.limits import LIMITER, Limiter
from coordinator.api.meter import METER, Meter
from coordinator.api.middlewares import add_headers, check, explain, guard, identify
from coordinator.api.origins import FRONT, Front
from coordinator.api.routes import Route
from coordinator.api.slicers import moonraker, octoprint, prusalink
from coordinator.api.stream import Stream
from coordinator.api.tickets import Tickets
from coordinator.usecases.admitting import still_holds
from coordinator.usecases.gate import Gate

ROUTES: tuple[Route, ...] = (
    *jobs.ROUTES,
    *bulk.ROUTES,
    *estimates.ROUTES,
    *queueing.ROUTES,
    *library.ROUTES,
    *model_versions.ROUTES,
    *printers.ROUTES,
    *cameras.ROUTES,
    *measurements.ROUTES,
    *runs.ROUTES,
    *stock.ROUTES,
    *maintenance.ROUTES,
    *statistics.ROUTES,
    *labels.ROUTES,
    *settings.ROUTES,
    *events.ROUTES,
    *artifacts.ROUTES,
    *plates.ROUTES,
    *live.ROUTES,
    *agents.ROUTES,
    *equipping.ROUTES,
    *updates.ROUTES,
    *retired.ROUTES,
    *trial.ROUTES,
    *health.ROUTES,
    *metrics.ROUTES,
    *operating.ROUTES,
    *backups.ROUTES,
    *notices.ROUTES,
    *log_reading.ROUTES,
    *describing.ROUTES,
    *page.ROUTES,
    *icon.ROUTES,
    *accounts.ROUTES,
    *users.ROUTES,
    *openid.ROUTES,
    *webhooks.ROUTES,
    *generations.ROUTES,
    *generation_variants.ROUTES,
    *providers.ROUTES,
    *octoprint.ROUTES,
    *prusalink.ROUTES,
    *moonraker.ROUTES,
)


def build_app(
    gate: Gate,
    *,
    upload_bytes_max: int,
    version: str,
    front: Front | None = None,
    welcome: Welcome = LOCAL,
    machine: operating.Machine = operating.NO_MACHINE,
) -> web.Application:
    """Return the application, ready to be served.

    Args:
        gate: what lets people in, and the farm behind it.
        front: how people reach it; directly where nothing is said.
        upload_bytes_max: the longest file that is taken.
        version: of this program, as health tells it.
        welcome: what agents are told when they enrol.
        machine: what it tells and gives out of the machine.

    Raises:
        SettingsInvalid: the token protects nothing.
    """
    check_token(gate.root_token)
    # From the outside in: an id first, so that even a refusal has one.
    app = web.Application(middlewares=[identify, explain, guard(ROUTES), check(ROUTES)])
    farm = gate.farm
    app[FARM] = farm
    app[GATE] = gate
    app[FRONT] = front or Front()
    app[LIMITER] = Limiter(farm.clock.monotonic)
    app[UPLOAD_BYTES_MAX] = upload_bytes_max
    app[VERSION] = version
    app[WELCOME] = welcome
    app[operating.MACHINE] = machine
    app[BOARD] = Board(farm)
    app[live.STREAM] = Stream(farm, app[BOARD])
    app[live.STILL_HOLDS] = lambda caller: still_holds(gate, caller)
    app[TICKETS] = Tickets(farm.clock.now)
    app[METER] = Meter(farm.clock.now().timestamp())
    app.cleanup_ctx.extend((_hearing, _watched, live.serve))
    app.on_shutdown.append(live.goodbye)
    once.prepare(app)
    metrics.prepare(app)
    describing.describe(app, ROUTES)
    for route in ROUTES:
        app.router.add_route(route.method, route.path, route.handler)
    app.on_response_prepare.append(add_headers)
    return app


async def _hearing(app: web.Application) -> AsyncIterator[None]:
    """Have the board hear what changes, as long as requests are answered."""
    with app[BOARD].heard():
        yield


async def _watched(app: web.Application) -> AsyncIterator[None]:
    """Have the loop watched, as long as requests are answered."""
    watching = asyncio.create_task(app[METER].watch_loop(), name="loop lag")
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.wait({watching})
