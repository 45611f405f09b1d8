"""What was measured of printers over the last hour and day: read, and kept over a restart.

It comes of telemetry, which every coordinator hears of every printer: each has all for itself.
"""

import asyncio
from datetime import UTC, datetime

import structlog

from coordinator.domain.series import Excerpt, Span, compressed, restored
from coordinator.errors import Unavailable
from coordinator.ports_measurements import Shelf
from coordinator.usecases.farm import Farm
from coordinator.usecases.performing import the_printer
from protocols.wire.vocabulary import PrinterId

log = structlog.get_logger(__name__)

# For 500 printers a megabyte or so each time; who is killed loses that much of the charts.
KEEP_S = 600.0


async def measurements(farm: Farm, printer_id: PrinterId, span: Span) -> Excerpt:
    """Return what was measured of a printer.

    Raises:
        NotFound: there is no such printer.
    """
    async with farm.store.read() as unit:
        await the_printer(unit, printer_id)
    return farm.live.measured.excerpt(printer_id, span, farm.clock.now().timestamp())


def begins_at(excerpt: Excerpt) -> datetime:
    """Return when an excerpt begins."""
    return datetime.fromtimestamp(excerpt.begins_at_s, UTC)


async def keep(farm: Farm, shelf: Shelf) -> None:
    """Save all measurements; a full disk costs charts, and holds nothing up."""
    pieces = farm.live.measured.packed()
    try:
        await shelf.save(await asyncio.to_thread(compressed, pieces))
    except Unavailable as error:
        log.warning("measurements.not_kept", reason=str(error))


async def take_up(farm: Farm, shelf: Shelf) -> None:
    """Begin with what was saved last; what can't be read is left."""
    data = await shelf.load()
    if data is None:
        return
    try:
        # In a thread it would take 20 ms as well, and that thread's share of memory for good.
        farm.live.measured = restored(data)
    except ValueError as error:
        log.warning("measurements.unreadable", reason=str(error))
