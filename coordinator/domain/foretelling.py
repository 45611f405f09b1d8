"""When and where a job's first copy will start, if nothing comes between: planning, played ahead.

Each time a printer becomes free, all that waits is planned anew, as the farm itself does; what is
placed keeps its printer for as long as its plate takes. Breakdowns and later jobs with a higher
priority are not foreseen.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from coordinator.domain.planning import Want, plan
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


def foretell(
    job_id: JobId, wants: Iterable[Want], seats: Iterable[Seat], taking: Taking
) -> Turn | None:
    """Return where and when a job's first copy starts; None where that can't be told.

    Args:
        wants: the job's and those of all before it.
        seats: only printers that nothing but time keeps from printing.
        taking: infinite where nobody knows.
    """
    places = list(seats)
    printers = {seat.printer.printer_id: seat.printer for seat in places}
    free_in_s = {seat.printer.printer_id: seat.free_in_s for seat in places}
    waiting = {want.job.job_id: want for want in wants}
    now_s = 0.0
    for _ in range(ROUNDS_MAX):
        free = [printers[each] for each, at_s in free_in_s.items() if at_s <= now_s]
        for placement in plan(waiting.values(), free):
            if placement.job.job_id == job_id:
                return Turn(printer=placement.printer, in_s=now_s)
            taken_s = taking(placement.plate, placement.printer)
            free_in_s[placement.printer.printer_id] = now_s + max(taken_s, 1.0)
            _serve(waiting, placement.job.job_id, placement.copies)
        now_s = _next(free_in_s, now_s)
        if math.isinf(now_s):
            return None
    return None


def _serve(waiting: dict[JobId, Want], job_id: JobId, copies: int) -> None:
    want = waiting.pop(job_id)
    if want.copies > copies:
        waiting[job_id] = replace(want, copies=want.copies - copies)


def _next(free_in_s: Mapping[PrinterId, float], now_s: float) -> float:
    """Return when the next printer becomes free, infinite for never."""
    return min((at_s for at_s in free_in_s.values() if at_s > now_s), default=math.inf)
