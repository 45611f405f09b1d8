"""The routes of the farm's own folder of backups: what lies there, one more, one of them."""

from contextlib import aclosing

from aiohttp import web
from typing_extensions import TypedDict

from coordinator.api.asking import CALLER, FARM, VERSION, who
from coordinator.api.documents import Moment
from coordinator.api.names import disposition_of
from coordinator.api.operating import MACHINE
from coordinator.api.outgoing import give_out
from coordinator.api.problems import BadRequest, Problem
from coordinator.api.render import API_ROOT, moment
from coordinator.api.routes import Route
from coordinator.domain.access import Permission
from coordinator.errors import NotFound, Refused
from coordinator.ports_disk import KeptBackup
from coordinator.usecases.backing_up import fetch_backup, keep_backup

_SECRETS_WITHIN = Problem(
    status=403,
    code="secrets_within",
    title="Not allowed",
    detail="Backups of the farm's folder have its token, keys and authority: only the farm's own "
    "token gets them. GET /api/v1/backup makes one without.",
)


class BackupDocument(TypedDict):
    """A backup in the farm's folder."""

    name: str
    made_at: Moment
    size_bytes: int


class BackupsDocument(TypedDict):
    """The backups, the newest first. Null: `folder` where the settings name none.

    `making_bytes` are written of one that is being made; null while none is.
    """

    folder: str | None
    making_bytes: int | None
    items: list[BackupDocument]


async def list_backups(request: web.Request) -> web.Response:
    """Return the backups in the farm's folder, and how far one is that is being made."""
    shelf = request.app[MACHINE].backups
    found = await shelf.kept_backups() if shelf is not None else ()
    document: BackupsDocument = {
        "folder": shelf.place if shelf is not None else None,
        "making_bytes": request.app[FARM].live.backing_up,
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


async def send_backup(request: web.Request) -> web.StreamResponse:
    """Give out a backup of the farm's folder; it has the farm's secrets.

    So only who shows the farm's own token gets it, who has them already. `GET /backup` gives an
    administrator one without them.
    """
    shelf, name = request.app[MACHINE].backups, request.match_info["name"]
    if request[CALLER].credential_id:
        raise BadRequest(_SECRETS_WITHIN)
    if shelf is None:
        raise NotFound("backup", name)
    kept, parts = await fetch_backup(request.app[FARM], shelf, name, *who(request))
    headers = {"Content-Disposition": disposition_of(kept.name)}
    response = web.StreamResponse(headers=headers)
    response.content_type, response.content_length = "application/x-tar", kept.size_bytes
    await response.prepare(request)
    async with aclosing(parts):
        await give_out(request, response, parts)
    return response


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
    Route(
        method="GET",
        path=f"{_BACKUPS}/{{name}}",
        handler=send_backup,
        needs=Permission.FARM_ADMIN,
        content_type="application/x-tar",
        problems=("secrets_within", "storage_unusable", "unknown_backup"),
    ),
)
