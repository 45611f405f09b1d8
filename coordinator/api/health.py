"""The routes that tell how the coordinator is: to probes, to everybody, and in full."""

from collections.abc import Mapping
from typing import Literal

from aiohttp import web

from coordinator.api.asking import CALLER, FARM, VERSION
from coordinator.api.documents_farm import FiguresDocument, HealthDocument, ProbeDocument
from coordinator.api.render import API_ROOT
from coordinator.api.routes import Handler, Route
from coordinator.domain.access import Permission
from coordinator.usecases.health import Figures, Health, health, ready


async def show_health(request: web.Request) -> web.Response:
    """Return how the coordinator is: 503 where it can do nothing, else 200. Anybody may ask."""
    found = await health(request.app[FARM])
    caller = request.get(CALLER)
    in_full = caller is not None and caller.may(Permission.FARM_READ)
    document = health_document(found, version=request.app[VERSION], in_full=in_full)
    return web.json_response(document, status=200 if found.ok else 503)


async def show_live(request: web.Request) -> web.Response:
    """Answer: that is all. Who gets no answer may start the coordinator again. Anybody may ask."""
    document: ProbeDocument = {"status": "ok"}
    return web.json_response(document)


async def show_ready(request: web.Request) -> web.Response:
    """Tell whether requests can be answered: 503 without a database, else 200. Anybody may ask."""
    is_ready = await ready(request.app[FARM])
    document: ProbeDocument = {"status": "ok" if is_ready else "failing"}
    return web.json_response(document, status=200 if is_ready else 503)


def health_document(found: Health, *, version: str, in_full: bool) -> HealthDocument:
    """Return how the coordinator is: `ok`, `degraded` or `failing`, and so each of its parts.

    Null: `troubles` and `figures` for strangers.
    """
    troubles = found.troubles
    return {
        "status": "failing" if not found.ok else "degraded" if troubles else "ok",
        "version": version,
        "database": _failing_or_ok("database", troubles),
        "history": _failing_or_ok("history", troubles),
        "broker": _failing_or_ok("broker", troubles),
        "slicer": _failing_or_ok("slicer", troubles),
        "disk": _failing_or_ok("disk", troubles),
        "webhooks": _failing_or_ok("webhooks", troubles),
        "providers": _failing_or_ok("providers", troubles),
        "troubles": [{"part": part, "words": words} for part, words in troubles.items()]
        if in_full
        else None,
        "figures": _figures_document(found.figures) if in_full and found.figures else None,
    }


def _figures_document(figures: Figures) -> FiguresDocument:
    return {
        "agents": {"all": figures.agents, "well": figures.agents_online},
        "webhooks": {
            "all": figures.webhooks,
            "well": figures.webhooks - figures.webhooks_failing,
        },
        "providers": {
            "all": figures.providers,
            "well": figures.providers - figures.providers_failing,
        },
        "printers": dict(figures.printers),
        "jobs": dict(figures.jobs),
        "outbox": {"waiting": figures.outbox_waiting, "oldest_s": figures.outbox_oldest_s},
        "disk_free_bytes": figures.disk_free_bytes,
    }


def _failing_or_ok(part: str, troubles: Mapping[str, str]) -> Literal["failing", "ok"]:
    return "failing" if part in troubles else "ok"


_HEALTH = f"{API_ROOT}/health"


def _routes(path: str, handler: Handler, gives: type) -> tuple[Route, ...]:
    return tuple(
        Route(method=method, path=path, handler=handler, needs=None, gives=gives, also=(503,))
        for method in ("GET", "HEAD")
    )


ROUTES = (
    *_routes(_HEALTH, show_health, HealthDocument),
    *_routes(f"{_HEALTH}/live", show_live, ProbeDocument),
    *_routes(f"{_HEALTH}/ready", show_ready, ProbeDocument),
)
