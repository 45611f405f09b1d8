"""OctoPrint's dialect: PrusaSlicer, SuperSlicer, OrcaSlicer, and Cura with its OctoPrint plugin.

Every target is an OctoPrint of its own. It is spoken at the root too, for clients that can't be
told an address with a path.
"""

import json

from aiohttp import web

from coordinator.api.asking import CALLER, FARM, UPLOAD_BYTES_MAX, VERSION, actor_of, who
from coordinator.api.incoming import document_in
from coordinator.api.problems import BadRequest, Problem
from coordinator.api.routes import Route
from coordinator.api.slicers import octoprint_documents as documents
from coordinator.api.slicers.taking import SentFile, file_of, files_of, take
from coordinator.api.slicers.targets import Target, address_of, bases, front, rows, target_of
from coordinator.api.slicers.wording import plain
from coordinator.api.uploads import received
from coordinator.domain.jobs import ENDED
from coordinator.errors import NotNow
from coordinator.usecases import controlling, reading
from coordinator.usecases.reading import PrinterView
from protocols.wire.vocabulary import JobId


async def show_version(request: web.Request) -> web.Response:
    """Return the versions: the connection test of every slicer."""
    target = await target_of(request)
    return web.json_response(documents.version_document(target, request.app[VERSION]))


async def log_in(request: web.Request) -> web.Response:
    """Return who shows the key."""
    return web.json_response(documents.login_document(actor_of(request)))


async def show_settings(request: web.Request) -> web.Response:
    """Return the settings that clients look at."""
    target, view = await _looked_at(request)
    return web.json_response(documents.settings_document(documents.title_of(target, view)))


async def show_profiles(request: web.Request) -> web.Response:
    """Return the printer profile."""
    target, view = await _looked_at(request)
    model = view.printer.printer_class if view is not None else target.printer_class
    title = documents.title_of(target, view)
    return web.json_response(documents.profiles_document(title, model))


async def show_connection(request: web.Request) -> web.Response:
    """Return how the printer is connected."""
    target, view = await _looked_at(request)
    title = documents.title_of(target, view)
    return web.json_response(documents.connection_document(documents.standing_of(view), title))


async def connect(request: web.Request) -> web.Response:
    """Do nothing: agents keep their printers connected."""
    await target_of(request)
    return web.Response(status=204)


async def show_printer(request: web.Request) -> web.Response:
    """Return state and temperatures; 409 where the printer is not operational."""
    _, view = await _looked_at(request)
    standing = documents.standing_of(view)
    if standing is None:
        return plain("Printer is not operational", status=409)
    exclude = request.query.get("exclude", "").split(",")
    return web.json_response(documents.printer_document(standing, view, exclude))


async def show_job(request: web.Request) -> web.Response:
    """Return what prints."""
    _, view = await _looked_at(request)
    now = request.app[FARM].clock.now()
    return web.json_response(documents.job_document(documents.standing_of(view), view, now))


async def steer_job(request: web.Request) -> web.Response:
    """Refuse: a print is of a job, which may be somebody else's, and print elsewhere as well."""
    raise NotNow("steered_elsewhere", "Pause, resume or cancel jobs by the farm's own means.")


async def list_files(request: web.Request) -> web.Response:
    """Return the files of the jobs that have not ended."""
    files = await files_of(request.app[FARM], await target_of(request))
    return web.json_response({"files": [_file_document(request, file) for file in files]})


async def upload(request: web.Request) -> web.Response:
    """Take a file; with `print` it is ordered, without it is kept. 201 with its address."""
    target, farm = await target_of(request), request.app[FARM]
    limit = request.app[UPLOAD_BYTES_MAX]
    async with received(request, farm.artifacts, file_bytes_max=limit) as given:
        prints = is_true(given.fields.get("print", ""))
        userdata = given.fields.get("userdata", "")
        file = await take(request, target, given, prints=prints, userdata=userdata)
    address, origin = address_of(request), str(request.url.origin())
    return web.json_response(
        documents.upload_document(file, address, origin, prints=prints),
        status=201,
        headers={"Location": documents.resource_of(file, address)},
    )


async def show_file(request: web.Request) -> web.Response:
    """Return one file."""
    return web.json_response(_file_document(request, await _file(request)))


async def command_file(request: web.Request) -> web.Response:
    """Select a file, which does nothing, or have it printed: a kept one is let go on."""
    if _wants_print(await document_in(request)):
        file = await _file(request)
        if file.job.state in ENDED:
            raise NotNow("job_ended", f"{file.name} was dealt with already: send it again")
        if file.job.held:
            await controlling.resume_job(
                request.app[FARM],
                file.job.job_id,
                *who(request),
                only_of=request[CALLER].steers_only,
            )
    else:
        await _file(request)
    return web.Response(status=204)


async def tell_of_no_plugin(request: web.Request) -> web.Response:
    """Answer as an OctoPrint does that gives out no keys by itself."""
    return plain("Application keys are not given out here: paste a key.", status=404)


def is_true(text: str) -> bool:
    """Whether a field of a form says yes, by OctoPrint's rules."""
    return text.strip().lower() in ("true", "yes", "y", "1", "on")


def _wants_print(body: bytes) -> bool:
    """Return whether a file's command asks for the print.

    Raises:
        BadRequest: 400, it is none that can be obeyed here.
    """
    try:
        command = json.loads(body)
    except (ValueError, RecursionError):
        command = None
    match command:
        case {"command": "print"}:
            return True
        case {"command": "select"}:
            return command.get("print", False) is True
        case _:
            detail = "Files can be selected and printed here, and nothing else."
            raise BadRequest(
                Problem(status=400, code="unknown_command", title="Bad request", detail=detail)
            )


async def _looked_at(request: web.Request) -> tuple[Target, PrinterView | None]:
    """Return the target, and the printer where it is one."""
    target = await target_of(request)
    if target.printer_id is None:
        return target, None
    return target, await reading.printer_view(request.app[FARM], target.printer_id)


async def _file(request: web.Request) -> SentFile:
    job_id = request.match_info.get("job_id")
    return await file_of(
        request.app[FARM],
        await target_of(request),
        request.match_info["name"],
        JobId(job_id) if job_id else None,
    )


def _file_document(request: web.Request, file: SentFile) -> documents.Document:
    return documents.file_document(file, address_of(request), str(request.url.origin()))


_FILE = "/api/files/local/{name}"
_FILE_OF_JOB = "/api/files/local/{job_id}/{name}"


def _routes(base: str) -> tuple[Route, ...]:
    return rows(
        base,
        ("GET", "/api/version", show_version),
        ("POST", "/api/login", log_in),
        ("GET", "/api/settings", show_settings),
        ("GET", "/api/printerprofiles", show_profiles),
        ("GET", "/api/connection", show_connection),
        ("POST", "/api/connection", connect),
        ("GET", "/api/printer", show_printer),
        ("GET", "/api/job", show_job),
        ("POST", "/api/job", steer_job),
        ("GET", "/api/files", list_files),
        ("GET", "/api/files/local", list_files),
        ("POST", "/api/files/local", upload),
        ("GET", _FILE, show_file),
        ("POST", _FILE, command_file),
        ("GET", _FILE_OF_JOB, show_file),
        ("POST", _FILE_OF_JOB, command_file),
    ) + tuple(
        Route(method=method, path=base + path, handler=tell_of_no_plugin, needs=None)
        for method, path in (("GET", "/plugin/appkeys/probe"), ("POST", "/plugin/appkeys/request"))
    )


ROUTES = (
    *_routes(""),
    *(route for base in bases("octoprint") for route in (*front(base), *_routes(base))),
)
