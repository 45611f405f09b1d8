"""Who may: every route wants a credential with its permission unless it is public."""

import hmac
from dataclasses import replace

from aiohttp import web

from coordinator.api.asking import CALLER
from coordinator.api.problems import BadRequest, Problem
from coordinator.api.slicers.passwords import asks_password, challenge, knows_password
from coordinator.domain.access import PERMISSIONS, Caller, Permission, Role
from coordinator.errors import SettingsInvalid

TOKEN = web.AppKey("token", str)

# A token that can be guessed opens the farm; what we make ourselves has twice as much.
TOKEN_CHARACTERS_MIN = 16

_UNAUTHORIZED = Problem(
    status=401,
    code="no_credential",
    title="Not allowed",
    detail="Send the farm's token: `Authorization: Bearer <token>`, or `X-Api-Key: <token>`. "
    "It is in the file `token` in the coordinator's state folder.",
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


def admit(request: web.Request, token: str, needs: Permission | None) -> None:
    """Find out who asks, and let pass who may.

    Args:
        needs: the route's permission; None lets everybody pass.

    Raises:
        BadRequest: 401 without a credential that we know, 403 where it does not reach so far.
    """
    caller = _caller(request, token)
    if caller is not None:
        request[CALLER] = caller
    if needs is None:
        return
    if caller is None:
        raise BadRequest(_unauthorized(request, token))
    if not caller.may(needs):
        raise BadRequest(_forbidden(needs))


def _caller(request: web.Request, token: str) -> Caller | None:
    """Return who comes with a credential that we know."""
    # Bytes: comparing texts in constant time fails on what is not ASCII.
    same = hmac.compare_digest(_shown(request).encode("utf-8", "replace"), token.encode())
    if not same and not knows_password(request, token):
        return None
    return Caller(actor="user:admin", role=Role.ADMIN, permissions=PERMISSIONS[Role.ADMIN])


def _shown(request: web.Request) -> str:
    """Return the token that a request shows; slicers show theirs in a header of its own."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme:
        return given.strip() if scheme.lower() == "bearer" else ""
    return request.headers.get("X-Api-Key", "").strip()


def _unauthorized(request: web.Request, token: str) -> Problem:
    if not asks_password(request):
        return _UNAUTHORIZED
    return replace(_UNAUTHORIZED, headers=challenge(request, token))


def _forbidden(needs: Permission) -> Problem:
    return Problem(
        status=403,
        code="not_permitted",
        title="Not allowed",
        detail=f"This credential lacks the permission {needs.value}.",
        facts={"permission": needs.value},
    )
