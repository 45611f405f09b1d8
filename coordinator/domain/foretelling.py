"""When and where what waits will be printed, if nothing comes between: planning, played ahead.

Each time printers become free, all that waits is planned for them, as the farm itself does; what is
placed keeps its printer for as long as its plate takes. Breakdowns and later jobs with a higher
priority are not foreseen.

Nothing comes to wait meanwhile. So a printer that is free and suits nothing that waits is never
looked at again, and whether a job suits a kind of printers is found out once: the work is that of
the prints that begin, not of rounds x jobs x printers.
"""

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush

from coordinator.domain.planning import Fits, Placement, Want, in_order, plan_in_order
from coordinator.domain.plates import Plate
from coordinator.domain.printers import Printer
from protocols.wire.vocabulary import JobId

# So often is planned anew at most: some tens of milliseconds. What is farther off is not foretold.
ROUNDS_MAX = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Where a job starts, and in how many seconds; 0 is now."""

    printer: Printer
    in_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A printer that will take a run, and in how many seconds; infinite where nobody knows."""

    printer: Printer
    free_in_s: float


# Seconds for which a printer is taken by a plate (None: one that nobody sliced yet).
Taking = Callable[[Plate | None, Printer], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """A plate that will be printed, as far as can be foretold.

    Attributes:
        in_s: seconds from now until it starts; 0 is now.
        taken_s: for how long it has its printer; infinite where nobody knows.
    """

    placement: Placement
    in_s: float
    taken_s: float


def foretell(
    job_id: JobId, wants: Iterable[Want], seats: Collection[Seat], taking: Taking
) -> Turn | None:
    """Return where and when a job's first copy starts; None where that can't be told.

    Args:
        wants: the job's and those of all before it.
        seats: only printers that nothing but time keeps from printing.
        taking: infinite where nobody knows.
    """
    for booking in play_ahead(wants, seats, taking):
        if booking.placement.job.job_id == job_id:
            return Turn(printer=booking.placement.printer, in_s=booking.in_s)
    return None


def play_ahead(
    wants: Iterable[Want], seats: Collection[Seat], taking: Taking, *, within_s: float = math.inf
) -> Iterator[Booking]:
    """Yield what will be printed, in the order of its starts; arguments as for `foretell`.

    It ends with the last that can be told, after `within_s`, or after `ROUNDS_MAX`.
    """
    printers = {seat.printer.printer_id: seat.printer for seat in seats}
    # Who is free when, the next one first.
    coming = [(max(seat.free_in_s, 0.0), seat.printer.printer_id) for seat in seats]
    heapify(coming)
    waiting, fits = in_order(wants), Fits()
    for _ in range(ROUNDS_MAX):
        if not waiting or not coming or coming[0][0] > within_s or math.isinf(coming[0][0]):
            return
        now_s = coming[0][0]
        free = []
        while coming and coming[0][0] <= now_s:
            free.append(printers[heappop(coming)[1]])
        placements = plan_in_order(waiting, free, fits)
        for placement in placements:
            taken_s = max(taking(placement.plate, placement.printer), 1.0)
            heappush(coming, (now_s + taken_s, placement.printer.printer_id))
            yield Booking(placement=placement, in_s=now_s, taken_s=taken_s)
        waiting = _served(waiting, placements)


def _served(waiting: Sequence[Want], placements: Iterable[Placement]) -> list[Want]:
    """Return what still waits, in the same order."""
    given = Counter[JobId]()
    for placement in placements:
        given[placement.job.job_id] += placement.copies
    left = (
        replace(want, copies=want.copies - given[want.job.job_id])
        if want.job.job_id in given
        else want
        for want in waiting
    )
    return [want for want in left if want.copies > 0]
