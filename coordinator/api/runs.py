"""The routes of runs: look at one, settle a lost one."""

from aiohttp import web

from coordinator.api.asking import FARM, taken, who
from coordinator.api.documents import WholeRunDocument
from coordinator.api.forms import SettleForm
from coordinator.api.render import API_ROOT, whole_run_document
from coordinator.api.routes import Route
from coordinator.domain.access import Permission
from coordinator.usecases import controlling, reading
from protocols.wire.vocabulary import RunId


async def show_run(request: web.Request) -> web.Response:
    """Return one run."""
    run = await reading.run_view(request.app[FARM], RunId(request.match_info["run_id"]))
    return web.json_response(whole_run_document(run))


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
