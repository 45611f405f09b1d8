"""The routes of logging in at an OpenID provider, and which ways to log in there are."""

import hmac

import structlog
from aiohttp import web

from coordinator.api.account_documents import WaysDocument
from coordinator.api.accounts import visitor
from coordinator.api.asking import GATE, origin_of
from coordinator.api.auth import keep_session
from coordinator.api.limits import LIMITER, OF_LOG_IN
from coordinator.api.origins import FRONT, address_of, own_origin
from coordinator.api.problems import problem_of
from coordinator.api.render import API_ROOT
from coordinator.api.routes import Route
from coordinator.errors import FarmError, Refused
from coordinator.usecases import openid, sessions
from coordinator.usecases.pending import PENDING_LIFE

_log = structlog.get_logger()

_LOG_IN = f"{API_ROOT}/login"
_BEGIN = f"{_LOG_IN}/openid"
_BACK = f"{_BEGIN}/callback"
_COOKIE = "farmhand-login"


async def show_ways(request: web.Request) -> web.Response:
    """Return which ways to log in there are."""
    ways: WaysDocument = {"password": True, "openid": request.app[GATE].provider is not None}
    return web.json_response(ways)


async def begin(request: web.Request) -> web.Response:
    """Send a browser to the provider; it keeps the word that it has to bring back."""
    request.app[LIMITER].take(OF_LOG_IN, address_of(request))
    address, state = await openid.begin(request.app[GATE], _redirect_url(request))
    response = web.Response(status=302, headers={"Location": address})
    response.set_cookie(
        _COOKIE,
        state,
        path=_LOG_IN,
        max_age=int(PENDING_LIFE.total_seconds()),
        httponly=True,
        secure=own_origin(request).startswith("https:"),
        samesite="Lax",  # it has to come along when the provider sends the browser back
    )
    return response


async def come_back(request: web.Request) -> web.Response:
    """Log a browser in that the provider sent back, and send it to the page; it says what failed.

    The word in the browser's cookie has to be the one in the address: nobody is logged in as
    somebody else by a link that was sent to them.
    """
    try:
        secret = await _session_of(request)
    except FarmError as error:
        code = problem_of(error).code
        _log.warning("log_in.refused", code=code, reason=str(error))
        response = web.Response(status=302, headers={"Location": f"/#login={code}"})
    else:
        response = web.Response(status=302, headers={"Location": "/"})
        keep_session(request, response, secret)
    response.del_cookie(_COOKIE, path=_LOG_IN)
    return response


async def _session_of(request: web.Request) -> str:
    request.app[LIMITER].take(OF_LOG_IN, address_of(request))
    state, kept = request.query.get("state", ""), request.cookies.get(_COOKIE, "")
    code = request.query.get("code", "")
    if not state or not hmac.compare_digest(state.encode(), kept.encode()):
        raise Refused("oidc_forgotten", "this log in began in another browser")
    if not code:
        raise Refused("oidc_refused", "the provider did not log anybody in")
    gate = request.app[GATE]
    user = await openid.finish(gate, state, code, _redirect_url(request), origin_of(request))
    return await sessions.begin_session(gate, user, visitor(request), "openid")


def _redirect_url(request: web.Request) -> str:
    return f"{request.app[FRONT].public_url or own_origin(request)}{_BACK}"


ROUTES = (
    Route(method="GET", path=_LOG_IN, handler=show_ways, needs=None, gives=WaysDocument),
    Route(
        method="GET",
        path=_BEGIN,
        handler=begin,
        needs=None,
        status=302,
        problems=("no_provider", "oidc_refused", "oidc_unreachable"),
    ),
    Route(
        method="GET",
        path=_BACK,
        handler=come_back,
        needs=None,
        status=302,
    ),
)
