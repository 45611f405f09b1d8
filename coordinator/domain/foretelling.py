"""When and where what waits will be printed, if nothing comes between: planning, played ahead.

Each time a printer becomes free, all that waits is planned anew, as the farm itself does; what is
placed keeps its printer for as long as its plate takes. Breakdowns and later jobs with a higher
priority are not foreseen.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from coordinator.domain.planning import Placement, Want, plan
from coordinator.domain.plates import Plate
from coordinator.domain.printers import Printer
from protocols.wire.vocabulary import JobId, PrinterId

# So often is planned anew at most: a tenth of a second. What is farther off is not foretold.
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
    job_id: JobId, wants: Iterable[Want], seats: Iterable[Seat], taking: Taking
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
    wants: Iterable[Want], seats: Iterable[Seat], taking: Taking, *, within_s: float = math.inf
) -> Iterator[Booking]:
    """Yield what will be printed, in the order of its starts; arguments as for `foretell`.

    It ends with the last that can be told, after `within_s`, or after `ROUNDS_MAX`.
    """
    places = list(seats)
    printers = {seat.printer.printer_id: seat.printer for seat in places}
    free_in_s = {seat.printer.printer_id: seat.free_in_s for seat in places}
    waiting = {want.job.job_id: want for want in wants}
    now_s = 0.0
    for _ in range(ROUNDS_MAX):
        free = [printers[each] for each, at_s in free_in_s.items() if at_s <= now_s]
        for placement in plan(waiting.values(), free):
            taken_s = max(taking(placement.plate, placement.printer), 1.0)
            free_in_s[placement.printer.printer_id] = now_s + taken_s
            _serve(waiting, placement.job.job_id, placement.copies)
            yield Booking(placement=placement, in_s=now_s, taken_s=taken_s)
        now_s = _next(free_in_s, now_s)
        if not waiting or math.isinf(now_s) or now_s > within_s:
            return


def _serve(waiting: dict[JobId, Want], job_id: JobId, copies: int) -> None:
    want = waiting.pop(job_id)
    if want.copies > copies:
        waiting[job_id] = replace(want, copies=want.copies - copies)


def _next(free_in_s: Mapping[PrinterId, float], now_s: float) -> float:
    """Return when the next printer becomes free, infinite for never."""
    return min((at_s for at_s in free_in_s.values() if at_s > now_s), default=math.inf)
