"""The routes by which people try the farm without a printer."""

import hashlib
import ssl

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from coordinator.api.agents import WELCOME
from coordinator.api.asking import FARM, taken, who
from coordinator.api.operating import MACHINE
from coordinator.api.render import API_ROOT
from coordinator.api.routes import Route
from coordinator.domain.access import Permission
from coordinator.ports_trial import PRINTERS_MAX
from coordinator.usecases import trying
from coordinator.usecases.trying import SPEED_MAX, Trial


class TrialDocument(TypedDict):
    """How trying the farm stands.

    `allowed` is what the settings say, `running` whether the simulated printers' process lives,
    `printers` the ids of those that are in the farm; `trouble` are its last words where it died.
    """

    allowed: bool
    running: bool
    printers: list[str]
    trouble: str


class TrialForm(BaseModel):
    """How many simulated printers, and how many times as fast as real ones."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    printers: int = Field(default=3, ge=1, le=PRINTERS_MAX)
    speed: float = Field(default=30.0, ge=1, le=SPEED_MAX)


async def show_trial(request: web.Request) -> web.Response:
    """Return whether simulated printers are there, or may be started."""
    found = await trying.trial(request.app[FARM], request.app[MACHINE].simulated)
    return web.json_response(_document(found))


async def begin_trial(request: web.Request) -> web.Response:
    """Start simulated printers beside the coordinator, to try the farm without any."""
    form = taken(request, TrialForm)
    begun = await trying.begin_trial(
        request.app[FARM],
        request.app[MACHINE].simulated,
        *who(request),
        printers=form.printers,
        speed=form.speed,
        fingerprint=_fingerprint(request.app[WELCOME].authority),
    )
    return web.json_response(_document(begun))


async def end_trial(request: web.Request) -> web.Response:
    """Stop the simulated printers and take them out of the farm; their jobs wait for others."""
    ended = await trying.end_trial(request.app[FARM], request.app[MACHINE].simulated, *who(request))
    return web.json_response(_document(ended))


def _fingerprint(authority: str) -> str:
    if not authority:
        return ""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(authority.strip())).hexdigest()


def _document(found: Trial) -> TrialDocument:
    return {
        "allowed": found.allowed,
        "running": found.running,
        "printers": [printer.printer_id for printer in found.printers],
        "trouble": found.trouble,
    }


_PATH = f"{API_ROOT}/demo"

ROUTES = (
    Route(
        method="GET",
        path=_PATH,
        handler=show_trial,
        needs=Permission.FARM_ADMIN,
        gives=TrialDocument,
    ),
    Route(
        method="POST",
        path=_PATH,
        handler=begin_trial,
        needs=Permission.FARM_ADMIN,
        takes=TrialForm,
        gives=TrialDocument,
        problems=(
            *("demo_forbidden", "demo_running", "demo_out_of_range", "demo_failed"),
            *("agent_id_taken", "epoch_raised"),
        ),
    ),
    Route(
        method="DELETE",
        path=_PATH,
        handler=end_trial,
        needs=Permission.FARM_ADMIN,
        gives=TrialDocument,
        problems=("epoch_raised",),
    ),
)
