"""The routes of printers: look, clear their beds, take them out of service, command them."""

from collections.abc import Awaitable, Callable
from typing import cast

from aiohttp import web

from coordinator.api.asking import BOARD, FARM, actor_of, asked, taken, who
from coordinator.api.board import Listed
from coordinator.api.codes import OPEN
from coordinator.api.documents import Page, PrinterDocument
from coordinator.api.documents_farm import CommandedDocument
from coordinator.api.forms import CommandForm, PrinterForm, ServiceForm
from coordinator.api.queries import PrintersMeant, PrintersQuery, cursor_of, place_of
from coordinator.api.render import API_ROOT
from coordinator.api.routes import JSON, Handler, Route, named
from coordinator.api.versions import expecting_printer, known, tagged
from coordinator.domain.access import Permission
from coordinator.domain.printers import Printer
from coordinator.usecases import beds, commanding, controlling, fleet
from coordinator.usecases.farm import Farm
from coordinator.usecases.fleet import PrinterChanges
from protocols.wire.vocabulary import PrinterId

# Below, one write of a copy costs less than two.
_COPIED_BYTES_MAX = 64 * 1024


async def list_printers(request: web.Request) -> web.StreamResponse:
    """Return printers, by id: all of them, or a page of those that are asked for."""
    board = request.app[BOARD]
    if not request.query_string:
        packs = "gzip" in request.headers.get("Accept-Encoding", "")
        listed = await (board.compressed() if packs else board.listed())
        return await _listing(request, listed, packed=packs)
    query = asked(request, PrintersQuery)
    last = place_of(query.cursor).get("id", "") if query.cursor else ""
    found = [entry for entry in await board.entries() if is_meant(query, entry.document)]
    rest = [entry for entry in found if entry.document["id"] > last]
    page = rest[: query.limit]
    document = {
        "items": [entry.document for entry in page],
        "next": cursor_of({"id": page[-1].document["id"]}) if len(page) < len(rest) else None,
        "total": len(found),
    }
    return tagged(request, document)


async def _listing(request: web.Request, listed: Listed, *, packed: bool) -> web.StreamResponse:
    """Return all printers; what is large is sent as it stands.

    The library joins an answer's head and body; half a megabyte costs more to copy than all else.
    """
    short = _answer(request, listed.body, listed.tag, packed=packed)
    if short.status != 200 or len(listed.body) < _COPIED_BYTES_MAX:
        return short
    response = web.StreamResponse(headers=short.headers)
    response.content_length = len(listed.body)
    await response.prepare(request)
    await response.write(listed.body)
    await response.write_eof()
    return response


def is_meant(query: PrintersMeant, printer: PrinterDocument) -> bool:
    """Whether a printer is one of those that are asked for."""
    return (
        (not query.status or printer["status"] in query.status)
        and query.printer_class in ("", printer["printer_class"])
        and query.printer_group in ("", printer["printer_group"])
        and all(tag.lower() in printer["tags"] for tag in query.tag)
        and query.location in ("", printer["location"])
        and query.agent in ("", printer["agent_id"])
        and query.material in ("", printer["material"])
    )


async def show_printer(request: web.Request) -> web.Response:
    """Return one printer."""
    return await _printer_response(request, _printer_id(request))


async def _printer_response(request: web.Request, printer_id: PrinterId) -> web.Response:
    entry = await request.app[BOARD].entry(printer_id)
    return _answer(request, entry.body, entry.tag)


def _answer(request: web.Request, body: bytes, tag: str, *, packed: bool = False) -> web.Response:
    headers = {"ETag": tag, "Vary": "Accept-Encoding"}
    if request.method == "GET" and known(request, tag):
        return web.Response(status=304, headers=headers)
    if packed:
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=body, content_type=JSON, headers=headers)


def _of_bed(verb: Callable[[Farm, PrinterId, str, str], Awaitable[Printer]]) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        printer_id = _printer_id(request)
        await verb(expecting_printer(request, printer_id), printer_id, *who(request))
        return await _printer_response(request, printer_id)

    return named(handler, verb)


clear_printer = _of_bed(controlling.clear_printer)
claim_bed = _of_bed(beds.claim_bed)
abandon_bed = _of_bed(beds.abandon_bed)


async def set_service(request: web.Request) -> web.Response:
    """Take a printer out of the farm's hands, or give it back."""
    printer_id, form = _printer_id(request), taken(request, ServiceForm)
    farm = expecting_printer(request, printer_id)
    await controlling.set_service(farm, printer_id, form.in_service, *who(request))
    return await _printer_response(request, printer_id)


async def change_printer(request: web.Request) -> web.Response:
    """Say what a printer is to people: group, tags, location, notes, what it holds."""
    printer_id = _printer_id(request)
    said = taken(request, PrinterForm).model_dump(exclude_unset=True)
    farm = expecting_printer(request, printer_id)
    await fleet.change_printer(farm, printer_id, cast(PrinterChanges, said), *who(request))
    return await _printer_response(request, printer_id)


async def command_printer(request: web.Request) -> web.Response:
    """Have a printer do what is not state: `send`, `dialogue`, `emergency_stop`."""
    farm, printer_id = request.app[FARM], _printer_id(request)
    form = taken(request, CommandForm)
    words = await commanding.command_printer(
        farm, printer_id, form.name, form.arguments, actor_of(request)
    )
    return web.json_response({"name": form.name, "words": words})


def _printer_id(request: web.Request) -> PrinterId:
    return PrinterId(request.match_info["printer_id"])


_PRINTERS = f"{API_ROOT}/printers"
_PRINTER = f"{_PRINTERS}/{{printer_id}}"
_OPERATE = Permission.PRINTERS_OPERATE

_UNKNOWN = "unknown_printer"


def _looking(path: str, handler: Handler, gives: object, *problems: str) -> Route:
    return Route(
        method="GET",
        path=path,
        handler=handler,
        needs=Permission.WALL_READ,
        asks=PrintersQuery if handler is list_printers else None,
        gives=gives,
        problems=problems,
        versioned=True,
    )


def _bed(method: str, verb: str, handler: Handler, *problems: str) -> Route:
    return Route(
        method=method,
        path=f"{_PRINTER}/{verb}",
        handler=handler,
        needs=_OPERATE,
        gives=PrinterDocument,
        problems=(_UNKNOWN, *problems),
        versioned=True,
        guarded=True,
    )


ROUTES = (
    _looking(_PRINTERS, list_printers, Page[PrinterDocument]),
    _looking(_PRINTER, show_printer, PrinterDocument, _UNKNOWN),
    _bed("POST", "clear", clear_printer, "run_live", "foreign_print", "never_seen"),
    _bed("POST", "clearing", claim_bed, "run_live", "foreign_print", "epoch_raised"),
    _bed("DELETE", "clearing", abandon_bed, "not_clearing"),
    Route(
        method="POST",
        path=f"{_PRINTER}/service",
        handler=set_service,
        needs=Permission.PRINTERS_MANAGE,
        takes=ServiceForm,
        gives=PrinterDocument,
        problems=(_UNKNOWN, "epoch_raised"),
        versioned=True,
        guarded=True,
    ),
    Route(
        method="PATCH",
        path=_PRINTER,
        handler=change_printer,
        needs=Permission.PRINTERS_MANAGE,
        takes=PrinterForm,
        gives=PrinterDocument,
        problems=(_UNKNOWN, "tags_out_of_range", "spool_loaded"),
        versioned=True,
        guarded=True,
    ),
    Route(
        method="POST",
        path=f"{_PRINTER}/commands",
        handler=command_printer,
        needs=_OPERATE,
        takes=CommandForm,
        gives=CommandedDocument,
        # What a driver can't do now it says by codes of its own.
        problems=(
            _UNKNOWN,
            "printer_offline",
            "unknown_command",
            "broker_unreachable",
            "no_answer",
            OPEN,
        ),
    ),
)
