"""The routes of who sees to the machine: a backup of all there is, room on the disk."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from aiohttp import web

from coordinator.api.asking import CALLER, FARM, VERSION, taken, who
from coordinator.api.operating_documents import (
    CleanupDocument,
    CleanupForm,
    DiskDocument,
    cleanup_document,
    disk_document,
)
from coordinator.api.outgoing import give_out
from coordinator.api.render import API_ROOT
from coordinator.api.routes import Route
from coordinator.chosen import ChosenSettings
from coordinator.domain.access import Permission
from coordinator.domain.retention import Riddance
from coordinator.log_ring import LogRing
from coordinator.ports_disk import BackupShelf
from coordinator.ports_outward import People
from coordinator.ports_trial import NoSimulatedFarm, SimulatedFarm
from coordinator.setting_origins import SettingTold
from coordinator.usecases import backing_up
from coordinator.usecases.disk_use import disk_use
from coordinator.usecases.retaining import cleanup
from protocols.wire.vocabulary import JobId


def _none() -> Mapping[str, Path]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What of the machine that the coordinator runs on its API tells and gives out.

    Attributes:
        secrets: the files of the state folder that make a backup whole, by their names there.
        log: the last lines of the coordinator's log.
        settings: what it was started with, without secrets.
        simulated: printers that people may start to try the farm.
        choices: the settings in force; None where nobody can change them.
        backups: the farm's own folder of backups; None where it has none.
        people: the ways by which notices reach them.
    """

    secrets: Callable[[], Mapping[str, Path]] = _none
    log: LogRing = field(default_factory=LogRing)
    settings: Sequence[SettingTold] = ()
    choices: ChosenSettings | None = None
    simulated: SimulatedFarm = field(default_factory=NoSimulatedFarm)
    backups: BackupShelf | None = None
    people: Sequence[People] = ()


MACHINE = web.AppKey("machine", Machine)
NO_MACHINE = Machine()


async def take_backup(request: web.Request) -> web.StreamResponse:
    """Give out a backup of the whole farm, as a tar archive; see `farmhand restore`.

    The secrets of the state folder go along only where the farm's own token asks: who shows that
    has them already. Who did not get all of it sees the connection break.
    """
    farm = request.app[FARM]
    is_root = not request[CALLER].credential_id
    secrets = request.app[MACHINE].secrets() if is_root else {}
    made = backing_up.backup(farm, *who(request), version=request.app[VERSION], secrets=secrets)
    async with aclosing(made) as parts:
        first = await anext(parts)  # what has no room is told before the answer begins
        response = web.StreamResponse()
        response.content_type = "application/x-tar"
        await response.prepare(request)
        await response.write(first)
        await give_out(request, response, parts)
    return response


async def show_disk(request: web.Request) -> web.Response:
    """Return what takes room on the coordinator's disk, and how much is free."""
    return web.json_response(disk_document(await disk_use(request.app[FARM])))


async def clean_disk(request: web.Request) -> web.Response:
    """Remove the files of jobs that ended, or tell which these would be; what is needed stays."""
    form, farm = taken(request, CleanupForm), request.app[FARM]
    older_s = form.older_than_s
    riddance = Riddance(
        before=farm.clock.now() - timedelta(seconds=older_s) if older_s is not None else None,
        job_ids=frozenset(JobId(each) for each in form.job_ids),
    )
    spare = await cleanup(farm, riddance, *who(request), dry_run=form.dry_run)
    return web.json_response(cleanup_document(spare, dry_run=form.dry_run))


ROUTES = (
    Route(
        method="GET",
        path=f"{API_ROOT}/disk",
        handler=show_disk,
        needs=Permission.FARM_ADMIN,
        gives=DiskDocument,
        problems=("storage_unusable",),
    ),
    Route(
        method="POST",
        path=f"{API_ROOT}/disk/cleanup",
        handler=clean_disk,
        needs=Permission.FARM_ADMIN,
        takes=CleanupForm,
        gives=CleanupDocument,
        problems=("backup_on", "cleanup_on", "job_not_ended", "storage_unusable", "unknown_job"),
    ),
    Route(
        method="GET",
        path=f"{API_ROOT}/backup",
        handler=take_backup,
        needs=Permission.FARM_ADMIN,
        content_type="application/x-tar",
        problems=("storage_unusable",),
    ),
)
