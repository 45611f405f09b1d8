"""What slicers show to people: answers in plain words, bad ones first of all.

PrusaSlicer and OrcaSlicer show a refusal's body as it is, `HTTP 422: <body>`. Cura does so (its
first 100 characters) only where the content type is `text/plain` and nothing behind it.
"""

from aiohttp import web

from coordinator.api.problems import Problem
from coordinator.api.render import API_ROOT

_SPOKEN = ("/octoprint", "/prusalink", "/prusaconnect", "/moonraker", "/api")


def plain(words: str, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Return an answer in words."""
    told = {"Content-Type": "text/plain", **(headers or {})}
    return web.Response(body=words.encode(), status=status, headers=told)


def refusal_of(path: str, problem: Problem) -> web.Response | None:
    """Return a problem as slicers want it; None where no slicer asks."""
    root = "/" + path.split("/")[1]
    if root not in _SPOKEN or path.startswith(API_ROOT):
        return None
    return plain(problem.detail, status=problem.status, headers=dict(problem.headers))
