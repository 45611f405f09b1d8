"""Versions of what is answered: ETag and If-None-Match on the way out, If-Match on the way in.

A tag is weak and has two parts: `W/"7.1f2e3d"`. The first is the version of what is written of the
thing, which changes only when somebody changes it; the second is of all that was answered, live
values too. If-None-Match compares the whole, If-Match only the first: who looked at a printer
before it got a tenth of a degree warmer may still clear its bed. RFC 9110 has If-Match compare
strong tags; with live values there are none.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from aiohttp import web

from coordinator.api.asking import FARM
from coordinator.api.packing import digest, packed
from coordinator.api.problems import BadRequest, Problem
from coordinator.api.render_printers import standing_document
from coordinator.domain.jobs import Job
from coordinator.domain.rebuilt import Rebuilt
from coordinator.ports import Store, Unit
from coordinator.usecases import reading
from coordinator.usecases.farm import Farm
from coordinator.usecases.performing import the_job
from protocols.wire.vocabulary import JobId, PrinterId

_CHANGED = BadRequest(
    Problem(
        status=412,
        code="changed_meanwhile",
        title="Changed meanwhile",
        detail="It is no longer as If-Match says; look at it again.",
    )
)

Check = Callable[[Unit], Awaitable[str]]


def job_tag(job: Job) -> str:
    """Return the version of what is written of a job."""
    return str(job.version)


def tagged(
    request: web.Request, document: Mapping[str, object], *, written: str = "", status: int = 200
) -> web.Response:
    """Return an answer with its tag; 304 where who asks has it already.

    Args:
        written: the version of what is written of the thing; empty for lists.
    """
    body = packed(document)
    tag = f'W/"{written}.{digest(body)}"'
    if request.method == "GET" and known(request, tag):
        return web.Response(status=304, headers={"ETag": tag})
    return web.Response(
        status=status, body=body, content_type="application/json", headers={"ETag": tag}
    )


def known(request: web.Request, tag: str) -> bool:
    """Whether who asks has this version already."""
    given = request.headers.get("If-None-Match")
    if given is None:
        return False
    return given.strip() == "*" or tag in (each.strip() for each in given.split(","))


def expecting_job(request: web.Request, job_id: JobId) -> Farm:
    """Return the farm, which changes nothing once a job is not as If-Match says."""

    async def version(unit: Unit) -> str:
        return job_tag(await the_job(unit, job_id))

    return expecting(request, version)


def expecting_printer(request: web.Request, printer_id: PrinterId) -> Farm:
    """Return the farm, which changes nothing once a printer is not as If-Match says."""
    live = request.app[FARM].live

    async def version(unit: Unit) -> str:
        view = await reading.printer_view_in(live, unit, printer_id)
        return digest(packed(standing_document(view)))

    return expecting(request, version)


def expecting(request: web.Request, version: Check) -> Farm:
    """Return the farm, which changes nothing once a thing's version is not as If-Match says."""
    farm, given = request.app[FARM], request.headers.get("If-Match")
    if given is None or given.strip() == "*":
        return farm
    tags = [each.strip().removeprefix("W/").strip('"') for each in given.split(",")]
    wanted = frozenset(tag.partition(".")[0] for tag in tags)
    return replace(farm, store=_Expecting(farm.store, version, wanted))


class _Expecting:
    """A store whose first transaction that writes begins with a look at the version."""

    def __init__(self, store: Store, version: Check, wanted: frozenset[str]) -> None:
        self._store, self._version, self._wanted = store, version, wanted
        self._looked = False

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Unit]:
        async with self._store.write() as unit:
            if not self._looked and await self._version(unit) not in self._wanted:
                raise _CHANGED
            self._looked = True
            yield unit

    def read(self) -> AbstractAsyncContextManager[Unit]:
        return self._store.read()

    def scratch(self) -> AbstractContextManager[Rebuilt]:
        return self._store.scratch()

    async def snapshot(self, to: Path) -> None:
        await self._store.snapshot(to)
