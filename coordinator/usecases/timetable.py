"""What each printer prints now, and what it is going to, as far as can be foretold."""

import asyncio
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from coordinator.domain.foretelling import Booking, Seat, play_ahead
from coordinator.domain.jobs import Job
from coordinator.domain.printers import Printer
from coordinator.domain.runs import Run
from coordinator.ports import Unit
from coordinator.usecases.farm import Farm
from coordinator.usecases.foretelling import (
    AHEAD_MAX,
    Hold,
    clearing_s,
    holds,
    taking_of,
    wants_of,
)
from coordinator.usecases.performing import the_job
from coordinator.usecases.reading import known_paces
from protocols.wire.vocabulary import JobId


class BlockKind(StrEnum):
    """How sure a block is."""

    PRINTING = "printing"  # it goes on, or is paused
    LEASED = "leased"  # the printer is kept for it
    PLANNED = "planned"  # as it would be given out if nothing came between


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A plate on a printer, from when to when.

    Attributes:
        ends_at: None where nobody knows, as while it is paused.
    """

    kind: BlockKind
    job: Job
    copies: int
    starts_at: datetime
    ends_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """The farm's next hours.

    Attributes:
        rows: printers that print or can, each with its blocks in order.
        left_out: how many jobs wait of which nothing is planned: no printer suits them now, or
            they stand behind more than `AHEAD_MAX` others, or it is too late for these hours.
    """

    made_at: datetime
    until: datetime
    rows: tuple[tuple[Printer, tuple[Block, ...]], ...]
    left_out: int


async def timetable(farm: Farm, hours: float) -> Timetable:
    """Return what is printed now and in so many hours."""
    now = farm.clock.now()
    async with farm.store.read() as unit:
        paces = await known_paces(farm, unit)
        printers = await holds(farm, unit, paces)
        waiting = await unit.jobs_wanting(offset=0, limit=AHEAD_MAX)
        wants = await wants_of(unit, waiting)
        queued = len(await unit.queue())
        blocks = {each.printer.printer_id: await _held(unit, each, now) for each in printers}
    seats = [each.seat for each in printers if each.seat is not None]
    # Apart from the loop: on a large farm it takes a tenth of a second.
    played = play_ahead(wants, _finite(seats), taking_of(paces), within_s=hours * 3600)
    bookings = await asyncio.to_thread(list, played)
    for booking in bookings:
        blocks[booking.placement.printer.printer_id].append(_planned(booking, now))
    planned = {booking.placement.job.job_id for booking in bookings}
    return Timetable(
        made_at=now,
        until=now + timedelta(hours=hours),
        rows=tuple((each.printer, tuple(blocks[each.printer.printer_id])) for each in printers),
        left_out=queued - len(planned),
    )


def _finite(seats: Iterable[Seat]) -> list[Seat]:
    return [seat for seat in seats if not math.isinf(seat.free_in_s)]


async def _held(unit: Unit, hold: Hold, now: datetime) -> list[Block]:
    blocks = []
    starts_in_s = 0.0
    for run, rest_s in hold.runs:
        job = await the_job(unit, JobId(run.job_id))
        # An agent's clock may be ahead of ours; what goes on did not begin later than now.
        begun_at = min(run.started_at, now) if run.started_at is not None else None
        starts_at = begun_at or _after(now, starts_in_s)
        if starts_at is None:
            break  # nobody knows when what is before it ends
        on_it_s = rest_s - clearing_s(hold.printer)
        blocks.append(
            Block(
                kind=_kind(run),
                job=job,
                copies=run.copies,
                starts_at=starts_at,
                ends_at=_after(now, starts_in_s + on_it_s),
            )
        )
        starts_in_s += rest_s
    return blocks


def _kind(run: Run) -> BlockKind:
    return BlockKind.PRINTING if run.started else BlockKind.LEASED


def _planned(booking: Booking, now: datetime) -> Block:
    placement = booking.placement
    starts_at = _after(now, booking.in_s)
    assert starts_at is not None, "a booking starts"
    taken_s = booking.taken_s - clearing_s(placement.printer)
    return Block(
        kind=BlockKind.PLANNED,
        job=placement.job,
        copies=placement.copies,
        starts_at=starts_at,
        ends_at=_after(now, booking.in_s + max(taken_s, 1.0)),
    )


def _after(now: datetime, seconds: float) -> datetime | None:
    return None if math.isinf(seconds) else now + timedelta(seconds=max(seconds, 0.0))
