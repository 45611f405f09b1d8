"""The routes of what leaves the farm for good, and comes back."""

from aiohttp import web
from typing_extensions import TypedDict

from coordinator.api.asking import FARM, who
from coordinator.api.documents import Moment
from coordinator.api.render import API_ROOT, moment_or_null
from coordinator.api.routes import Handler, Route
from coordinator.domain.access import Permission
from coordinator.domain.printers import Agent
from coordinator.usecases import retiring
from coordinator.usecases.retiring import RetiredPrinter
from protocols.wire.vocabulary import PrinterId


class RetiredPrinterDocument(TypedDict):
    """A printer that was retired, or taken back: `retired_at` is null then.

    `reported_by` is the agent that speaks of it still, null where none does; `words` say what
    remains to be done, and are empty where nothing remains.
    """

    id: str
    name: str
    agent_id: str
    printer_class: str
    retired_at: Moment | None
    reported_by: str | None
    words: str


class RetiredAgentDocument(TypedDict):
    """An agent that was retired, or is heard again: `retired_at` is null then."""

    id: str
    retired_at: Moment | None


class RetiredDocument(TypedDict):
    """All that left the farm, by id."""

    printers: list[RetiredPrinterDocument]
    agents: list[RetiredAgentDocument]


async def list_retired(request: web.Request) -> web.Response:
    """Return the printers and agents that were retired."""
    found = await retiring.retired(request.app[FARM])
    document: RetiredDocument = {
        "printers": [_printer_document(each) for each in found.printers],
        "agents": [_agent_document(each) for each in found.agents],
    }
    return web.json_response(document)


async def retire_printer(request: web.Request) -> web.Response:
    """Take a printer out of the farm for good, unless a run is there; its history stays.

    An agent that got it from the farm lets it go. What an agent says of it otherwise is not heard.
    """
    gone = await retiring.retire_printer(request.app[FARM], _printer_id(request), *who(request))
    return web.json_response(_printer_document(gone))


async def restore_printer(request: web.Request) -> web.Response:
    """Take a retired printer back; it is there once an agent speaks of it."""
    back = await retiring.restore_printer(request.app[FARM], _printer_id(request), *who(request))
    return web.json_response(_printer_document(back))


async def retire_agent(request: web.Request) -> web.Response:
    """Take an agent out of the farm with all its printers: it is shut out, and not heard."""
    agent_id = request.match_info["agent_id"]
    gone = await retiring.retire_agent(request.app[FARM], agent_id, *who(request))
    return web.json_response(_agent_document(gone))


async def restore_agent(request: web.Request) -> web.Response:
    """Hear a retired agent again. One that had enrolled needs a token, which does the same."""
    agent_id = request.match_info["agent_id"]
    back = await retiring.restore_agent(request.app[FARM], agent_id, *who(request))
    return web.json_response(_agent_document(back))


def _printer_id(request: web.Request) -> PrinterId:
    return PrinterId(request.match_info["printer_id"])


def _printer_document(retired: RetiredPrinter) -> RetiredPrinterDocument:
    printer = retired.printer
    return {
        "id": printer.printer_id,
        "name": printer.name,
        "agent_id": printer.agent_id,
        "printer_class": printer.printer_class,
        "retired_at": moment_or_null(printer.retired_at),
        "reported_by": retired.reported_by,
        "words": retired.words,
    }


def _agent_document(agent: Agent) -> RetiredAgentDocument:
    return {"id": agent.agent_id, "retired_at": moment_or_null(agent.retired_at)}


def _verb(path: str, handler: Handler, gives: object, *problems: str) -> Route:
    return Route(
        method="POST",
        path=f"{API_ROOT}/{path}",
        handler=handler,
        needs=Permission.FARM_ADMIN,
        gives=gives,
        problems=problems,
    )


_THERE = ("run_live", "run_not_settled", "foreign_print", "epoch_raised")

ROUTES = (
    Route(
        method="GET",
        path=f"{API_ROOT}/retired",
        handler=list_retired,
        needs=Permission.FARM_ADMIN,
        gives=RetiredDocument,
    ),
    _verb(
        "printers/{printer_id}/retire",
        retire_printer,
        RetiredPrinterDocument,
        *("unknown_printer", *_THERE),
    ),
    _verb(
        "printers/{printer_id}/restore",
        restore_printer,
        RetiredPrinterDocument,
        "unknown_printer",
    ),
    _verb(
        "agents/{agent_id}/retire", retire_agent, RetiredAgentDocument, *("unknown_agent", *_THERE)
    ),
    _verb("agents/{agent_id}/restore", restore_agent, RetiredAgentDocument, "unknown_agent"),
)
