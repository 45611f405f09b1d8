"""Moonraker's dialect: PrusaSlicer with a host of type Moonraker, and others made for it."""

from aiohttp import web

from coordinator.api.asking import FARM, UPLOAD_BYTES_MAX, VERSION
from coordinator.api.slicers import moonraker_documents as documents
from coordinator.api.slicers.octoprint import is_true
from coordinator.api.slicers.taking import take
from coordinator.api.slicers.targets import bases, front, rows, target_of
from coordinator.api.uploads import received


async def show_server(request: web.Request) -> web.Response:
    """Return what the server is: the connection test."""
    await target_of(request)
    return web.json_response(documents.server_document(request.app[VERSION]))


async def upload(request: web.Request) -> web.Response:
    """Take a file; with `print` it is ordered, without it is kept."""
    target, farm = await target_of(request), request.app[FARM]
    limit = request.app[UPLOAD_BYTES_MAX]
    async with received(request, farm.artifacts, file_bytes_max=limit) as given:
        prints = is_true(given.fields.get("print", ""))
        file = await take(request, target, given, prints=prints)
    return web.json_response(documents.upload_document(file, prints=prints), status=201)


ROUTES = tuple(
    route
    for base in bases("moonraker")
    for route in (
        *front(base),
        *rows(
            base,
            ("GET", "/server/info", show_server),
            ("POST", "/server/files/upload", upload),
        ),
    )
)
