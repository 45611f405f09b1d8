"""Whom a slicer sends to: the whole farm, a class or group of printers, or one printer.

Each has an address: `/octoprint/farm` and `/octoprint` are the farm's queue, `/octoprint/NAME` a
printer's, a class's or a group's, in this order where several have one name; so with the other
dialects.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import web

from coordinator.api.asking import FARM
from coordinator.api.problems import BadRequest, Problem
from coordinator.api.routes import Handler, Route
from coordinator.domain.access import Permission
from coordinator.domain.printers import Printer
from protocols.wire.vocabulary import PrinterId

FARM_TARGET = "farm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Whom it is for; the farm where it names neither class nor group nor printer."""

    name: str = FARM_TARGET
    printer_class: str = ""
    printer_group: str = ""
    printer_id: PrinterId | None = None


def target_named(name: str, printers: Iterable[Printer]) -> Target | None:
    """Return the target of a name, None where nothing is called so."""
    if name == FARM_TARGET:
        return Target()
    known = list(printers)
    if any(each.printer_id == name for each in known):
        return Target(name=name, printer_id=PrinterId(name))
    if any(each.printer_class == name for each in known):
        return Target(name=name, printer_class=name)
    if name and any(each.printer_group == name for each in known):
        return Target(name=name, printer_group=name)
    return None


async def target_of(request: web.Request) -> Target:
    """Return whom a request's address names.

    Raises:
        BadRequest: 404, with the names that there are.
    """
    name = request.match_info.get("target", FARM_TARGET)
    if name == FARM_TARGET:
        return Target()
    async with request.app[FARM].store.read() as unit:
        printers = await unit.printers()
    target = target_named(name, printers)
    if target is None:
        named = {printer.printer_class for printer in printers}
        named |= {printer.printer_group for printer in printers if printer.printer_group}
        known = ", ".join((FARM_TARGET, *sorted(named)))
        raise BadRequest(
            Problem(
                status=404,
                code="unknown_target",
                title="Not found",
                detail=f"There is no printer, class or group {name[:40]!r} here. "
                f"Send to {known}, or to a printer by its id.",
            )
        )
    return target


def bases(dialect: str) -> tuple[str, ...]:
    """Return the addresses below which a dialect is spoken."""
    return (f"/{dialect}", f"/{dialect}/{{target}}")


def rows(base: str, *given: tuple[str, str, Handler]) -> tuple[Route, ...]:
    """Return a dialect's routes below an address: method, path and handler of each.

    All want one permission, so that a slicer's key needs no other.
    """
    return tuple(
        Route(method=method, path=base + path, handler=handler, needs=Permission.JOBS_SUBMIT)
        for method, path, handler in given
    )


def front(base: str) -> tuple[Route, ...]:
    """Return the routes of the address itself, which slicers show as a page, and browsers."""
    return tuple(
        Route(method="GET", path=path, handler=show_page, needs=None) for path in (base, f"{base}/")
    )


async def show_page(request: web.Request) -> web.StreamResponse:
    """Lead whoever opens the address to the farm's page, which asks for a credential itself."""
    return web.Response(status=302, headers={"Location": "/"})


def address_of(request: web.Request) -> str:
    """Return the address that the slicer was told, as it reached us: `http://farm/octoprint/mk4`.

    It may be the root's, and then has no path.
    """
    resource = request.match_info.route.resource
    assert resource is not None, "the request was routed"
    dialect, _, _ = resource.canonical.partition("/api/")
    target = quote(request.match_info.get("target", ""), safe="")
    return f"{request.url.origin()}{dialect.replace('{target}', target)}"
