"""The route that tells what an order would take, before it is one."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from aiohttp import web

from coordinator.api.asking import FARM, UPLOAD_BYTES_MAX
from coordinator.api.codes import ORDER
from coordinator.api.estimate_documents import ForetoldDocument, foretold_document
from coordinator.api.forms import OrderForm
from coordinator.api.jobs import ordered
from coordinator.api.render import API_ROOT
from coordinator.api.routes import Route
from coordinator.api.uploads import received_form
from coordinator.domain.access import Permission
from coordinator.errors import FarmError
from coordinator.usecases import estimating
from coordinator.usecases.estimating import Foretold

# Who asked may be gone long before a model is sliced: a person who types on changes their mind.
GONE_LOOK_S = 0.5


async def estimate(request: web.Request) -> web.Response:
    """Tell what an order would take, and which printers it suits; no job comes of it."""
    farm, limit = request.app[FARM], request.app[UPLOAD_BYTES_MAX]
    async with received_form(request, farm.artifacts, file_bytes_max=limit) as form:
        order = ordered(request, form)
        if form.file is not None:
            work = estimating.estimate_file(farm, order, form.file)
        else:
            said = order.model_id, order.model_version or None
            work = estimating.estimate_version(farm, order, *said)
        foretold = await _while_asked(request, work)
    return web.json_response(foretold_document(foretold))


async def _while_asked(request: web.Request, work: Coroutine[Any, Any, Foretold]) -> Foretold:
    """Return what the work brings; it is given up when nobody waits for it any more.

    Raises:
        ConnectionResetError: who asked hung up.
    """

    async def caught() -> Foretold | FarmError:
        try:
            return await work
        except FarmError as error:
            return error

    async def gone() -> None:
        while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110 - told to nobody
            await asyncio.sleep(GONE_LOOK_S)

    async with asyncio.TaskGroup() as tasks:
        doing = tasks.create_task(caught(), name="estimating")
        leaving = tasks.create_task(gone(), name="estimating-asked")
        await asyncio.wait((doing, leaving), return_when=asyncio.FIRST_COMPLETED)
        doing.cancel()
        leaving.cancel()
    if doing.cancelled():
        raise ConnectionResetError("who asked for the estimate hung up")
    outcome = doing.result()
    if isinstance(outcome, FarmError):
        raise outcome
    return outcome


ROUTES = (
    Route(
        method="POST",
        path=f"{API_ROOT}/estimates",
        handler=estimate,
        needs=Permission.JOBS_SUBMIT,
        form=OrderForm,
        gives=ForetoldDocument,
        problems=(*ORDER, "unknown_model", "unknown_version", "too_many_estimates"),
    ),
)
