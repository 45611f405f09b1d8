"""The routes of jobs: submit, look, ask why they wait, steer."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace

from aiohttp import web

from coordinator.api.asking import CALLER, FARM, UPLOAD_BYTES_MAX, who
from coordinator.api.forms import order_of
from coordinator.api.problems import BadRequest, FieldError, Problem
from coordinator.api.render import API_ROOT, job_document, wait_document
from coordinator.api.routes import Handler, Route
from coordinator.api.uploads import Upload, received
from coordinator.domain.access import Permission
from coordinator.domain.jobs import Job, JobState
from coordinator.errors import NotPermitted
from coordinator.usecases import controlling, orders, reading
from coordinator.usecases.farm import Farm
from coordinator.usecases.orders import Order
from protocols.wire.vocabulary import JobId


async def submit_job(request: web.Request) -> web.Response:
    """Take a model or G-code and what is wanted of it; 201 with the job."""
    farm = request.app[FARM]
    limit = request.app[UPLOAD_BYTES_MAX]
    async with received(request, farm.artifacts, file_bytes_max=limit) as upload:
        order = _order(request, upload)
        job = await orders.accept_order(farm, order, upload.file)
    response = await _job_response(farm, job.job_id, status=201)
    response.headers["Location"] = f"{API_ROOT}/jobs/{job.job_id}"
    return response


def _order(request: web.Request, upload: Upload) -> Order:
    """Return what is ordered, as whoever orders may.

    Raises:
        BadRequest: 422, with every field that is wrong.
        NotPermitted: `priority_not_permitted`.
    """
    caller = request[CALLER]
    order = order_of(upload.fields, upload.file_name, *who(request))
    manages = caller.may(Permission.JOBS_MANAGE)
    if order.priority > 0 and not manages:
        raise NotPermitted(
            "priority_not_permitted", "only an operator puts a job before those of others"
        )
    return replace(order, owner=caller.owner, approved=manages)


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
    verb: Callable[..., Awaitable[Job]],
) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        farm, only_of = request.app[FARM], request[CALLER].steers_only
        job = await verb(farm, _job_id(request), *who(request), only_of=only_of)
        return await _job_response(farm, job.job_id)

    return handler


cancel_job = _control(controlling.cancel_job)
pause_job = _control(controlling.pause_job)
resume_job = _control(controlling.resume_job)


async def approve_job(request: web.Request) -> web.Response:
    """Let a job that waits for it be printed; 409 `job_not_waiting`."""
    farm = request.app[FARM]
    job = await controlling.approve_job(farm, _job_id(request), *who(request))
    return await _job_response(farm, job.job_id)


async def _job_response(farm: Farm, job_id: JobId, *, status: int = 200) -> web.Response:
    view = await reading.job_view(farm, job_id)
    return web.json_response(job_document(view), status=status)


def _job_id(request: web.Request) -> JobId:
    return JobId(request.match_info["job_id"])


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


_JOBS = f"{API_ROOT}/jobs"
_JOB = f"{_JOBS}/{{job_id}}"

ROUTES = (
    Route(method="POST", path=_JOBS, handler=submit_job, needs=Permission.JOBS_SUBMIT),
    Route(method="GET", path=_JOBS, handler=list_jobs, needs=Permission.FARM_READ),
    Route(method="GET", path=_JOB, handler=show_job, needs=Permission.FARM_READ),
    Route(method="GET", path=f"{_JOB}/why", handler=explain_job, needs=Permission.FARM_READ),
    Route(method="POST", path=f"{_JOB}/cancel", handler=cancel_job, needs=Permission.JOBS_SUBMIT),
    Route(method="POST", path=f"{_JOB}/pause", handler=pause_job, needs=Permission.JOBS_SUBMIT),
    Route(method="POST", path=f"{_JOB}/resume", handler=resume_job, needs=Permission.JOBS_SUBMIT),
    Route(method="POST", path=f"{_JOB}/approve", handler=approve_job, needs=Permission.JOBS_MANAGE),
)
