"""Who may: every route wants a credential with its permission unless it is public."""

import hmac

from aiohttp import web

from coordinator.api import agent_auth
from coordinator.api.asking import CALLER, FARM
from coordinator.api.problems import BadRequest, Problem
from coordinator.domain.access import PERMISSIONS, Caller, Permission, Role
from coordinator.errors import SettingsInvalid

TOKEN = web.AppKey("token", str)

# A token that can be guessed opens the farm; what we make ourselves has twice as much.
TOKEN_CHARACTERS_MIN = 16

_UNAUTHORIZED = Problem(
    status=401,
    code="no_credential",
    title="Not allowed",
    detail="Send the farm's token: `Authorization: Bearer <token>`. "
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


async def admit(request: web.Request, token: str, needs: Permission | None) -> None:
    """Find out who asks, and let pass who may.

    Args:
        needs: the route's permission; None lets everybody pass.

    Raises:
        BadRequest: 401 without a credential that we know, 403 where it does not reach so far.
    """
    caller = await _caller(request, token)
    if caller is not None:
        request[CALLER] = caller
    if needs is None:
        return
    if caller is None:
        raise BadRequest(_UNAUTHORIZED)
    if not caller.may(needs):
        raise BadRequest(_forbidden(needs))


async def _caller(request: web.Request, token: str) -> Caller | None:
    """Return who comes with a credential that we know."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    # Bytes: comparing texts in constant time fails on what is not ASCII.
    same = hmac.compare_digest(given.strip().encode("utf-8", "replace"), token.encode())
    if scheme.lower() != "bearer":
        return None
    if not same:
        return await agent_auth.caller_of(request.app[FARM], given.strip())
    return Caller(actor="user:admin", role=Role.ADMIN, permissions=PERMISSIONS[Role.ADMIN])


def _forbidden(needs: Permission) -> Problem:
    return Problem(
        status=403,
        code="not_permitted",
        title="Not allowed",
        detail=f"This credential lacks the permission {needs.value}.",
        facts={"permission": needs.value},
    )
