"""What each printer prints now, and what it is going to, as far as can be foretold.

Theory. To play a farm's next days ahead is dear, many ask for them at once, and each page asks
again and again. So they are played for the longest time that anybody may ask for, once for all,
and everybody gets as many hours of them as they asked for. What was played is given again for
`KEPT_S`, and after that for as long as nothing was decided in the farm; what is measured meanwhile
moves the ends of prints by little, so it is played anew after `QUIET` at the latest.
"""

import asyncio
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from coordinator.domain.foretelling import Booking, Seat, play_ahead
from coordinator.domain.jobs import Job
from coordinator.domain.printers import Printer
from coordinator.domain.runs import Run
from coordinator.usecases.farm import Farm
from coordinator.usecases.foretelling import (
    AHEAD_MAX,
    Hold,
    clearing_s,
    holds,
    taking_of,
    wants_of,
)
from coordinator.usecases.reading import known_paces
from protocols.wire.vocabulary import JobId

# The longest time that anybody may ask for.
HOURS_MAX = 168.0
# Nobody sees a change later than this, whoever asks.
KEPT_S = 5.0
# Of a farm in which nothing is decided.
QUIET = timedelta(minutes=1)


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


Rows: TypeAlias = tuple[tuple[Printer, tuple[Block, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """The farm's next hours, as they were foretold at `made_at`.

    Attributes:
        rows: printers that print or can, each with its blocks in order.
        left_out: how many jobs wait of which nothing is planned: no printer suits them now, or
            they stand behind more than `AHEAD_MAX` others, or it is too late for these hours.
    """

    made_at: datetime
    until: datetime
    rows: Rows
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """All that was foretold at one moment.

    Attributes:
        queued: how many jobs waited.
        history: the number of the last line of history at that moment.
    """

    made_at: datetime
    rows: Rows
    queued: int
    history: int

    def within(self, hours: float) -> Timetable:
        """Return what of it begins within so many hours."""
        until = self.made_at + timedelta(hours=hours)
        rows = tuple(
            (printer, tuple(block for block in blocks if _counts(block, until)))
            for printer, blocks in self.rows
        )
        kinds = (block for _, blocks in rows for block in blocks)
        planned = {each.job.job_id for each in kinds if each.kind is BlockKind.PLANNED}
        left_out = self.queued - len(planned)
        return Timetable(made_at=self.made_at, until=until, rows=rows, left_out=left_out)


def _counts(block: Block, until: datetime) -> bool:
    return block.kind is not BlockKind.PLANNED or block.starts_at <= until


async def timetable(farm: Farm, hours: float) -> Timetable:
    """Return what is printed now and in so many hours, `HOURS_MAX` at most, foretold just now."""

    async def make(before: Outlook | None) -> Outlook:
        return await _outlook(farm, before)

    outlook = await farm.live.outlook.get(farm.clock, make, kept_s=KEPT_S)
    return outlook.within(hours)


async def _outlook(farm: Farm, before: Outlook | None) -> Outlook:
    """Return what is foretold now; what was before, where nothing was decided since."""
    now = farm.clock.now()
    async with farm.store.read() as unit:
        history = (await unit.head()).number
        if before is not None and before.history == history and now < before.made_at + QUIET:
            return before
        paces = await known_paces(farm, unit)
        printers = await holds(farm, unit, paces)
        await asyncio.sleep(0)  # others have their turn
        wants = await wants_of(unit, await unit.jobs_wanting(offset=0, limit=AHEAD_MAX))
        queued = len(await unit.queue())
        jobs = await unit.jobs_of([run.job_id for each in printers for run, _ in each.runs])
    blocks = {each.printer.printer_id: _held(jobs, each, now) for each in printers}
    seats = [each.seat for each in printers if each.seat is not None]
    # Apart from the loop: on a large farm it takes some tens of milliseconds.
    played = play_ahead(wants, _finite(seats), taking_of(paces), within_s=HOURS_MAX * 3600)
    for booking in await asyncio.to_thread(list, played):
        blocks[booking.placement.printer.printer_id].append(_planned(booking, now))
    rows = tuple((each.printer, tuple(blocks[each.printer.printer_id])) for each in printers)
    return Outlook(made_at=now, rows=rows, queued=queued, history=history)


def _finite(seats: Iterable[Seat]) -> list[Seat]:
    return [seat for seat in seats if not math.isinf(seat.free_in_s)]


def _held(jobs: Mapping[JobId, Job], hold: Hold, now: datetime) -> list[Block]:
    blocks = []
    starts_in_s = 0.0
    for run, rest_s in hold.runs:
        # An agent's clock may be ahead of ours; what goes on did not begin later than now.
        begun_at = min(run.started_at, now) if run.started_at is not None else None
        starts_at = begun_at or _after(now, starts_in_s)
        if starts_at is None:
            break  # nobody knows when what is before it ends
        on_it_s = rest_s - clearing_s(hold.printer)
        blocks.append(
            Block(
                kind=_kind(run),
                job=jobs[run.job_id],
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
