"""What each route does: parse, call one use case, render."""

from collections.abc import Awaitable, Callable, Collection

from aiohttp import web

from coordinator.api.auth import TOKEN, actor_of, shows_credential
from coordinator.api.forms import CommandForm, ServiceForm, SettleForm, form_of, order_of
from coordinator.api.problems import BadRequest, FieldError, Problem
from coordinator.api.render import (
    API_ROOT,
    health_document,
    job_document,
    printer_document,
    wait_document,
    whole_run_document,
)
from coordinator.api.uploads import received
from coordinator.domain.jobs import Job, JobState
from coordinator.domain.printers import Printer
from coordinator.usecases import beds, commanding, controlling, orders, reading
from coordinator.usecases.farm import Farm
from protocols.wire.vocabulary import JobId, PrinterId, RunId

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

FARM = web.AppKey("farm", Farm)
UPLOAD_BYTES_MAX = web.AppKey("upload_bytes_max", int)
VERSION = web.AppKey("version", str)
REQUEST_ID = web.RequestKey("request_id", str)


async def submit_job(request: web.Request) -> web.Response:
    """Take a model or G-code and what is wanted of it; 201 with the job."""
    farm = request.app[FARM]
    limit = request.app[UPLOAD_BYTES_MAX]
    async with received(request, farm.artifacts, file_bytes_max=limit) as upload:
        order = order_of(upload.fields, upload.file_name, *_who(request))
        job = await orders.accept_order(farm, order, upload.file)
    response = await _job_response(farm, job.job_id, status=201)
    response.headers["Location"] = f"{API_ROOT}/jobs/{job.job_id}"
    return response


async def list_jobs(request: web.Request) -> web.Response:
    """Return the jobs in order of arrival; `?state=printing&state=ready` keeps those."""
    views = await reading.job_views(request.app[FARM], states=_states(request))
    return web.json_response({"items": [job_document(view) for view in views]})


async def show_job(request: web.Request) -> web.Response:
    """Return one job."""
    return await _job_response(request.app[FARM], _job_id(request))


async def explain_job(request: web.Request) -> web.Response:
    """Return why a job waits, printer by printer."""
    waits = await reading.why_waiting(request.app[FARM], _job_id(request))
    return web.json_response({"items": [wait_document(wait) for wait in waits]})


def _control(
    verb: Callable[[Farm, JobId, str, str], Awaitable[Job]],
) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        farm = request.app[FARM]
        job = await verb(farm, _job_id(request), *_who(request))
        return await _job_response(farm, job.job_id)

    return handler


cancel_job = _control(controlling.cancel_job)
pause_job = _control(controlling.pause_job)
resume_job = _control(controlling.resume_job)


async def list_printers(request: web.Request) -> web.Response:
    """Return all printers, by id."""
    views = await reading.printer_views(request.app[FARM])
    return web.json_response({"items": [printer_document(view) for view in views]})


async def show_printer(request: web.Request) -> web.Response:
    """Return one printer."""
    view = await reading.printer_view(request.app[FARM], _printer_id(request))
    return web.json_response(printer_document(view))


def _of_bed(verb: Callable[[Farm, PrinterId, str, str], Awaitable[Printer]]) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        farm = request.app[FARM]
        printer = await verb(farm, _printer_id(request), *_who(request))
        return web.json_response(
            printer_document(await reading.printer_view(farm, printer.printer_id))
        )

    return handler


clear_printer = _of_bed(controlling.clear_printer)
claim_bed = _of_bed(beds.claim_bed)
abandon_bed = _of_bed(beds.abandon_bed)


async def set_service(request: web.Request) -> web.Response:
    """Take a printer out of the farm's hands, or give it back."""
    farm, printer_id = request.app[FARM], _printer_id(request)
    form = form_of(ServiceForm, await request.read())
    await controlling.set_service(farm, printer_id, form.in_service, *_who(request))
    return web.json_response(printer_document(await reading.printer_view(farm, printer_id)))


async def command_printer(request: web.Request) -> web.Response:
    """Have a printer do what is not state: `send`, `dialogue`, `emergency_stop`."""
    farm, printer_id = request.app[FARM], _printer_id(request)
    form = form_of(CommandForm, await request.read())
    words = await commanding.command_printer(
        farm, printer_id, form.name, form.arguments, actor_of(request)
    )
    return web.json_response({"name": form.name, "words": words})


async def show_run(request: web.Request) -> web.Response:
    """Return one run."""
    run = await reading.run_view(request.app[FARM], RunId(request.match_info["run_id"]))
    return web.json_response(whole_run_document(run))


async def settle_run(request: web.Request) -> web.Response:
    """Take a person's word on how a lost run ended."""
    form = form_of(SettleForm, await request.read())
    run_id = RunId(request.match_info["run_id"])
    run = await controlling.settle_run(request.app[FARM], run_id, form.outcome, *_who(request))
    return web.json_response(whole_run_document(run))


async def show_health(request: web.Request) -> web.Response:
    """Return how the coordinator is: 503 where it can do nothing, else 200. Anybody may ask."""
    health = await reading.health(request.app[FARM])
    document = health_document(
        health,
        version=request.app[VERSION],
        in_words=shows_credential(request, request.app[TOKEN]),
    )
    return web.json_response(document, status=200 if health.ok else 503)


async def _job_response(farm: Farm, job_id: JobId, *, status: int = 200) -> web.Response:
    view = await reading.job_view(farm, job_id)
    return web.json_response(job_document(view), status=status)


def _who(request: web.Request) -> tuple[str, str]:
    """Return who asks, and with which request, for the farm's history."""
    return actor_of(request), f"request {request[REQUEST_ID]}"


def _job_id(request: web.Request) -> JobId:
    return JobId(request.match_info["job_id"])


def _printer_id(request: web.Request) -> PrinterId:
    return PrinterId(request.match_info["printer_id"])


def _states(request: web.Request) -> Collection[JobState] | None:
    names = request.query.getall("state", [])
    try:
        return [JobState(name) for name in names] or None
    except ValueError as error:
        known = ", ".join(state.value for state in JobState)
        raise BadRequest(
            Problem(
                status=422,
                code="invalid_query",
                title="Invalid query",
                detail=f"state must be one of {known}",
                errors=(FieldError(pointer="/state", detail=str(error)),),
            )
        ) from error
