"""The HTTP application: every resource's routes, put together."""

from aiohttp import web

from coordinator.api import artifacts, events, health, jobs, page, printers, runs
from coordinator.api.asking import FARM, UPLOAD_BYTES_MAX, VERSION
from coordinator.api.auth import TOKEN, check_token
from coordinator.api.middlewares import add_headers, explain, guard, identify
from coordinator.api.routes import Route
from coordinator.api.slicers import moonraker, octoprint, prusalink
from coordinator.usecases.farm import Farm

ROUTES: tuple[Route, ...] = (
    *jobs.ROUTES,
    *printers.ROUTES,
    *runs.ROUTES,
    *events.ROUTES,
    *artifacts.ROUTES,
    *health.ROUTES,
    *page.ROUTES,
    *octoprint.ROUTES,
    *prusalink.ROUTES,
    *moonraker.ROUTES,
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
    app = web.Application(middlewares=[identify, explain, guard(ROUTES)])
    app[FARM] = farm
    app[UPLOAD_BYTES_MAX] = upload_bytes_max
    app[VERSION] = version
    app[TOKEN] = token
    for route in ROUTES:
        app.router.add_route(route.method, route.path, route.handler)
    app.on_response_prepare.append(add_headers)
    return app
