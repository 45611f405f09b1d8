"""The routes of jobs: submit, look, ask why they wait, steer."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import cast

from aiohttp import web

from coordinator.api.asking import CALLER, FARM, UPLOAD_BYTES_MAX, asked, taken, who
from coordinator.api.codes import ORDER
from coordinator.api.documents import Items, JobDocument, Page, ProvenanceDocument, WaitDocument
from coordinator.api.forms import JobForm, OrderForm, order_of, refused
from coordinator.api.once import once
from coordinator.api.problems import FieldError
from coordinator.api.queries import JobsMeant, JobsQuery, job_cursor, job_place
from coordinator.api.render import API_ROOT, job_document, wait_document
from coordinator.api.routes import Handler, Route, named
from coordinator.api.uploads import Form, fingerprint_of, no_file, received_form
from coordinator.api.versions import expecting_job, job_tag, tagged
from coordinator.domain.access import Caller, Permission
from coordinator.domain.controls import JobChanges
from coordinator.domain.jobs import Job
from coordinator.domain.listing import JobsWanted
from coordinator.errors import NotPermitted
from coordinator.usecases import controlling, orders, reading
from coordinator.usecases.orders import Order
from protocols.wire.vocabulary import JobId


async def submit_job(request: web.Request) -> web.Response:
    """Take a model or G-code, or name a model of the farm, and what is wanted; 201 with the job."""
    farm = request.app[FARM]
    limit = request.app[UPLOAD_BYTES_MAX]
    async with received_form(request, farm.artifacts, file_bytes_max=limit) as form:
        order = ordered(request, form)

        async def made(job_id: str) -> web.Response | None:
            return await job_made(request, JobId(job_id))

        async def make(job_id: str) -> web.Response:
            wanted = replace(order, job_id=JobId(job_id))
            if form.file is not None:
                job = await orders.accept_order(farm, wanted, form.file)
            else:
                said = order.model_id, order.model_version or None
                job = await orders.order_version(farm, wanted, *said)
            return await job_answer(request, job.job_id, status=201)

        return await once(request, fingerprint_of(form), farm.ids.new("job"), made, make)


async def job_made(request: web.Request, job_id: JobId) -> web.Response | None:
    """Return the answer to an order that was taken before, None where it was not."""
    async with request.app[FARM].store.read() as unit:
        if await unit.job(job_id) is None:
            return None
    return await job_answer(request, job_id, status=201)


def ordered(request: web.Request, form: Form) -> Order:
    """Return what is ordered, as whoever orders may: a file, or a model of the farm.

    Raises:
        BadRequest: 422, with every field that is wrong.
        NotPermitted: `priority_not_permitted`.
    """
    caller = request[CALLER]
    order = order_of(form.fields, form.file_name, *who(request))
    if form.file is None and not order.model_id:
        raise no_file()
    if form.file is not None and order.model_id:
        raise refused([FieldError(pointer="/model_id", detail="a file came as well: send one")])
    check_priority(caller, order.priority)
    return replace(order, owner=caller.owner, approved=caller.may(Permission.JOBS_MANAGE))


def check_priority(caller: Caller, priority: int) -> None:
    """Refuse who puts a job before those of others and may not; `priority_not_permitted`."""
    if priority > 0 and not caller.may(Permission.JOBS_MANAGE):
        raise NotPermitted(
            "priority_not_permitted", "only an operator puts a job before those of others"
        )


async def list_jobs(request: web.Request) -> web.Response:
    """Return a page of jobs, in order of arrival unless told."""
    query = asked(request, JobsQuery)
    wanted = replace(jobs_meant(query), newest=query.order == "newest")
    page = await reading.jobs_page(
        request.app[FARM], wanted, after=job_place(query.cursor), limit=query.limit
    )
    document: Page[JobDocument] = {
        "items": [job_document(view) for view in page.views],
        "next": job_cursor(page.next) if page.next is not None else None,
        "total": page.total,
    }
    return tagged(request, document)


def jobs_meant(query: JobsMeant) -> JobsWanted:
    """Return which jobs are asked for."""
    return JobsWanted(
        states=frozenset(query.state) or None,
        material=query.material,
        printer_class=query.printer_class,
        owner=query.owner,
        model_id=query.model_id,
        text=query.text,
        since=query.since,
    )


async def show_job(request: web.Request) -> web.Response:
    """Return one job."""
    return await job_answer(request, _job_id(request))


async def explain_job(request: web.Request) -> web.Response:
    """Return why a job waits, printer by printer."""
    waits = await reading.why_waiting(request.app[FARM], _job_id(request))
    return web.json_response({"items": [wait_document(wait) for wait in waits]})


async def show_provenance(request: web.Request) -> web.Response:
    """Return where a job's model came from: what its plates say of themselves."""
    facts = await reading.job_provenance(request.app[FARM], _job_id(request))
    return web.json_response({"facts": facts})


def _control(
    verb: Callable[..., Awaitable[Job]],
) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        job_id, only_of = _job_id(request), request[CALLER].steers_only
        farm = expecting_job(request, job_id)
        job = await verb(farm, job_id, *who(request), only_of=only_of)
        return await job_answer(request, job.job_id)

    return named(handler, verb)


cancel_job = _control(controlling.cancel_job)
pause_job = _control(controlling.pause_job)
resume_job = _control(controlling.resume_job)


async def approve_job(request: web.Request) -> web.Response:
    """Let a job that waits for it be printed; 409 `job_not_waiting`."""
    job_id = _job_id(request)
    job = await controlling.approve_job(expecting_job(request, job_id), job_id, *who(request))
    return await job_answer(request, job.job_id)


async def change_job(request: web.Request) -> web.Response:
    """Give a job another name, priority, due date or number of copies; all else stays."""
    job_id, caller = _job_id(request), request[CALLER]
    said = taken(request, JobForm).model_dump(exclude_unset=True)
    wanted = cast(JobChanges, said)
    check_priority(caller, wanted.get("priority", 0))
    farm, only_of = expecting_job(request, job_id), caller.steers_only
    await controlling.reorder_job(farm, job_id, wanted, *who(request), only_of=only_of)
    return await job_answer(request, job_id)


async def job_answer(request: web.Request, job_id: JobId, *, status: int = 200) -> web.Response:
    """Return a job as an answer; with its address where it was just made."""
    view = await reading.job_view(request.app[FARM], job_id)
    answer = tagged(request, job_document(view), written=job_tag(view.job), status=status)
    if status == 201:
        answer.headers["Location"] = f"{API_ROOT}/jobs/{job_id}"
    return answer


def _job_id(request: web.Request) -> JobId:
    return JobId(request.match_info["job_id"])


_JOBS = f"{API_ROOT}/jobs"
_JOB = f"{_JOBS}/{{job_id}}"

_UNKNOWN = "unknown_job"


def _steering(verb: str, handler: Handler, *problems: str) -> Route:
    return Route(
        method="POST",
        path=f"{_JOB}/{verb}",
        handler=handler,
        needs=Permission.JOBS_SUBMIT,
        gives=JobDocument,
        problems=(_UNKNOWN, "epoch_raised", "not_your_job", *problems),
        versioned=True,
        guarded=True,
    )


ROUTES = (
    Route(
        method="POST",
        path=_JOBS,
        handler=submit_job,
        needs=Permission.JOBS_SUBMIT,
        form=OrderForm,
        gives=JobDocument,
        status=201,
        problems=(*ORDER, "unknown_model", "unknown_version"),
        once=True,
        versioned=True,
    ),
    Route(
        method="GET",
        path=_JOBS,
        handler=list_jobs,
        needs=Permission.FARM_READ,
        asks=JobsQuery,
        gives=Page[JobDocument],
        versioned=True,
    ),
    Route(
        method="GET",
        path=_JOB,
        handler=show_job,
        needs=Permission.FARM_READ,
        gives=JobDocument,
        problems=(_UNKNOWN,),
        versioned=True,
    ),
    Route(
        method="PATCH",
        path=_JOB,
        handler=change_job,
        needs=Permission.JOBS_SUBMIT,
        takes=JobForm,
        gives=JobDocument,
        problems=(
            *(_UNKNOWN, "not_your_job", "priority_not_permitted", "job_ended"),
            *("copies_begun", "copies_out_of_range"),
        ),
        versioned=True,
        guarded=True,
    ),
    Route(
        method="GET",
        path=f"{_JOB}/why",
        handler=explain_job,
        needs=Permission.FARM_READ,
        gives=Items[WaitDocument],
        problems=(_UNKNOWN,),
    ),
    Route(
        method="GET",
        path=f"{_JOB}/provenance",
        handler=show_provenance,
        needs=Permission.FARM_READ,
        gives=ProvenanceDocument,
        problems=(_UNKNOWN,),
    ),
    _steering("cancel", cancel_job, "job_ended"),
    _steering("pause", pause_job, "job_not_pausable", "printer_cannot_pause"),
    _steering("resume", resume_job, "job_not_paused"),
    replace(_steering("approve", approve_job, "job_not_waiting"), needs=Permission.JOBS_MANAGE),
)
