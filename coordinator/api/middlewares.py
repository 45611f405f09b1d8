"""What happens around every request: its id, its log line, its credential, its errors."""

import logging
import re
import time
from collections.abc import Iterable

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware
from pydantic import BaseModel

from coordinator.api.asking import ASKED, CALLER, FARM, REQUEST_ID, TAKEN, TICKETS
from coordinator.api.auth import admit
from coordinator.api.forms import form_of
from coordinator.api.incoming import document_in
from coordinator.api.limits import LIMIT_HEADERS
from coordinator.api.meter import METER
from coordinator.api.problems import (
    Problem,
    problem_of,
    problem_of_http,
    response_of,
    unexpected,
)
from coordinator.api.queries import query_of
from coordinator.api.render import API_ROOT
from coordinator.api.routes import Handler, Route
from coordinator.api.slicers.wording import refusal_of
from coordinator.domain.access import Permission
from coordinator.errors import FarmError

_log = structlog.get_logger()
# Asked first, because a line that nobody wants costs a page's poll as much as its check.
_levels = logging.getLogger(__name__)

# What we take over from a caller: nothing that could break a log line or grow it.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

# Those of an address that every line of the log about it carries; strangers can make up long ones.
_IDS = frozenset({"job_id", "run_id", "printer_id", "agent_id", "generation_id"})
_ID_CHARACTERS_MAX = 64

# Nothing of ours runs scripts, frames or plugins but the page's own files.
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self' blob:; img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Server": "Farmhand",
}


HUNG_UP = 499  # nobody gets it; it stands in our log


@web.middleware
async def identify(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id, bind it to every log line of it, and log how it ended."""
    given = request.headers.get("X-Request-Id")
    if given is None or not _REQUEST_ID.fullmatch(given):
        given = request.app[FARM].ids.new("req")
    request_id = given
    request[REQUEST_ID] = request_id
    started_s = time.monotonic()
    # The connection's task goes on with the next request: nothing of this one may stay bound.
    with structlog.contextvars.bound_contextvars(request_id=request_id, **_named(request)):
        response = await _answered(request, handler)
        took_s = time.monotonic() - started_s
        request.app[METER].answered(request, response.status, took_s)
        # Reading happens all the time (a page polls), changing is worth a line.
        reads = request.method in ("GET", "HEAD")
        if reads and not _levels.isEnabledFor(logging.DEBUG):
            return response
        log = _log.debug if reads else _log.info
        log(
            "request.answered",
            method=request.method,
            path=_told(request.path),
            status=response.status,
            elapsed_s=round(took_s, 4),
        )
    return response


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a request, as a span named for its route; the names of facts are OpenTelemetry's."""
    _, route = _place(request)
    about = {"http.request.method": request.method, "http.route": route}
    tracer = request.app[FARM].tracer
    with tracer.span(f"{request.method} {route}", headers=request.headers, **about) as span:
        response = await handler(request)
        span.note(**{"http.response.status_code": response.status})
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


def _named(request: web.Request) -> dict[str, str]:
    """Return whom a request is about, as far as its address says."""
    return {
        name: value[:_ID_CHARACTERS_MAX]
        for name, value in request.match_info.items()
        if name in _IDS
    }


def _told(path: str) -> str:
    """Return a path as the log holds it: the last step of a provider's webhook is a secret."""
    if path.startswith(f"{API_ROOT}/provider-webhooks/"):
        return path.rpartition("/")[0]
    return path


def guard(routes: Iterable[Route]) -> Middleware:
    """Return what asks for each route's permission, before anything else looks at the request.

    An address that no row has wants a credential too: strangers must not learn which there are.
    """
    needs = {(route.method, route.path): route.needs for route in routes}

    @web.middleware
    async def authenticate(request: web.Request, handler: Handler) -> web.StreamResponse:
        wanted = needs.get(_place(request), Permission.FARM_READ)
        if not _has_ticket(request, wanted):
            await admit(request, wanted)
        return await handler(request)

    return authenticate


def _has_ticket(request: web.Request, wanted: Permission | None) -> bool:
    """Whether the address itself opens what is wanted, once: see `tickets.py`."""
    is_live = request.path.startswith(f"{API_ROOT}/live")
    ticket = request.query.get("ticket") if is_live and wanted is not None else None
    caller = request.app[TICKETS].redeem(ticket) if ticket else None
    if caller is None or wanted is None or not caller.may(wanted):
        return False
    request[CALLER] = caller
    return True


def check(routes: Iterable[Route]) -> Middleware:
    """Return what holds each request against its route's row, before the handler sees it."""
    rows = {(route.method, route.path): route for route in routes}
    # What a query without anything says: most have none.
    nothing: dict[type[BaseModel], BaseModel] = {}

    def said(kind: type[BaseModel], request: web.Request) -> BaseModel:
        if request.query_string:
            return query_of(kind, request.query)
        if kind not in nothing:
            nothing[kind] = query_of(kind, request.query)
        return nothing[kind]

    @web.middleware
    async def validate(request: web.Request, handler: Handler) -> web.StreamResponse:
        route = rows.get(_place(request))
        if route is not None and route.asks is not None:
            request[ASKED] = said(route.asks, request)
        if route is not None and route.takes is not None:
            request[TAKEN] = form_of(route.takes, await document_in(request))
        return await handler(request)

    return validate


def _place(request: web.Request) -> tuple[str, str]:
    """Return which row of the routes is meant; none has an empty address."""
    resource = request.match_info.route.resource
    return request.method, resource.canonical if resource is not None else ""


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Complete every answer's headers just before they are sent."""
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    for name, value in request.get(LIMIT_HEADERS, {}).items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-Id"] = request.get(REQUEST_ID, "")


def _answer(request: web.Request, problem: Problem) -> web.Response:
    return refusal_of(request.path, problem) or response_of(problem, request[REQUEST_ID])
