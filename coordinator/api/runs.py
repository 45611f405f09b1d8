"""The routes of runs: look at one, or at a printer's last ones; settle a lost one."""

from aiohttp import web
from pydantic import Field

from coordinator.api.asking import FARM, asked, taken, who
from coordinator.api.documents import Items, NamedJobDocument, RunDocument, WholeRunDocument
from coordinator.api.forms import SettleForm
from coordinator.api.queries import Query
from coordinator.api.render import API_ROOT, run_document, whole_run_document
from coordinator.api.render_printers import named_job_document
from coordinator.api.routes import Route
from coordinator.domain.access import Permission
from coordinator.usecases import controlling, reading
from protocols.wire.vocabulary import PrinterId, RunId


async def show_run(request: web.Request) -> web.Response:
    """Return one run."""
    run = await reading.run_view(request.app[FARM], RunId(request.match_info["run_id"]))
    return web.json_response(whole_run_document(run))


class RunsQuery(Query):
    """How many."""

    limit: int = Field(default=20, ge=1, le=200)


class PrinterRunDocument(RunDocument):
    """A run of a printer, with its job; `seen`: there is a picture of how it ended."""

    job: NamedJobDocument
    seen: bool


async def list_runs(request: web.Request) -> web.Response:
    """Return a printer's last runs, the newest first."""
    farm, printer_id = request.app[FARM], PrinterId(request.match_info["printer_id"])
    found = await reading.last_runs(farm, printer_id, asked(request, RunsQuery).limit)
    seen = await farm.pictures.seen_of([run.run_id for run, _ in found])
    items: list[PrinterRunDocument] = [
        {**run_document(run), "job": named_job_document(job), "seen": run.run_id in seen}
        for run, job in found
    ]
    return web.json_response({"items": items})


async def settle_run(request: web.Request) -> web.Response:
    """Take a person's word on how a lost run ended."""
    form = taken(request, SettleForm)
    run_id = RunId(request.match_info["run_id"])
    run = await controlling.settle_run(request.app[FARM], run_id, form.outcome, *who(request))
    return web.json_response(whole_run_document(run))


_RUN = f"{API_ROOT}/runs/{{run_id}}"

ROUTES = (
    Route(
        method="GET",
        path=f"{API_ROOT}/printers/{{printer_id}}/runs",
        handler=list_runs,
        needs=Permission.FARM_READ,
        asks=RunsQuery,
        gives=Items[PrinterRunDocument],
        problems=("unknown_printer",),
    ),
    Route(
        method="GET",
        path=_RUN,
        handler=show_run,
        needs=Permission.FARM_READ,
        gives=WholeRunDocument,
        problems=("unknown_run",),
    ),
    Route(
        method="POST",
        path=f"{_RUN}/settle",
        handler=settle_run,
        needs=Permission.PRINTERS_OPERATE,
        takes=SettleForm,
        gives=WholeRunDocument,
        problems=("unknown_run", "unknown_outcome", "run_not_lost"),
    ),
)
