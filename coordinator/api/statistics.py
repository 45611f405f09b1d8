"""The routes of statistics: what the farm did in a span of time, for people and for sheets."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import get_type_hints

from aiohttp import web
from pydantic import Field
from typing_extensions import TypedDict

from coordinator.api import sheets
from coordinator.api.asking import FARM, asked
from coordinator.api.documents import Moment, Ratio
from coordinator.api.queries import Query, wrong
from coordinator.api.render import API_ROOT, moment, moment_or_null
from coordinator.api.routes import Route
from coordinator.api.sheets import Cell
from coordinator.api.times import Time
from coordinator.domain.access import Permission
from coordinator.domain.printers import PrinterStatus
from coordinator.domain.statistics import By, Figures, RunEntry, Span
from coordinator.usecases import statistics as use_case
from coordinator.usecases.statistics import Statistics

SPAN = timedelta(days=30)
_DAY_MIN = 24 * 60
_ROWS_AT_ONCE = 500


class SpanQuery(Query):
    """From when until when: the last 30 days unless told."""

    since: Time | None = None
    until: Time | None = Field(default=None, description="now unless told")


class StatisticsQuery(SpanQuery):
    """Which span, and what its figures are told apart by."""

    by: By = By.PRINTER
    offset_min: int = Field(
        default=0,
        ge=-_DAY_MIN,
        le=_DAY_MIN,
        description="minutes that the days of who asks are ahead of UTC",
    )


class SpanFiguresDocument(TypedDict):
    """What a printer, a person, a material ... did; an empty key stands for none.

    Runs count in the span in which they ended. `filament_g` and `cost` are by what plates foretell.
    Null: `success` without runs that finished, failed or got lost; `of_estimate` (printed over
    foretold time) where nothing was foretold; `clearing_s`, how long a printer waited to be
    cleared, where none was; `time`, how printers spent theirs, as parts, where that is not known.
    """

    key: str
    name: str
    finished: int
    failed: int
    cancelled: int
    lost: int
    copies: int
    success: Ratio | None
    print_h: float
    filament_g: float
    cost: float
    of_estimate: float | None
    clearings: int
    clearing_s: float | None
    known_h: float
    time: dict[PrinterStatus, Ratio] | None


class ReasonDocument(TypedDict):
    """Why runs failed or got lost; each number in it is replaced by an ellipsis."""

    words: str
    runs: int


class StatisticsDocument(TypedDict):
    """What a farm did in a span."""

    since: Moment
    until: Moment
    by: By
    total: SpanFiguresDocument
    items: list[SpanFiguresDocument]
    reasons: list[ReasonDocument]


async def show_statistics(request: web.Request) -> web.Response:
    """Return what the farm did in a span: prints, hours, material, and printers' time."""
    found = await _statistics(request)
    document: StatisticsDocument = {
        "since": moment(found.span.since),
        "until": moment(found.span.until),
        "by": found.by,
        "total": figures_document(found.total, ""),
        "items": [figures_document(each, found.names.get(each.key, "")) for each in found.figures],
        "reasons": [{"words": each.words, "runs": each.runs} for each in found.reasons],
    }
    return web.json_response(document)


async def statistics_sheet(request: web.Request) -> web.Response:
    """Return the same figures as a sheet: CSV, a row for each."""
    found = await _statistics(request)
    return _sheet(found)


async def runs_sheet(request: web.Request) -> web.StreamResponse:
    """Return every run that ended in a span as a sheet: CSV, the oldest end first."""
    span = _span(request, asked(request, SpanQuery))
    response = web.StreamResponse(headers=_headers("runs"))
    response.content_type, response.charset = sheets.CSV, "utf-8"
    await response.prepare(request)
    await response.write(sheets.MARK.encode() + sheets.lines([_RUN_COLUMNS]))
    rows: list[list[Cell]] = []
    async for entry in use_case.run_entries(request.app[FARM], span):
        rows.append(_row(entry))
        if len(rows) == _ROWS_AT_ONCE:
            await response.write(sheets.lines(rows))
            rows = []
    await response.write(sheets.lines(rows))
    await response.write_eof()
    return response


def figures_document(figures: Figures, name: str) -> SpanFiguresDocument:
    """Return figures as the API has them."""
    return {
        "key": figures.key,
        "name": name,
        "finished": figures.finished,
        "failed": figures.failed,
        "cancelled": figures.cancelled,
        "lost": figures.lost,
        "copies": figures.copies,
        "success": _rounded(figures.success, 4),
        "print_h": round(figures.printed_s / 3600, 3),
        "filament_g": round(figures.filament_g, 2),
        "cost": round(figures.cost, 4),
        "of_estimate": _rounded(figures.of_estimate, 4),
        "clearings": figures.clearings,
        "clearing_s": _rounded(figures.clearing_s, 1),
        "known_h": round(sum(figures.seconds.values()) / 3600, 3),
        "time": {status: round(part, 5) for status, part in sorted(figures.shares.items())} or None,
    }


def _sheet(found: Statistics) -> web.Response:
    columns = [name for name in get_type_hints(SpanFiguresDocument) if name != "time"]
    columns[0] = str(found.by)
    heads: list[list[Cell]] = [[*columns, *(f"{status}_h" for status in PrinterStatus)]]
    rows = (_figures_row(each, found.names.get(each.key, "")) for each in found.figures)
    body = sheets.MARK.encode() + sheets.lines([*heads, *rows])
    response = web.Response(body=body, headers=_headers("statistics"))
    response.content_type, response.charset = sheets.CSV, "utf-8"
    return response


def _figures_row(figures: Figures, name: str) -> Iterator[Cell]:
    document = figures_document(figures, name)
    yield from (value for field, value in document.items() if field != "time")  # type: ignore[misc]
    for status in PrinterStatus:
        yield figures.seconds.get(status, 0.0) / 3600 if figures.seconds else None


_RUN_COLUMNS = (
    *("run", "job", "job_name", "owner", "model", "printer", "printer_group", "printer_class"),
    *("material", "ended_as", "reason", "copies", "leased_at", "started_at", "ended_at"),
    *("print_h", "filament_g", "cost"),
)


def _row(entry: RunEntry) -> list[Cell]:
    return [
        *(entry.run_id, entry.job_id, entry.job_name, entry.owner, entry.model_id),
        *(entry.printer_id, entry.printer_group, entry.printer_class, entry.material),
        *(entry.state.value, entry.reason, entry.copies, moment(entry.leased_at)),
        *(moment_or_null(entry.started_at), moment(entry.ended_at)),
        *(entry.printed_s / 3600, entry.filament_g, entry.cost),
    ]


async def _statistics(request: web.Request) -> Statistics:
    query = asked(request, StatisticsQuery)
    span = _span(request, query)
    farm = request.app[FARM]
    return await use_case.statistics(farm, span, query.by, offset_min=query.offset_min)


def _span(request: web.Request, query: SpanQuery) -> Span:
    until = query.until or request.app[FARM].clock.now()
    since = query.since or _before(until)
    if since >= until:
        raise wrong("since", "it must lie before `until`")
    return Span(since=since, until=until)


def _before(until: datetime) -> datetime:
    try:
        return until - SPAN
    except OverflowError:
        return datetime.min.replace(tzinfo=until.tzinfo)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _headers(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="farmhand-{name}.csv"'}


_STATISTICS = f"{API_ROOT}/statistics"

ROUTES = (
    Route(
        method="GET",
        path=_STATISTICS,
        handler=show_statistics,
        needs=Permission.FARM_READ,
        asks=StatisticsQuery,
        gives=StatisticsDocument,
    ),
    Route(
        method="GET",
        path=f"{_STATISTICS}.csv",
        handler=statistics_sheet,
        needs=Permission.FARM_READ,
        asks=StatisticsQuery,
        content_type=sheets.CSV,
    ),
    Route(
        method="GET",
        path=f"{API_ROOT}/runs.csv",
        handler=runs_sheet,
        needs=Permission.FARM_READ,
        asks=SpanQuery,
        content_type=sheets.CSV,
    ),
)
