"""The routes of the farm's history: read it, have it proved, archive what is old."""

from aiohttp import web

from coordinator.api.asking import FARM, REQUEST_ID, actor_of, asked, taken
from coordinator.api.documents import Facts
from coordinator.api.documents_farm import AuditDocument, EventsPage
from coordinator.api.forms import SealForm
from coordinator.api.outgoing import give_out
from coordinator.api.queries import ArchiveQuery, EventsQuery, VerifyQuery
from coordinator.api.render import API_ROOT, audit_document, event_document
from coordinator.api.routes import Route
from coordinator.domain.access import Permission
from coordinator.domain.history import LinesMeant
from coordinator.usecases import auditing, sealing
from coordinator.usecases.auditing import Question
from protocols.wire.vocabulary import JobId, PrinterId

# The number of an archive's last line, which sealing wants to know.
UPTO_HEADER = "X-Farmhand-Upto"


async def list_events(request: web.Request) -> web.Response:
    """Return lines of history, oldest first, and the cursor to go on from."""
    query = asked(request, EventsQuery)
    question = Question(
        after=query.after,
        last=query.last,
        limit=query.limit,
        job_id=JobId(query.job) if query.job is not None else None,
        printer_id=PrinterId(query.printer) if query.printer is not None else None,
        since=query.since,
        meant=LinesMeant(
            before=query.before,
            until=query.until,
            actor=query.actor,
            name=query.name,
            subject=query.subject,
            subject_id=query.subject_id,
        ),
    )
    lines = await auditing.events(request.app[FARM], question)
    cursor = lines[-1].number if lines else query.after
    return web.json_response({"items": [event_document(line) for line in lines], "next": cursor})


async def verify_events(request: web.Request) -> web.Response:
    """Read all of the history, rebuild the farm from it and compare; 200 whatever comes of it."""
    known = asked(request, VerifyQuery).head
    return web.json_response(audit_document(await auditing.verify(request.app[FARM], known)))


async def archive_events(request: web.Request) -> web.StreamResponse:
    """Give out the archive of what happened before a time; its last line's number in a header.

    Nothing is removed by it. Who did not get all of it sees the connection break.
    """
    farm, before = request.app[FARM], asked(request, ArchiveQuery).before
    upto = await sealing.last_before(farm, before)
    response = web.StreamResponse(headers={UPTO_HEADER: str(upto)})
    response.content_type = "application/jsonl"
    await response.prepare(request)
    await give_out(request, response, sealing.archive(farm, upto))
    return response


async def seal_events(request: web.Request) -> web.Response:
    """Remove what is in an archive, for whoever proves to have it by its hash."""
    form = taken(request, SealForm)
    checkpoint = await sealing.seal(
        request.app[FARM],
        upto=form.upto,
        archive_sha256=form.archive_sha256,
        actor=actor_of(request),
        origin=f"request {request[REQUEST_ID]}",
    )
    return web.json_response(checkpoint.facts)


_EVENTS = f"{API_ROOT}/events"
_ADMIN = Permission.FARM_ADMIN

ROUTES = (
    Route(
        method="GET",
        path=_EVENTS,
        handler=list_events,
        needs=Permission.HISTORY_READ,
        asks=EventsQuery,
        gives=EventsPage,
        problems=("unknown_job", "unknown_printer", "limit_out_of_range"),
    ),
    Route(
        method="GET",
        path=f"{_EVENTS}/verify",
        handler=verify_events,
        needs=Permission.HISTORY_READ,
        asks=VerifyQuery,
        gives=AuditDocument,
        problems=("head_archived",),
    ),
    Route(
        method="GET",
        path=f"{_EVENTS}/archive",
        handler=archive_events,
        needs=_ADMIN,
        asks=ArchiveQuery,
        content_type="application/jsonl",
        problems=("nothing_to_archive", "webhook_behind"),
    ),
    Route(
        method="POST",
        path=f"{_EVENTS}/seal",
        handler=seal_events,
        needs=_ADMIN,
        takes=SealForm,
        gives=Facts,
        problems=("other_archive", "history_broken", "archived_meanwhile", "webhook_behind"),
    ),
)
