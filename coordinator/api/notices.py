"""The routes of notices: by which ways people are told, and whether a way works."""

from aiohttp import web
from typing_extensions import TypedDict

from coordinator.api.asking import FARM, actor_of
from coordinator.api.documents import Items, Moment
from coordinator.api.operating import MACHINE
from coordinator.api.render import API_ROOT, moment_or_null
from coordinator.api.routes import Route
from coordinator.domain.access import Permission
from coordinator.errors import NotFound
from coordinator.usecases.noticing import Way, send_test, ways


class WayDocument(TypedDict):
    """A way to people; `behind` counts the lines of history that were not looked at for it.

    Null: `due_at` where the last notice was taken.
    """

    name: str
    behind: int
    failures: int
    due_at: Moment | None


class SentDocument(TypedDict):
    """That a test was taken at the other end."""

    name: str


async def list_ways(request: web.Request) -> web.Response:
    """Return the ways to people that the settings name, and how each is."""
    found = await ways(request.app[FARM], request.app[MACHINE].people)
    return web.json_response({"items": [_document(each) for each in found]})


async def send_test_notice(request: web.Request) -> web.Response:
    """Send a test by one way, now; 503 with what the other end said where it was not taken."""
    name = request.match_info["name"]
    people = next((each for each in request.app[MACHINE].people if each.name == name), None)
    if people is None:
        raise NotFound("way", name)
    await send_test(request.app[FARM], people, actor_of(request))
    document: SentDocument = {"name": name}
    return web.json_response(document)


def _document(way: Way) -> WayDocument:
    return {
        "name": way.name,
        "behind": way.behind,
        "failures": way.failures,
        "due_at": moment_or_null(way.due_at),
    }


_NOTICES = f"{API_ROOT}/notices"

ROUTES = (
    Route(
        method="GET",
        path=_NOTICES,
        handler=list_ways,
        needs=Permission.FARM_ADMIN,
        gives=Items[WayDocument],
    ),
    Route(
        method="POST",
        path=f"{_NOTICES}/{{name}}/test",
        handler=send_test_notice,
        needs=Permission.FARM_ADMIN,
        gives=SentDocument,
        problems=("unknown_way", "mail_not_sent", "ntfy_not_sent"),
    ),
)
