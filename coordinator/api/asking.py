"""Who asks, for what farm: what every handler reads off a request."""

from aiohttp import web

from coordinator.domain.access import Caller
from coordinator.usecases.farm import Farm
from coordinator.usecases.gate import Gate

FARM = web.AppKey("farm", Farm)
GATE = web.AppKey("gate", Gate)
UPLOAD_BYTES_MAX = web.AppKey("upload_bytes_max", int)
VERSION = web.AppKey("version", str)
REQUEST_ID = web.RequestKey("request_id", str)
# There once a credential was shown and known, on public routes too.
CALLER = web.RequestKey("caller", Caller)


def actor_of(request: web.Request) -> str:
    """Return who asks, for the farm's history."""
    return request[CALLER].actor


def origin_of(request: web.Request) -> str:
    """Return which request it is, for the farm's history."""
    return f"request {request[REQUEST_ID]}"


def who(request: web.Request) -> tuple[str, str]:
    """Return who asks, and with which request, for the farm's history."""
    return actor_of(request), origin_of(request)
