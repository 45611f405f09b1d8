"""What happens around every request: its id, its log line, its credential, its errors."""

import re
import time
from collections.abc import Iterable

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from coordinator.api.asking import FARM, REQUEST_ID
from coordinator.api.auth import TOKEN, admit
from coordinator.api.problems import (
    Problem,
    problem_of,
    problem_of_http,
    response_of,
    unexpected,
)
from coordinator.api.routes import Handler, Route
from coordinator.api.slicers.wording import refusal_of
from coordinator.domain.access import Permission
from coordinator.errors import FarmError

_log = structlog.get_logger()

# What we take over from a caller: nothing that could break a log line or grow it.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

# Nothing of ours runs scripts, frames or plugins but the page's own files.
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Server": "Farmhand",
}


HUNG_UP = 499  # nobody gets it; it stands in our log


@web.middleware
async def identify(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id, bind it to every log line of it, and log how it ended."""
    given = request.headers.get("X-Request-Id", "")
    request_id = given if _REQUEST_ID.fullmatch(given) else request.app[FARM].ids.new("req")
    request[REQUEST_ID] = request_id
    started_s = time.monotonic()
    with structlog.contextvars.bound_contextvars(request_id=request_id):
        response = await handler(request)
        # Reading happens all the time (a page polls), changing is worth a line.
        log = _log.debug if request.method in ("GET", "HEAD") else _log.info
        log(
            "request.answered",
            method=request.method,
            path=request.path,
            status=response.status,
            elapsed_s=round(time.monotonic() - started_s, 4),
        )
    return response


@web.middleware
async def explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into a problem document; what nobody foresaw is logged in full."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        problem = problem_of_http(error)
    except FarmError as error:
        problem = problem_of(error)
    except ConnectionResetError:
        # Who asked is gone. What is raised the HTTP library would log as a defect; that it can't
        # send this it lets be.
        return web.Response(status=HUNG_UP)
    except Exception:  # the top of the HTTP side: a defect must not take the connection with it
        _log.exception("request.failed", method=request.method, path=request.path)
        problem = unexpected()
    return _answer(request, problem)


def guard(routes: Iterable[Route]) -> Middleware:
    """Return what asks for each route's permission, before anything else looks at the request.

    An address that no row has wants a credential too: strangers must not learn which there are.
    """
    needs = {(route.method, route.path): route.needs for route in routes}

    @web.middleware
    async def authenticate(request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        place = (request.method, resource.canonical if resource is not None else "")
        admit(request, request.app[TOKEN], needs.get(place, Permission.FARM_READ))
        return await handler(request)

    return authenticate


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Complete every answer's headers just before they are sent."""
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Request-Id"] = request.get(REQUEST_ID, "")


def _answer(request: web.Request, problem: Problem) -> web.Response:
    return refusal_of(request.path, problem) or response_of(problem, request[REQUEST_ID])
