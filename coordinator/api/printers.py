"""The routes of printers: look, clear their beds, take them out of service, command them."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from coordinator.api.asking import FARM, actor_of, who
from coordinator.api.forms import CommandForm, ServiceForm, form_of
from coordinator.api.render import API_ROOT, printer_document
from coordinator.api.routes import Handler, Route
from coordinator.domain.access import Permission
from coordinator.domain.printers import Printer
from coordinator.usecases import beds, commanding, controlling, reading
from coordinator.usecases.farm import Farm
from protocols.wire.vocabulary import PrinterId


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
        printer = await verb(farm, _printer_id(request), *who(request))
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
    await controlling.set_service(farm, printer_id, form.in_service, *who(request))
    return web.json_response(printer_document(await reading.printer_view(farm, printer_id)))


async def command_printer(request: web.Request) -> web.Response:
    """Have a printer do what is not state: `send`, `dialogue`, `emergency_stop`."""
    farm, printer_id = request.app[FARM], _printer_id(request)
    form = form_of(CommandForm, await request.read())
    words = await commanding.command_printer(
        farm, printer_id, form.name, form.arguments, actor_of(request)
    )
    return web.json_response({"name": form.name, "words": words})


def _printer_id(request: web.Request) -> PrinterId:
    return PrinterId(request.match_info["printer_id"])


_PRINTERS = f"{API_ROOT}/printers"
_PRINTER = f"{_PRINTERS}/{{printer_id}}"
_OPERATE = Permission.PRINTERS_OPERATE

ROUTES = (
    Route(method="GET", path=_PRINTERS, handler=list_printers, needs=Permission.WALL_READ),
    Route(method="GET", path=_PRINTER, handler=show_printer, needs=Permission.WALL_READ),
    Route(method="POST", path=f"{_PRINTER}/clear", handler=clear_printer, needs=_OPERATE),
    Route(method="POST", path=f"{_PRINTER}/clearing", handler=claim_bed, needs=_OPERATE),
    Route(method="DELETE", path=f"{_PRINTER}/clearing", handler=abandon_bed, needs=_OPERATE),
    Route(
        method="POST",
        path=f"{_PRINTER}/service",
        handler=set_service,
        needs=Permission.PRINTERS_MANAGE,
    ),
    Route(method="POST", path=f"{_PRINTER}/commands", handler=command_printer, needs=_OPERATE),
)
