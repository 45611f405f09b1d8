"""The route of labels: for each printer the address of its own page, also as a QR code."""

from collections.abc import Iterator

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from coordinator.api.asking import FARM, asked, taken
from coordinator.api.origins import FRONT, own_origin
from coordinator.api.queries import Query, Word, wrong
from coordinator.api.render import API_ROOT
from coordinator.api.routes import Route
from coordinator.domain.access import Permission
from coordinator.domain.labels import BASE_CHARACTERS_MAX, address, is_base
from coordinator.domain.printers import Printer
from coordinator.errors import NotFound
from protocols.wire.vocabulary import PrinterId

# Modules of white around a code, without which readers don't find it (ISO/IEC 18004).
QUIET_MODULES = 4
# More make a code that no phone reads off a screen.
CODE_CHARACTERS_MAX = 500


class LabelsQuery(Query):
    """For which printers, and how people reach the farm."""

    printer: list[Word] = Field(default=[], description="only these; may be repeated")
    base: str = Field(
        default="",
        max_length=BASE_CHARACTERS_MAX,
        description="the farm's address, `http://farm.local:8150`; else `public_url` of its "
        "settings, else the address that this is asked at",
    )


class LabelDocument(TypedDict):
    """What stands on one label.

    `path` draws the dark modules of the code as an SVG path in a square of `modules` a side, the
    quiet zone around it included.
    """

    printer_id: str
    name: str
    location: str
    url: str
    modules: int
    path: str


class LabelsDocument(TypedDict):
    """Labels, and the address that they lead to."""

    base: str
    items: list[LabelDocument]


async def list_labels(request: web.Request) -> web.Response:
    """Return what stands on the labels of printers: name, place and a code to point a phone at."""
    query = asked(request, LabelsQuery)
    base = (query.base or request.app[FRONT].public_url or own_origin(request)).rstrip("/")
    if not is_base(base):
        raise wrong("base", "an address as in http://farm.local:8150 is wanted")
    async with request.app[FARM].store.read() as unit:
        known = {printer.printer_id: printer for printer in await unit.printers()}
    wanted = [PrinterId(printer_id) for printer_id in query.printer] or list(known)
    for printer_id in wanted:
        if printer_id not in known:
            raise NotFound("printer", printer_id)
    items = [_label(known[printer_id], base) for printer_id in wanted]
    return web.json_response({"base": base, "items": items})


def _label(printer: Printer, base: str) -> LabelDocument:
    url = address(base, printer.printer_id)
    modules, path = _drawn(url)
    return {
        "printer_id": printer.printer_id,
        "name": printer.name,
        "location": printer.location,
        "url": url,
        "modules": modules,
        "path": path,
    }


def _drawn(text: str) -> tuple[int, str]:
    """Return a text as a code: how many modules a side, and the path of the dark ones."""
    # Late: it is wanted once a year.
    import segno

    code = segno.make(text, error="m", micro=False, boost_error=True)
    rows = [list(row) for row in code.matrix_iter(border=QUIET_MODULES)]
    return len(rows), "".join(_strokes(rows))


def _strokes(rows: list[list[int]]) -> Iterator[str]:
    """Yield each run of dark modules as a rectangle of an SVG path."""
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            begun = x
            while x < len(row) and row[x]:
                x += 1
            if x > begun:
                yield f"M{begun} {y}h{x - begun}v1h-{x - begun}z"
            x += 1


class CodeForm(BaseModel):
    """A text to be drawn as a code; it is neither kept nor logged."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    text: str = Field(min_length=1, max_length=CODE_CHARACTERS_MAX, examples=["hello"])


class DrawnCodeDocument(TypedDict):
    """A QR code, as a label's."""

    modules: int
    path: str


async def draw_code(request: web.Request) -> web.Response:
    """Return a text as a QR code, so that a page need load nothing to draw one."""
    modules, path = _drawn(taken(request, CodeForm).text)
    return web.json_response({"modules": modules, "path": path})


ROUTES = (
    Route(
        method="POST",
        path=f"{API_ROOT}/codes",
        handler=draw_code,
        needs=Permission.FARM_READ,
        takes=CodeForm,
        gives=DrawnCodeDocument,
    ),
    Route(
        method="GET",
        path=f"{API_ROOT}/labels",
        handler=list_labels,
        needs=Permission.FARM_READ,
        asks=LabelsQuery,
        gives=LabelsDocument,
        problems=("unknown_printer",),
    ),
)
