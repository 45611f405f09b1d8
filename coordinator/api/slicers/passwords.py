"""A name and a password, which PrusaLink's clients may show where others show a key.

The password is the farm's own token, see `digest.py`; the name is of no concern.
"""

from aiohttp import web

from coordinator.api import digest
from coordinator.api.asking import FARM


def asks_password(request: web.Request) -> bool:
    """Whether a name and a password will do: where PrusaLink is spoken, and not to a page.

    Browsers keep passwords and send them by themselves, so that a foreign page might use them.
    Slicers don't say from which page they come.
    """
    return request.path.startswith("/prusalink/") and "Origin" not in request.headers


def knows_password(request: web.Request, token: str) -> bool:
    """Whether a request proves that its sender knows the token."""
    return asks_password(request) and digest.proves(
        request.headers.get("Authorization", ""),
        method=request.method,
        uri=request.raw_path,
        password=token,
        now_s=request.app[FARM].clock.now().timestamp(),
    )


def challenge(request: web.Request, token: str) -> dict[str, str]:
    """Return the headers that ask for it."""
    now_s = request.app[FARM].clock.now().timestamp()
    return {"WWW-Authenticate": digest.challenge(token, now_s)}
