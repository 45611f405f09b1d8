"""The routes of one's own account: log in and out, who one is, sessions, password, tokens."""

from aiohttp import web

from coordinator.api.account_documents import (
    CallerDocument,
    EndedDocument,
    SessionDocument,
    TokensDocument,
    caller_document,
    session_document,
    tokens_document,
)
from coordinator.api.account_forms import LogInForm, PasswordForm, RefreshForm
from coordinator.api.asking import CALLER, GATE, origin_of, taken
from coordinator.api.auth import keep_session
from coordinator.api.documents import Items
from coordinator.api.limits import LIMIT_HEADERS, LIMITER, OF_LOG_IN, OF_NAME
from coordinator.api.origins import address_of, is_foreign
from coordinator.api.problems import BadRequest, Problem
from coordinator.api.render import API_ROOT
from coordinator.api.routes import Route
from coordinator.domain.access import Permission
from coordinator.domain.accounts import SessionId, User, UserId, caller_of
from coordinator.usecases import sessions
from coordinator.usecases.sessions import LogInFailed, Visitor


async def log_in(request: web.Request) -> web.Response:
    """Log a browser in: 201 with who it is now, and a cookie; 401 `log_in_failed`."""
    user = await _proven(request)
    secret = await sessions.begin_session(request.app[GATE], user, visitor(request), "password")
    caller = caller_of(user)
    assert caller is not None, "who is proven may come in"
    response = web.json_response(caller_document(caller), status=201)
    keep_session(request, response, secret)
    return response


async def log_out(request: web.Request) -> web.Response:
    """End the session that is shown, and have the browser forget it."""
    caller = request[CALLER]
    session_id = SessionId(caller.credential_id)
    await sessions.end_session(request.app[GATE], caller, session_id, origin_of(request))
    response = web.json_response({"id": session_id})
    keep_session(request, response, "")
    return response


async def show_me(request: web.Request) -> web.Response:
    """Return who asks, and what they may."""
    return web.json_response(caller_document(request[CALLER]))


async def list_sessions(request: web.Request) -> web.Response:
    """Return the browsers in which the caller is logged in."""
    caller = request[CALLER]
    found = await sessions.open_sessions(request.app[GATE], UserId(caller.user_id))
    items = [session_document(each, current=caller.credential_id) for each in found]
    return web.json_response({"items": items})


async def end_session(request: web.Request) -> web.Response:
    """Log one of the caller's browsers out."""
    session_id = SessionId(request.match_info["session_id"])
    await sessions.end_session(request.app[GATE], request[CALLER], session_id, origin_of(request))
    return web.json_response({"id": session_id})


async def change_password(request: web.Request) -> web.Response:
    """Change the caller's password; everything else that they are logged in with ends."""
    form = taken(request, PasswordForm)
    request.app[LIMITER].take(OF_LOG_IN, address_of(request))
    try:
        await sessions.change_password(
            request.app[GATE], request[CALLER], form.old, form.new, origin_of(request)
        )
    except LogInFailed as error:
        raise BadRequest(_WRONG) from error
    return web.json_response(caller_document(request[CALLER]))


async def give_tokens(request: web.Request) -> web.Response:
    """Log a client in that wants signed tokens: 201 with both; 401 `log_in_failed`."""
    user = await _proven(request)
    tokens = await sessions.begin_tokens(request.app[GATE], user, visitor(request))
    return web.json_response(tokens_document(tokens), status=201)


async def renew_tokens(request: web.Request) -> web.Response:
    """Return the next tokens for a refresh token, which is useless from now on."""
    form = taken(request, RefreshForm)
    request.app[LIMITER].take(OF_LOG_IN, address_of(request))
    tokens = await sessions.renew_tokens(request.app[GATE], form.refresh_token, origin_of(request))
    return web.json_response(tokens_document(tokens))


async def end_tokens(request: web.Request) -> web.Response:
    """Log a client out; the answer is the same for a token that was nobody's."""
    form = taken(request, RefreshForm)
    await sessions.end_tokens(request.app[GATE], form.refresh_token, origin_of(request))
    return web.json_response({})


def visitor(request: web.Request) -> Visitor:
    """Return from where somebody logs in."""
    return Visitor(
        address=address_of(request),
        browser=request.headers.get("User-Agent", ""),
        origin=origin_of(request),
    )


_WRONG = Problem(
    status=401, code="log_in_failed", title="Not allowed", detail="Name or password are wrong."
)


async def _proven(request: web.Request) -> User:
    """Return who proved who they are with name and password.

    Raises:
        BadRequest: 401, 429, or 403 where another site's page sent it.
    """
    if is_foreign(request):
        raise BadRequest(
            Problem(
                status=403,
                code="foreign_page",
                title="Not allowed",
                detail="Another site's page may not log you in.",
            )
        )
    form = taken(request, LogInForm)
    limiter = request.app[LIMITER]
    request[LIMIT_HEADERS] = limiter.take(OF_LOG_IN, address_of(request))
    limiter.take(OF_NAME, form.name)
    try:
        return await sessions.check_password(request.app[GATE], form.name, form.password)
    except LogInFailed as error:
        raise BadRequest(_WRONG) from error


_OWN = Permission.ACCOUNT_OWN

_LOG_IN = ("foreign_page", "log_in_failed")

ROUTES = (
    Route(
        method="POST",
        path=f"{API_ROOT}/session",
        handler=log_in,
        needs=None,
        takes=LogInForm,
        gives=CallerDocument,
        status=201,
        problems=_LOG_IN,
    ),
    Route(
        method="DELETE",
        path=f"{API_ROOT}/session",
        handler=log_out,
        needs=Permission.WALL_READ,
        gives=EndedDocument,
        problems=("unknown_session",),
    ),
    Route(
        method="GET",
        path=f"{API_ROOT}/me",
        handler=show_me,
        needs=Permission.WALL_READ,
        gives=CallerDocument,
    ),
    Route(
        method="POST",
        path=f"{API_ROOT}/me/password",
        handler=change_password,
        needs=_OWN,
        takes=PasswordForm,
        gives=CallerDocument,
        problems=("log_in_failed", "no_account", "password_unfit"),
    ),
    Route(
        method="GET",
        path=f"{API_ROOT}/sessions",
        handler=list_sessions,
        needs=_OWN,
        gives=Items[SessionDocument],
    ),
    Route(
        method="DELETE",
        path=f"{API_ROOT}/sessions/{{session_id}}",
        handler=end_session,
        needs=_OWN,
        gives=EndedDocument,
        problems=("unknown_session",),
    ),
    Route(
        method="POST",
        path=f"{API_ROOT}/tokens",
        handler=give_tokens,
        needs=None,
        takes=LogInForm,
        gives=TokensDocument,
        status=201,
        problems=_LOG_IN,
    ),
    Route(
        method="POST",
        path=f"{API_ROOT}/tokens/refresh",
        handler=renew_tokens,
        needs=None,
        takes=RefreshForm,
        gives=TokensDocument,
        problems=("refresh_refused",),
    ),
    Route(
        method="POST",
        path=f"{API_ROOT}/tokens/revoke",
        handler=end_tokens,
        needs=None,
        takes=RefreshForm,
        gives=dict[str, str],
    ),
)
