"""Who may: every route wants a credential with its permission unless it is public."""

import hmac
from dataclasses import replace

from aiohttp import web

from coordinator.api import digest
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
    if not same and not (_speaks_digest(request) and _proves(request, token)):
        return None
    return Caller(actor="user:admin", role=Role.ADMIN, permissions=PERMISSIONS[Role.ADMIN])


def _shown(request: web.Request) -> str:
    """Return the token that a request shows; slicers show theirs in a header of its own."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme:
        return given.strip() if scheme.lower() == "bearer" else ""
    return request.headers.get("X-Api-Key", "").strip()


def _speaks_digest(request: web.Request) -> bool:
    """Whether a name and a password will do; browsers keep these, and a foreign page may use them.

    Slicers don't say from which page they come.
    """
    return request.path.startswith("/prusalink/") and "Origin" not in request.headers


def _proves(request: web.Request, token: str) -> bool:
    return digest.proves(
        request.headers.get("Authorization", ""),
        method=request.method,
        uri=request.raw_path,
        password=token,
        now_s=request.app[FARM].clock.now().timestamp(),
    )


def _unauthorized(request: web.Request, token: str) -> Problem:
    if not _speaks_digest(request):
        return _UNAUTHORIZED
    now_s = request.app[FARM].clock.now().timestamp()
    return replace(_UNAUTHORIZED, headers={"WWW-Authenticate": digest.challenge(token, now_s)})


def _forbidden(needs: Permission) -> Problem:
    return Problem(
        status=403,
        code="not_permitted",
        title="Not allowed",
        detail=f"This credential lacks the permission {needs.value}.",
        facts={"permission": needs.value},
    )
