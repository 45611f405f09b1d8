"""What was measured of a printer: the last hour finely, the last day coarsely."""

from aiohttp import web
from pydantic import Field
from typing_extensions import TypedDict

from coordinator.api.asking import FARM, asked
from coordinator.api.documents import Moment
from coordinator.api.queries import Query
from coordinator.api.render import API_ROOT, moment
from coordinator.api.routes import Route
from coordinator.domain.access import Permission
from coordinator.domain.series import Span
from coordinator.usecases import measuring
from protocols.wire.vocabulary import PrinterId


class MeasurementsQuery(Query):
    """How far back."""

    span: Span = Field(default=Span.HOUR, description="hour: each 5 s; day: each 300 s")


class MeasurementsDocument(TypedDict):
    """Values by column: `bed_celsius`, `bed_target_celsius`, `progress_ratio` ...

    The first value of a column was measured within `step_s` of `begins_at`, the next within the
    next. Null: nothing was measured then.
    """

    printer_id: str
    span: Span
    begins_at: Moment
    step_s: float
    columns: dict[str, list[float | None]]


async def show_measurements(request: web.Request) -> web.Response:
    """Return what was measured of a printer up to now, column by column."""
    printer_id = PrinterId(request.match_info["printer_id"])
    span = asked(request, MeasurementsQuery).span
    excerpt = await measuring.measurements(request.app[FARM], printer_id, span)
    document: MeasurementsDocument = {
        "printer_id": printer_id,
        "span": span,
        "begins_at": moment(measuring.begins_at(excerpt)),
        "step_s": excerpt.step_s,
        "columns": dict(excerpt.columns),
    }
    return web.json_response(document)


ROUTES = (
    Route(
        method="GET",
        path=f"{API_ROOT}/printers/{{printer_id}}/measurements",
        handler=show_measurements,
        needs=Permission.FARM_READ,
        asks=MeasurementsQuery,
        gives=MeasurementsDocument,
        problems=("unknown_printer",),
    ),
)
