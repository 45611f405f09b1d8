"""The routes of the queue: a job moved, or ordered once more; what is printed when and where."""

from aiohttp import web

from coordinator.api.asking import CALLER, FARM, asked, taken, who
from coordinator.api.documents import Items, JobDocument
from coordinator.api.forms import PlaceForm, RepeatForm
from coordinator.api.jobs import job_answer, job_made
from coordinator.api.once import fingerprint_of_body, once
from coordinator.api.queries import TimetableQuery
from coordinator.api.queueing_documents import LackDocument, TimetableDocument
from coordinator.api.render import API_ROOT, moment, moment_or_null
from coordinator.api.routes import Route
from coordinator.api.versions import expecting_job, tagged
from coordinator.domain.access import Permission
from coordinator.usecases import queueing
from coordinator.usecases.noticing import lacks
from coordinator.usecases.queueing import Place, Repeat
from coordinator.usecases.reading import PRINTERS_TOLD_MAX
from coordinator.usecases.timetable import Timetable, timetable
from protocols.wire.vocabulary import JobId


async def move_job(request: web.Request) -> web.Response:
    """Put a job at another place in the queue: `to` a number, `before` or `after` another job.

    Between jobs of other priorities it gets theirs. A new priority or due date undoes it.
    """
    job_id, form = _job_id(request), taken(request, PlaceForm)
    place = Place(
        to=form.to if "to" in form.model_fields_set else None,
        before=JobId(form.before) if form.before else None,
        after=JobId(form.after) if form.after else None,
    )
    farm = expecting_job(request, job_id)
    await queueing.move_job(farm, job_id, place, *who(request))
    return await job_answer(request, job_id)


async def repeat_job(request: web.Request) -> web.Response:
    """Order once more what a job was ordered for; 201 with the new job."""
    farm, caller, form = request.app[FARM], request[CALLER], taken(request, RepeatForm)

    async def made(job_id: str) -> web.Response | None:
        return await job_made(request, JobId(job_id))

    async def make(job_id: str) -> web.Response:
        repeat = Repeat(
            job_id=JobId(job_id),
            copies=form.copies,
            owner=caller.owner,
            approved=caller.may(Permission.JOBS_MANAGE),
        )
        job = await queueing.repeat_job(farm, _job_id(request), repeat, *who(request))
        return await job_answer(request, job.job_id, status=201)

    fingerprint = await fingerprint_of_body(request)
    return await once(request, fingerprint, farm.ids.new("job"), made, make)


async def show_timetable(request: web.Request) -> web.Response:
    """Return what each printer prints now, and what it is going to if nothing comes between.

    It was foretold at `made_at`: all who ask within some seconds get the same.
    """
    query = asked(request, TimetableQuery)
    return tagged(request, _document(await timetable(request.app[FARM], query.hours)))


async def list_lacks(request: web.Request) -> web.Response:
    """Return which material has to be loaded, for which job, and where it would do."""
    document: Items[LackDocument] = {
        "items": [
            {
                "job_id": job.job_id,
                "name": job.name,
                "since": moment(job.updated_at),
                "material": lack.material,
                "printer_count": len(lack.printers),
                "printers": [
                    {"printer_id": printer.printer_id, "name": printer.name, "words": words}
                    for printer, words in lack.printers[:PRINTERS_TOLD_MAX]
                ],
            }
            for job, lack in await lacks(request.app[FARM])
        ]
    }
    return tagged(request, document)


def _document(table: Timetable) -> TimetableDocument:
    return {
        "made_at": moment(table.made_at),
        "until": moment(table.until),
        "left_out": table.left_out,
        "items": [
            {
                "printer_id": printer.printer_id,
                "name": printer.name,
                "blocks": [
                    {
                        "kind": block.kind,
                        "job_id": block.job.job_id,
                        "name": block.job.name,
                        "copies": block.copies,
                        "starts_at": moment(block.starts_at),
                        "ends_at": moment_or_null(block.ends_at),
                    }
                    for block in blocks
                ],
            }
            for printer, blocks in table.rows
        ],
    }


def _job_id(request: web.Request) -> JobId:
    return JobId(request.match_info["job_id"])


_JOB = f"{API_ROOT}/jobs/{{job_id}}"

ROUTES = (
    Route(
        method="POST",
        path=f"{_JOB}/move",
        handler=move_job,
        needs=Permission.JOBS_MANAGE,
        takes=PlaceForm,
        gives=JobDocument,
        problems=("unknown_job", "job_not_queued"),
        versioned=True,
        guarded=True,
    ),
    Route(
        method="POST",
        path=f"{_JOB}/again",
        handler=repeat_job,
        needs=Permission.JOBS_SUBMIT,
        takes=RepeatForm,
        gives=JobDocument,
        status=201,
        problems=(
            *("unknown_job", "job_files_gone", "copies_out_of_range"),
            *("quota_filament", "quota_jobs_open"),
        ),
        once=True,
        versioned=True,
    ),
    Route(
        method="GET",
        path=f"{API_ROOT}/timetable",
        handler=show_timetable,
        needs=Permission.FARM_READ,
        asks=TimetableQuery,
        gives=TimetableDocument,
        versioned=True,
    ),
    Route(
        method="GET",
        path=f"{API_ROOT}/materials/wanted",
        handler=list_lacks,
        needs=Permission.FARM_READ,
        gives=Items[LackDocument],
        versioned=True,
    ),
)
