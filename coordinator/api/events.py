"""The routes of the farm's history: read it, have it proved, archive what is old."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from aiohttp import web

from coordinator.api.asking import FARM, REQUEST_ID, actor_of
from coordinator.api.forms import SealForm, form_of
from coordinator.api.problems import BadRequest, FieldError, Problem
from coordinator.api.render import API_ROOT, audit_document, event_document
from coordinator.api.routes import Route
from coordinator.domain.access import Permission
from coordinator.domain.history import Head
from coordinator.errors import FarmError
from coordinator.usecases import auditing, sealing
from coordinator.usecases.auditing import Question
from protocols.wire.vocabulary import JobId, PrinterId

# Half of what is given at once at most: a page of a script, and more than a screen.
LIMIT = 500
# The number of an archive's last line, which sealing wants to know.
UPTO_HEADER = "X-Farmhand-Upto"

Value = TypeVar("Value")


async def list_events(request: web.Request) -> web.Response:
    """Return lines of history, oldest first, and the cursor to go on from."""
    after, limit = _query(request, "after", _count) or 0, _query(request, "limit", _count)
    question = Question(
        after=after,
        last=_query(request, "last", _count),
        limit=LIMIT if limit is None else limit,
        job_id=_query(request, "job", JobId),
        printer_id=_query(request, "printer", PrinterId),
        since=_query(request, "since", _time),
    )
    lines = await auditing.events(request.app[FARM], question)
    cursor = lines[-1].number if lines else after
    return web.json_response({"items": [event_document(line) for line in lines], "next": cursor})


async def verify_events(request: web.Request) -> web.Response:
    """Read all of the history, rebuild the farm from it and compare; 200 whatever comes of it."""
    known = _query(request, "head", _head)
    return web.json_response(audit_document(await auditing.verify(request.app[FARM], known)))


async def archive_events(request: web.Request) -> web.StreamResponse:
    """Give out the archive of what happened before a time; its last line's number in a header.

    Nothing is removed by it. Who did not get all of it sees the connection break.
    """
    farm, before = request.app[FARM], _query(request, "before", _time)
    if before is None:
        raise _wrong("before", "until when is wanted")
    upto = await sealing.last_before(farm, before)
    response = web.StreamResponse(headers={UPTO_HEADER: str(upto)})
    response.content_type = "application/jsonl"
    await response.prepare(request)
    try:
        async for part in sealing.archive(farm, upto):
            await response.write(part)
    except FarmError:
        if request.transport is not None:
            request.transport.abort()
        raise
    await response.write_eof()
    return response


async def seal_events(request: web.Request) -> web.Response:
    """Remove what is in an archive, for whoever proves to have it by its hash."""
    form = form_of(SealForm, await request.read())
    checkpoint = await sealing.seal(
        request.app[FARM],
        upto=form.upto,
        archive_sha256=form.archive_sha256,
        actor=actor_of(request),
        origin=f"request {request[REQUEST_ID]}",
    )
    return web.json_response(checkpoint.facts)


def _query(request: web.Request, name: str, read: Callable[[str], Value]) -> Value | None:
    """Return what the query says, None where it does not.

    Raises:
        BadRequest: 422.
    """
    said = request.query.get(name)
    if said is None:
        return None
    try:
        return read(said)
    except ValueError as error:
        raise _wrong(name, str(error)) from error


def _wrong(name: str, detail: str) -> BadRequest:
    return BadRequest(
        Problem(
            status=422,
            code="invalid_query",
            title="Invalid query",
            detail=f"{name}: {detail}",
            errors=(FieldError(pointer=f"/{name}", detail=detail),),
        )
    )


def _count(text: str) -> int:
    # Digits only, and no more than a database's number holds.
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ValueError("a whole number is wanted")
    return int(text)


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError("a time as in 2026-01-31T12:00:00Z is wanted") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _head(text: str) -> Head:
    number, _, hashed = text.partition(":")
    if len(hashed) != 64 or set(hashed) - set("0123456789abcdef"):
        raise ValueError("NUMBER:HASH is wanted, as an earlier verification told it")
    return Head(number=_count(number), hash=hashed)


_EVENTS = f"{API_ROOT}/events"
_ADMIN = Permission.FARM_ADMIN

ROUTES = (
    Route(method="GET", path=_EVENTS, handler=list_events, needs=Permission.HISTORY_READ),
    Route(
        method="GET",
        path=f"{_EVENTS}/verify",
        handler=verify_events,
        needs=Permission.HISTORY_READ,
    ),
    Route(method="GET", path=f"{_EVENTS}/archive", handler=archive_events, needs=_ADMIN),
    Route(method="POST", path=f"{_EVENTS}/seal", handler=seal_events, needs=_ADMIN),
)
