"""The routes by which the API tells of itself: its document, and what each problem means."""

from dataclasses import dataclass

from aiohttp import web

from coordinator.api.asking import VERSION
from coordinator.api.codes import CODES
from coordinator.api.documents import Items
from coordinator.api.documents_farm import CodeDocument
from coordinator.api.openapi import document_of
from coordinator.api.packing import packed
from coordinator.api.render import API_ROOT
from coordinator.api.routes import Route
from coordinator.errors import NotFound


@dataclass(slots=True)
class Described:
    """What is told of; the document is made when somebody asks for the first time."""

    routes: tuple[Route, ...]
    document: bytes = b""


DESCRIBED = web.AppKey("described", Described)

_KEPT = "public, max-age=3600"


def describe(app: web.Application, routes: tuple[Route, ...]) -> None:
    """Have an application tell of these routes."""
    app[DESCRIBED] = Described(routes)


async def show_document(request: web.Request) -> web.Response:
    """Return this API's document, OpenAPI 3.1."""
    described = request.app[DESCRIBED]
    if not described.document:
        described.document = packed(document_of(described.routes, request.app[VERSION]))
    return web.Response(body=described.document, content_type="application/json")


async def list_problems(request: web.Request) -> web.Response:
    """Return every code that a problem may carry."""
    documents = [_code_document(code) for code in CODES]
    return web.json_response({"items": documents}, headers={"Cache-Control": _KEPT})


async def show_problem(request: web.Request) -> web.Response:
    """Return what a problem's code means; the `type` of each problem is such an address."""
    code = request.match_info["code"]
    if code not in CODES:
        raise NotFound("code", code)
    return web.json_response(_code_document(code), headers={"Cache-Control": _KEPT})


def _code_document(code: str) -> CodeDocument:
    status, words = CODES[code]
    return {"code": code, "status": status, "words": words}


_PROBLEMS = f"{API_ROOT}/problems"

# Public: they tell of the program, which is no secret, and nothing of the farm.
ROUTES = (
    Route(
        method="GET",
        path=f"{API_ROOT}/openapi.json",
        handler=show_document,
        needs=None,
        gives=dict[str, object],
    ),
    Route(
        method="GET", path=_PROBLEMS, handler=list_problems, needs=None, gives=Items[CodeDocument]
    ),
    Route(
        method="GET",
        path=f"{_PROBLEMS}/{{code}}",
        handler=show_problem,
        needs=None,
        gives=CodeDocument,
        problems=("unknown_code",),
    ),
)
