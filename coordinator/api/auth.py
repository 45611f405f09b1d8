"""Who may: every route wants the farm's token unless it is listed as public."""

import hmac

from aiohttp import web

from coordinator.api.problems import BadRequest, Problem
from coordinator.errors import SettingsInvalid

# What anybody may read, by method and path. The page holds no data: it asks for a token itself.
PUBLIC: frozenset[tuple[str, str]] = frozenset(
    {
        ("GET", "/api/v1/health"),
        ("HEAD", "/api/v1/health"),
        ("GET", "/"),
        ("GET", "/dashboard/page.js"),
        ("GET", "/dashboard/page.css"),
    }
)

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


def require_credential(request: web.Request, token: str) -> None:
    """Let public routes pass, and requests with the token; an unknown route is not public.

    Raises:
        BadRequest: 401.
    """
    resource = request.match_info.route.resource
    if resource is not None and (request.method, resource.canonical) in PUBLIC:
        return
    if not shows_credential(request, token):
        raise BadRequest(_UNAUTHORIZED)


def shows_credential(request: web.Request, token: str) -> bool:
    """Whether a request comes with the token."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    # Bytes: comparing texts in constant time fails on what is not ASCII.
    same = hmac.compare_digest(given.strip().encode("utf-8", "replace"), token.encode())
    return scheme.lower() == "bearer" and same


def actor_of(request: web.Request) -> str:
    """Return who asks, for the farm's history: there is one credential, its owner's."""
    del request
    return "user:admin"
