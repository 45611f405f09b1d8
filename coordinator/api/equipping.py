"""The routes that bring printers: looked for by an agent, added, let go; many from a table."""

from typing import Annotated
from urllib.parse import urlsplit

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from coordinator.api.agents import WELCOME
from coordinator.api.asking import FARM, taken, who
from coordinator.api.codes import OPEN
from coordinator.api.documents import Items
from coordinator.api.forms import WORD_CHARACTERS_MAX
from coordinator.api.names import NAME_CHARACTERS_MAX
from coordinator.api.render import API_ROOT
from coordinator.api.routes import Route
from coordinator.domain.access import Permission
from coordinator.domain.equipping import NewPrinter
from coordinator.domain.printers import Printer
from coordinator.usecases import equipping
from coordinator.usecases.equipping import Added
from protocols.wire.from_agent import FoundPlace
from protocols.wire.vocabulary import ID_PATTERN, PrinterId

TABLE_CHARACTERS_MAX = 256 * 1024
_SETTINGS_MAX = 32
_Word = Annotated[str, Field(max_length=WORD_CHARACTERS_MAX)]
_Setting = bool | int | float | Annotated[str, Field(max_length=1000)]


class PrinterToAddForm(BaseModel):
    """A printer that an agent is to take; `settings` are its driver's: `port` or `url`, a key."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    id: str = Field(pattern=f"^{ID_PATTERN}$", examples=["mk4-1"])
    name: str = Field(default="", max_length=NAME_CHARACTERS_MAX, examples=["MK4 at the door"])
    driver: str = Field(min_length=1, max_length=WORD_CHARACTERS_MAX, examples=["prusalink"])
    printer_class: str = Field(min_length=1, max_length=WORD_CHARACTERS_MAX, examples=["mk4"])
    material: _Word = ""
    settings: dict[_Word, _Setting] = Field(
        default_factory=dict, max_length=_SETTINGS_MAX, examples=[{"url": "http://mk4.local"}]
    )
    location: str = Field(default="", max_length=NAME_CHARACTERS_MAX)
    tags: list[_Word] = Field(default=[], max_length=100)


class TableForm(BaseModel):
    """Printers as CSV; the first line names the columns.

    Those are `name,agent,driver,address,class` and perhaps `id,material,location,tags` (several
    tags with `;` between them); all others are settings of the driver: `api_key`, `baud_rate`.
    """

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    csv: str = Field(
        max_length=TABLE_CHARACTERS_MAX,
        examples=["name,agent,driver,address,class\nMK4,pi-1,prusalink,http://mk4.local,mk4\n"],
    )
    dry_run: bool = Field(default=True, description="only tell what is wrong")


class FoundDocument(TypedDict):
    """A place where a printer may be.

    `setting` is which setting of the driver the `address` is; `missing` are others that a person
    has to fill in, with an example each. `trouble` tells why nobody answered there. `printer_id`
    is whose place it is already, or empty.
    """

    address: str
    driver: str
    setting: str
    names: list[str]
    firmware: str
    machine: str
    baud_rate: int
    missing: dict[str, str]
    hint: str
    trouble: str
    printer_id: str


class TakenDocument(TypedDict):
    """A printer that an agent took, or let go."""

    id: str
    agent_id: str
    name: str


class LineDocument(TypedDict):
    """What became of a line of a table; `words` say what is wrong with it."""

    line: int
    printer_id: str
    agent_id: str
    ok: bool
    words: str


class ImportDocument(TypedDict):
    """What became of a table; `added` are the printers that are there now."""

    dry_run: bool
    ok: bool
    added: int
    items: list[LineDocument]


async def discover_printers(request: web.Request) -> web.Response:
    """Have an agent look for printers on its ports and its network; takes up to half a minute."""
    found = await equipping.discover(request.app[FARM], request.match_info["agent_id"])
    return web.json_response({"items": [_found_document(each) for each in found]})


async def add_printer(request: web.Request) -> web.Response:
    """Have an agent take a printer and keep it; what is secret about it is shown to nobody."""
    form, agent_id = taken(request, PrinterToAddForm), request.match_info["agent_id"]
    wanted = NewPrinter(
        printer_id=form.id,
        name=form.name,
        driver=form.driver,
        printer_class=form.printer_class,
        material=form.material,
        settings=form.settings,
        location=form.location,
        tags=tuple(form.tags),
    )
    printer = await equipping.add_printer(
        request.app[FARM], agent_id, wanted, *who(request), confidential=_is_confidential(request)
    )
    location = f"{API_ROOT}/printers/{printer.printer_id}"
    answer = _taken_document(printer)
    return web.json_response(answer, status=201, headers={"Location": location})


async def remove_printer(request: web.Request) -> web.Response:
    """Have an agent let a printer go that was added this way; its history stays."""
    agent_id, printer_id = (request.match_info[name] for name in ("agent_id", "printer_id"))
    farm = request.app[FARM]
    gone = await equipping.remove_printer(farm, agent_id, PrinterId(printer_id), *who(request))
    return web.json_response(_taken_document(gone))


async def import_printers(request: web.Request) -> web.Response:
    """Add the printers of a table, or tell line by line what is wrong with it."""
    form = taken(request, TableForm)
    done = await equipping.import_printers(
        request.app[FARM],
        form.csv,
        *who(request),
        dry_run=form.dry_run,
        confidential=_is_confidential(request),
    )
    ok = all(each.ok for each in done)
    document: ImportDocument = {
        "dry_run": form.dry_run,
        "ok": ok,
        "added": 0 if form.dry_run else sum(each.ok for each in done),
        "items": [_line_document(each) for each in done],
    }
    return web.json_response(document)


def _is_confidential(request: web.Request) -> bool:
    """Whether nobody else hears what agents are told: TLS, or one machine alone."""
    broker = urlsplit(request.app[WELCOME].broker_url)
    return broker.scheme == "mqtts" or broker.hostname in ("127.0.0.1", "::1", "localhost")


def _taken_document(printer: Printer) -> TakenDocument:
    return {"id": printer.printer_id, "agent_id": printer.agent_id, "name": printer.name}


def _found_document(found: FoundPlace) -> FoundDocument:
    return {
        "address": found.address,
        "driver": found.driver,
        "setting": found.setting,
        "names": list(found.names),
        "firmware": found.firmware,
        "machine": found.machine,
        "baud_rate": found.baud_rate,
        "missing": dict(found.missing),
        "hint": found.hint,
        "trouble": found.trouble,
        "printer_id": found.printer_id,
    }


def _line_document(added: Added) -> LineDocument:
    return {
        "line": added.row.line,
        "printer_id": added.row.printer.printer_id,
        "agent_id": added.row.agent_id,
        "ok": added.ok,
        "words": added.words,
    }


_AGENT = f"{API_ROOT}/agents/{{agent_id}}"
_ASKED = (
    *("unknown_agent", "agent_offline", "unknown_command", "no_answer"),
    *("broker_unreachable", OPEN),
)
_ADDED = ("broker_open", "printer_exists", "printer_invalid")

ROUTES = (
    Route(
        method="POST",
        path=f"{_AGENT}/discover",
        handler=discover_printers,
        needs=Permission.FARM_ADMIN,
        gives=Items[FoundDocument],
        problems=_ASKED,
    ),
    Route(
        method="POST",
        path=f"{_AGENT}/printers",
        handler=add_printer,
        needs=Permission.FARM_ADMIN,
        takes=PrinterToAddForm,
        gives=TakenDocument,
        status=201,
        problems=(*_ASKED, *_ADDED, "printer_slow", "tags_out_of_range"),
    ),
    Route(
        method="DELETE",
        path=f"{_AGENT}/printers/{{printer_id}}",
        handler=remove_printer,
        needs=Permission.FARM_ADMIN,
        gives=TakenDocument,
        problems=(*_ASKED, "unknown_printer", "printer_busy", "printer_configured"),
    ),
    Route(
        method="POST",
        path=f"{API_ROOT}/printers/import",
        handler=import_printers,
        needs=Permission.FARM_ADMIN,
        takes=TableForm,
        gives=ImportDocument,
        problems=("not_a_table",),
    ),
)
