"""The routes of live updates: a WebSocket, server-sent events, and tickets to open them."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import WSMsgType, web

from coordinator.api.asking import CALLER, TICKETS
from coordinator.api.documents_live import LiveMessage, TicketDocument
from coordinator.api.origins import is_foreign
from coordinator.api.pictures import COUNTS, GENERATIONS, HISTORY, JOBS, PRINTERS
from coordinator.api.problems import BadRequest, Problem
from coordinator.api.queries import LiveQuery
from coordinator.api.render import API_ROOT, moment
from coordinator.api.routes import Route
from coordinator.api.seats import REASONS, Ending, Seat
from coordinator.api.stream import Stream
from coordinator.domain.access import Caller, Permission
from coordinator.errors import FarmError

STREAM = web.AppKey("stream", Stream)
# Whether a credential still holds, asked now and then for as long as a connection is open.
STILL_HOLDS: web.AppKey[Callable[[Caller], Awaitable[bool]]] = web.AppKey("still_holds")

CREDENTIAL_S = 5.0
# Both ends hear something within this time, or know that the other is gone.
HEARTBEAT_S = 20.0
# How long somebody is given to take what is left, and the reason, before we hang up.
GOODBYE_S = 1.0
# Nobody has more to say to us than `resync`.
HEARD_BYTES_MAX = 1024

_PARTS = (
    (Permission.WALL_READ, (PRINTERS,)),
    (Permission.FARM_READ, (JOBS, GENERATIONS, COUNTS)),
    (Permission.HISTORY_READ, (HISTORY,)),
)


async def serve(app: web.Application) -> AsyncIterator[None]:
    """Tell those who look on what changes, as long as requests are answered."""
    # No task group: what begins and what ends an application may be different tasks.
    telling = asyncio.get_running_loop().create_task(app[STREAM].run(), name="live updates")
    yield
    telling.cancel()
    await asyncio.wait({telling})


async def goodbye(app: web.Application) -> None:
    """Have all live connections closed: they would hold up the end."""
    app[STREAM].close()


async def issue_ticket(request: web.Request) -> web.Response:
    """Return a ticket that opens one live connection, for who asks, within half a minute."""
    ticket, until = request.app[TICKETS].issue(request[CALLER])
    document: TicketDocument = {"ticket": ticket, "expires_at": moment(until)}
    return web.json_response(document)


async def watch(request: web.Request) -> web.StreamResponse:
    """Open a WebSocket that tells what there is, and then what changes."""
    _require_same_origin(request)
    parts = _parts_of(request[CALLER])
    async with request.app[STREAM].seat(parts) as seat:
        socket = web.WebSocketResponse(
            heartbeat=HEARTBEAT_S,
            compress=False,  # it would be done for each client anew
            max_msg_size=HEARD_BYTES_MAX,
            timeout=GOODBYE_S,
        )
        await socket.prepare(request)
        why = await _first(
            seat.ended(),
            _credential_ends(request),
            _hear(request, socket, parts, seat),
            _send(socket, seat),
        )
        if why is not None:
            await _close(request, socket.close(code=why, message=REASONS[why].encode()))
    return socket


async def stream_events(request: web.Request) -> web.StreamResponse:
    """Tell the same as server-sent events; `Last-Event-ID` goes on behind a message."""
    _require_same_origin(request)
    after = request.headers.get("Last-Event-ID", "")
    async with request.app[STREAM].seat(_parts_of(request[CALLER]), after) as seat:
        response = web.StreamResponse(headers={"X-Accel-Buffering": "no"})
        response.content_type = "text/event-stream"
        await response.prepare(request)
        why = await _first(
            seat.ended(), _credential_ends(request), _send_events(request, response, seat)
        )
        if why is not None:
            words = json.dumps({"code": why.value, "reason": REASONS[why]})
            end = f"event: end\ndata: {words}\n\n".encode()
            await _close(request, response.write(end))
    return response


async def _first(*each: Awaitable[Ending | None]) -> Ending | None:
    """Return what the first of them returns; None too where the connection broke."""
    tasks = [asyncio.ensure_future(one) for one in each]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(iter(done)).result()
    except ConnectionResetError:
        return None
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _close(request: web.Request, closing: Awaitable[object]) -> None:
    """Say goodbye, but do not wait for who takes nothing any more."""
    try:
        await asyncio.wait_for(closing, GOODBYE_S)
    except (TimeoutError, ConnectionResetError):
        if request.transport is not None:
            request.transport.abort()


async def _send(socket: web.WebSocketResponse, seat: Seat) -> None:
    while True:
        message = await seat.next()
        await socket.send_frame(message.body, WSMsgType.TEXT)


async def _send_events(request: web.Request, response: web.StreamResponse, seat: Seat) -> None:
    stream = request.app[STREAM]
    while True:
        try:
            message = await asyncio.wait_for(seat.next(), HEARTBEAT_S)
        except TimeoutError:
            await response.write(b": nothing new\n\n")
            continue
        head = f"id: {stream.message_id(message)}\nevent: {message.kind}\ndata: ".encode()
        await response.write(head + message.body + b"\n\n")


async def _hear(
    request: web.Request, socket: web.WebSocketResponse, parts: frozenset[str], seat: Seat
) -> Ending | None:
    """Heed what a client says, until it says nothing any more."""
    async for message in socket:
        try:
            said = json.loads(message.data) if message.type is WSMsgType.TEXT else None
        except (ValueError, RecursionError):
            said = None
        if said != {"kind": "resync"}:
            return Ending.NOT_UNDERSTOOD
        request.app[STREAM].resync(parts, seat)
    return None


async def _credential_ends(request: web.Request) -> Ending:
    """Return once the credential that opened the connection holds no longer."""
    holds = request.app[STILL_HOLDS]
    while True:
        await asyncio.sleep(CREDENTIAL_S)
        try:
            if not await holds(request[CALLER]):
                return Ending.CREDENTIAL
        except FarmError:  # who can't be looked up may show it again
            return Ending.CREDENTIAL


def _parts_of(caller: Caller) -> frozenset[str]:
    return frozenset(part for needs, parts in _PARTS if caller.may(needs) for part in parts)


def _require_same_origin(request: web.Request) -> None:
    """Refuse a page of another site: browsers send cookies along whatever page asks.

    Raises:
        BadRequest: 403.
    """
    if is_foreign(request):
        raise BadRequest(
            Problem(
                status=403,
                code="foreign_page",
                title="Not allowed",
                detail="Only the farm's own page, or a program, may look on.",
            )
        )


_LIVE = f"{API_ROOT}/live"
_WALL = Permission.WALL_READ
_PROBLEMS = ("foreign_page", "too_many_watch")

ROUTES = (
    Route(
        method="GET",
        path=_LIVE,
        handler=watch,
        needs=_WALL,
        asks=LiveQuery,
        gives=LiveMessage,
        status=101,
        problems=_PROBLEMS,
    ),
    Route(
        method="GET",
        path=f"{_LIVE}/events",
        handler=stream_events,
        needs=_WALL,
        asks=LiveQuery,
        content_type="text/event-stream",
        problems=_PROBLEMS,
    ),
    Route(
        method="POST",
        path=f"{_LIVE}/tickets",
        handler=issue_ticket,
        needs=_WALL,
        gives=TicketDocument,
    ),
)
