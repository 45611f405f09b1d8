"""The routes of the farm's own folder of backups: what lies there, and one more."""

from aiohttp import web
from typing_extensions import TypedDict

from coordinator.api.asking import FARM, VERSION, who
from coordinator.api.documents import Moment
from coordinator.api.operating import MACHINE
from coordinator.api.render import API_ROOT, moment
from coordinator.api.routes import Route
from coordinator.domain.access import Permission
from coordinator.errors import Refused
from coordinator.ports_disk import KeptBackup
from coordinator.usecases.backing_up import keep_backup


class BackupDocument(TypedDict):
    """A backup in the farm's folder."""

    name: str
    made_at: Moment
    size_bytes: int


class BackupsDocument(TypedDict):
    """The backups, the newest first. Null: `folder` where the settings name none."""

    folder: str | None
    items: list[BackupDocument]


async def list_backups(request: web.Request) -> web.Response:
    """Return the backups in the farm's folder; nobody fetches them from there by HTTP."""
    shelf = request.app[MACHINE].backups
    found = await shelf.kept_backups() if shelf is not None else ()
    document: BackupsDocument = {
        "folder": shelf.place if shelf is not None else None,
        "items": [_document(each) for each in reversed(found)],
    }
    return web.json_response(document)


async def make_backup(request: web.Request) -> web.Response:
    """Put a backup into the farm's folder now, as its schedule does; 201 once it is whole."""
    machine = request.app[MACHINE]
    if machine.backups is None:
        raise Refused("no_backup_folder", "the settings name no folder for backups: set backup_dir")
    made = await keep_backup(
        request.app[FARM],
        machine.backups,
        *who(request),
        version=request.app[VERSION],
        secrets=machine.secrets(),
    )
    return web.json_response(_document(made), status=201)


def _document(kept: KeptBackup) -> BackupDocument:
    return {"name": kept.name, "made_at": moment(kept.made_at), "size_bytes": kept.size_bytes}


_BACKUPS = f"{API_ROOT}/backups"

ROUTES = (
    Route(
        method="GET",
        path=_BACKUPS,
        handler=list_backups,
        needs=Permission.FARM_ADMIN,
        gives=BackupsDocument,
        problems=("storage_unusable",),
    ),
    Route(
        method="POST",
        path=_BACKUPS,
        handler=make_backup,
        needs=Permission.FARM_ADMIN,
        gives=BackupDocument,
        status=201,
        problems=("backup_on", "no_backup_folder", "storage_unusable"),
    ),
)
