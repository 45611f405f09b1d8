"""The routes of who sees to the machine: a backup of all there is."""

from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from coordinator.api.asking import CALLER, FARM, VERSION, who
from coordinator.api.render import API_ROOT
from coordinator.api.routes import Route
from coordinator.domain.access import Permission
from coordinator.errors import FarmError
from coordinator.usecases import backing_up


def _none() -> Mapping[str, Path]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What of the machine that the coordinator runs on its API tells and gives out.

    Attributes:
        secrets: the files of the state folder that make a backup whole, by their names there.
    """

    secrets: Callable[[], Mapping[str, Path]] = _none


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
        try:
            await response.write(first)
            async for part in parts:
                await response.write(part)
        except FarmError:
            if request.transport is not None:
                request.transport.abort()
            raise
    await response.write_eof()
    return response


ROUTES = (
    Route(
        method="GET",
        path=f"{API_ROOT}/backup",
        handler=take_backup,
        needs=Permission.FARM_ADMIN,
        content_type="application/x-tar",
        problems=("storage_unusable",),
    ),
)
