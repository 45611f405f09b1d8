"""Who may: every route wants a credential with its permission unless it is public."""

from dataclasses import replace

from aiohttp import web

from coordinator.api.asking import CALLER, GATE
from coordinator.api.limits import (
    LIMIT_HEADERS,
    LIMITER,
    OF_CREDENTIAL,
    OF_PUBLIC,
    OF_REFUSED,
)
from coordinator.api.origins import address_of, comes_from_own_page, own_origin
from coordinator.api.problems import BadRequest, Problem
from coordinator.api.slicers.passwords import asks_password, challenge, knows_password
from coordinator.domain.access import Caller, Permission
from coordinator.domain.accounts import SESSION_LIFE
from coordinator.errors import FarmError, SettingsInvalid
from coordinator.usecases.admitting import ROOT, caller_of_session, caller_of_token

# A token that can be guessed opens the farm; what we make ourselves has twice as much.
TOKEN_CHARACTERS_MIN = 16

# These change nothing, so a foreign page gains nothing by having a browser send them.
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

_UNAUTHORIZED = Problem(
    status=401,
    code="no_credential",
    title="Not allowed",
    detail="Log in, or send a key or token: `Authorization: Bearer <key>` or `X-Api-Key: <key>`. "
    "The token of the machine itself is in the file `token` in the coordinator's state folder.",
    headers={"WWW-Authenticate": 'Bearer realm="farmhand"'},
)


def check_token(token: str) -> None:
    """Refuse a token that protects nothing.

    Raises:
        SettingsInvalid: too short, or with characters that no header carries.
    """
    if len(token) < TOKEN_CHARACTERS_MIN or not token.isascii() or not token.isprintable():
        raise SettingsInvalid(
            f"the token must be {TOKEN_CHARACTERS_MIN} or more printable ASCII characters"
        )


async def admit(request: web.Request, needs: Permission | None) -> None:
    """Find out who asks, and let pass who may.

    Args:
        needs: the route's permission; None lets everybody pass.

    Raises:
        BadRequest: 401 without a credential that we know, 403 where it does not reach so far or
            where another site's page sent it, 429 where too many came before it.
        FarmError: nobody could look the credential up; nobody passes.
    """
    limiter, shown = request.app[LIMITER], _shown(request)
    if needs is None and not shown and not session_secret(request):
        request[LIMIT_HEADERS] = limiter.take(OF_PUBLIC, address_of(request))
        return
    try:
        caller = await caller_of(request)
    except FarmError:
        if needs is not None:
            raise
        caller = None  # how the farm is can be asked also where nothing can be looked up
    if caller is None:
        request[LIMIT_HEADERS] = limiter.take(OF_REFUSED, address_of(request))
        if needs is None:
            return
        raise BadRequest(_unauthorized(request))
    if caller is not ROOT:  # who has that has the machine; a demo or a benchmark asks all the time
        request[LIMIT_HEADERS] = limiter.take(OF_CREDENTIAL, caller.credential_id or caller.actor)
    with_cookie = not shown
    if with_cookie and request.method not in _SAFE and needs is not None:
        refuse_foreign_pages(request)
    request[CALLER] = caller
    if needs is not None and not caller.may(needs):
        raise BadRequest(_forbidden(needs))


async def caller_of(request: web.Request) -> Caller | None:
    """Return who asks, as far as it can be told now; who is logged out meanwhile is nobody.

    A credential in a header is looked at alone: a wrong one is not made good by a cookie.

    Raises:
        FarmError: nobody could look it up.
    """
    gate = request.app[GATE]
    if knows_password(request, gate.root_token):
        return ROOT
    if shown := _shown(request):
        return await caller_of_token(gate, shown)
    if secret := session_secret(request):
        return await caller_of_session(gate, secret)
    return None


def _shown(request: web.Request) -> str:
    """Return the key or token in the headers; a word that is none where they hold something else.

    An empty `Authorization` is none at all.
    """
    header = request.headers.get("Authorization", "")
    if header.strip():
        scheme, _, given = header.partition(" ")
        return given.strip() or "?" if scheme.casefold() == "bearer" else "?"
    return request.headers.get("X-Api-Key", "").strip()


def refuse_foreign_pages(request: web.Request) -> None:
    """Refuse what another site's page had a browser send with our cookie.

    Raises:
        BadRequest: 403.
    """
    if not comes_from_own_page(request.headers, own_origin(request)):
        raise BadRequest(
            Problem(
                status=403,
                code="foreign_page",
                title="Not allowed",
                detail="With a cookie only the farm's own page may change something; "
                "programs send a key.",
            )
        )


def _cookie_name(request: web.Request) -> str:
    # The prefix has browsers take it over https only, from this host only, for all of it.
    return "__Host-farmhand" if own_origin(request).startswith("https:") else "farmhand"


def session_secret(request: web.Request) -> str:
    """Return the secret in the session's cookie, empty for none."""
    return request.cookies.get(_cookie_name(request), "")


def keep_session(request: web.Request, response: web.StreamResponse, secret: str) -> None:
    """Have the browser keep a session's secret; an empty one has it forget."""
    response.set_cookie(
        _cookie_name(request),
        secret,
        path="/",
        max_age=int(SESSION_LIFE.total_seconds()) if secret else 0,
        httponly=True,
        secure=own_origin(request).startswith("https:"),
        samesite="Strict",
    )


def _unauthorized(request: web.Request) -> Problem:
    if not asks_password(request):
        return _UNAUTHORIZED
    return replace(_UNAUTHORIZED, headers=challenge(request, request.app[GATE].root_token))


def _forbidden(needs: Permission) -> Problem:
    return Problem(
        status=403,
        code="not_permitted",
        title="Not allowed",
        detail=f"This credential lacks the permission {needs.value}.",
        facts={"permission": needs.value},
    )
