"""PrusaLink's dialect, and Prusa Connect's: PrusaSlicer with a host of that type.

Of the two, Connect's shows people what is answered, so it is answered in words: as what number the
upload is queued, and when and where it will start. Connect's clients are not offered to upload by
PUT, for that can't say that something is to be queued.
"""

from datetime import datetime

from aiohttp import web

from coordinator.api.asking import FARM, UPLOAD_BYTES_MAX, VERSION
from coordinator.api.problems import BadRequest, Problem
from coordinator.api.routes import Route
from coordinator.api.slicers import octoprint, prusalink_documents
from coordinator.api.slicers.octoprint import is_true
from coordinator.api.slicers.prospects import in_words, is_sure
from coordinator.api.slicers.taking import SentFile, take
from coordinator.api.slicers.targets import address_of, bases, front, rows, target_of
from coordinator.api.slicers.wording import plain
from coordinator.api.uploads import received, received_whole
from coordinator.usecases.foretelling import prospect

# The one storage that there is; PrusaSlicer puts its path behind `api/v1/files`.
STORAGE = "local"


async def show_version(request: web.Request) -> web.Response:
    """Return the versions, and that files are taken by PUT."""
    document = prusalink_documents.version_document(
        await target_of(request), request.app[VERSION], by_put=True
    )
    return web.json_response(document)


async def show_connect_version(request: web.Request) -> web.Response:
    """Return the versions."""
    document = prusalink_documents.version_document(
        await target_of(request), request.app[VERSION], by_put=False
    )
    return web.json_response(document)


async def show_storage(request: web.Request) -> web.Response:
    """Return where files can be sent to."""
    target = await target_of(request)
    return web.json_response(prusalink_documents.storage_document(target, STORAGE))


async def put_file(request: web.Request) -> web.Response:
    """Take a body that is the file; with `Print-After-Upload: ?1` it is ordered, else kept."""
    target, farm = await target_of(request), request.app[FARM]
    if request.match_info["storage"] != STORAGE:
        raise BadRequest(
            Problem(
                status=404,
                code="unknown_storage",
                title="Not found",
                detail=f"There is one storage here, /{STORAGE}.",
            )
        )
    prints = request.headers.get("Print-After-Upload", "").strip() == "?1"
    async with received_whole(
        request,
        farm.artifacts,
        file_name=request.match_info["name"],
        file_bytes_max=request.app[UPLOAD_BYTES_MAX],
    ) as given:
        file = await take(request, target, given, prints=prints)
    document = prusalink_documents.file_document(file, address_of(request), STORAGE)
    return web.json_response(document, status=201)


async def post_to_connect(request: web.Request) -> web.Response:
    """Take a file; with `to_print` or `to_queue` it is ordered, else kept. 202 warns."""
    target, farm = await target_of(request), request.app[FARM]
    limit = request.app[UPLOAD_BYTES_MAX]
    async with received(request, farm.artifacts, file_bytes_max=limit) as given:
        wishes = (given.fields.get(name, "") for name in ("to_print", "to_queue", "print"))
        file = await take(request, target, given, prints=any(map(is_true, wishes)))
    return await _told(request, file)


async def _told(request: web.Request, file: SentFile) -> web.Response:
    farm = request.app[FARM]
    found = await prospect(farm, file.job.job_id)
    words = in_words(found, _here(farm.clock.now()))
    remarks = file.plate.remarks if file.plate is not None else ()
    sentences = ". ".join((words, *remarks))
    return plain(sentences, status=200 if is_sure(found) and not remarks else 202)


def _here(now: datetime) -> datetime:
    """Return a time in the time zone of this machine, as people beside the printers have it."""
    return now.astimezone()


# So deep may folders be; they are not kept.
_PUT_PATHS = tuple(
    f"/api/v1/files/{{storage}}{folders}/{{name}}"
    for folders in ("", "/{folder}", "/{folder}/{folder2}")
)


def _link_routes(base: str) -> tuple[Route, ...]:
    return rows(
        base,
        ("GET", "/api/version", show_version),
        ("GET", "/api/v1/storage", show_storage),
        ("POST", "/api/files/local", octoprint.upload),
        *(("PUT", path, put_file) for path in _PUT_PATHS),
    )


def _connect_routes(base: str) -> tuple[Route, ...]:
    return rows(
        base,
        ("GET", "/api/version", show_connect_version),
        ("POST", "/api/files/local", post_to_connect),
    )


ROUTES = (
    *(route for base in bases("prusalink") for route in (*front(base), *_link_routes(base))),
    *(route for base in bases("prusaconnect") for route in (*front(base), *_connect_routes(base))),
)
