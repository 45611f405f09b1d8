"""Who asks, for what farm: what every handler reads off a request."""

from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel

from coordinator.api.board import Board
from coordinator.api.tickets import Tickets
from coordinator.domain.access import Caller
from coordinator.usecases.farm import Farm
from coordinator.usecases.gate import Gate

FARM = web.AppKey("farm", Farm)
GATE = web.AppKey("gate", Gate)
UPLOAD_BYTES_MAX = web.AppKey("upload_bytes_max", int)
# Every printer as it is now; what changes it is told of from the first request on.
BOARD = web.AppKey("board", Board)
# What opens live connections where no credential can be shown.
TICKETS = web.AppKey("tickets", Tickets)
VERSION = web.AppKey("version", str)
REQUEST_ID = web.RequestKey("request_id", str)
# There once a credential was shown and known, on public routes too.
CALLER = web.RequestKey("caller", Caller)

# What the query and the body say, where the route's row tells what they may.
ASKED = web.RequestKey("asked", BaseModel)
TAKEN = web.RequestKey("taken", BaseModel)

_Said = TypeVar("_Said", bound=BaseModel)


def asked(request: web.Request, kind: type[_Said]) -> _Said:
    """Return what the query says; the route's row `asks` for this kind."""
    said = request[ASKED]
    assert isinstance(said, kind)
    return said


def taken(request: web.Request, kind: type[_Said]) -> _Said:
    """Return what the body says; the route's row `takes` this kind."""
    said = request[TAKEN]
    assert isinstance(said, kind)
    return said


def actor_of(request: web.Request) -> str:
    """Return who asks, for the farm's history."""
    return request[CALLER].actor


def origin_of(request: web.Request) -> str:
    """Return which request it is, for the farm's history."""
    return f"request {request[REQUEST_ID]}"


def who(request: web.Request) -> tuple[str, str]:
    """Return who asks, and with which request, for the farm's history."""
    return actor_of(request), origin_of(request)
