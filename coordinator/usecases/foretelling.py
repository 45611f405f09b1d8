"""Where a job stands in the queue, and when and where it will start, as far as can be told."""

import asyncio
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from coordinator.domain.estimates import Paces
from coordinator.domain.foretelling import Seat, Taking, foretell
from coordinator.domain.jobs import Job
from coordinator.domain.matching import unready
from coordinator.domain.planning import Want
from coordinator.domain.plates import Plate
from coordinator.domain.printers import Printer
from coordinator.domain.runs import Run, RunState
from coordinator.ports import Unit
from coordinator.usecases.dispatching import want_from
from coordinator.usecases.farm import Farm
from coordinator.usecases.performing import the_job, the_printer
from coordinator.usecases.reading import known_paces
from protocols.wire.vocabulary import BedPolicy, JobId

# So many jobs are counted; behind more than that the number says little.
COUNTED_MAX = 1000
# Of a job behind more than that no time is told: each of them has to be looked at.
AHEAD_MAX = 100
# Somebody has to take a finished print off its bed. A guess; nobody stands beside all the time.
CLEARING_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """What a job has before it.

    Attributes:
        number: its place among the jobs that wait, 1 for the next; None where it does not wait, or
            stands behind more than `COUNTED_MAX`.
        printer: where its first copy starts, or prints; None where nobody can tell.
        starts_at: when; None where it has begun, or nobody can tell.
    """

    job: Job
    number: int | None = None
    printer: Printer | None = None
    starts_at: datetime | None = None


async def prospect(farm: Farm, job_id: JobId) -> Prospect:
    """Return what a job has before it.

    Raises:
        NotFound: there is none.
    """
    async with farm.store.read() as unit:
        job = await the_job(unit, job_id)
        live = [run for run in await unit.runs(job_id=job_id) if run.live]
        if live:
            printer = await the_printer(unit, live[0].printer_id)
            soon = None if live[0].run_id in printer.staged else farm.clock.now()
            return Prospect(job=job, printer=printer, starts_at=soon)
        queue = await unit.jobs_wanting(offset=0, limit=COUNTED_MAX)
        number = _number(queue, job_id)
        if number is None or number > AHEAD_MAX:
            return Prospect(job=job, number=number)
        wants = await wants_of(unit, queue[:number])
        paces = await known_paces(farm, unit)
        seats = [held.seat for held in await holds(farm, unit, paces) if held.seat is not None]
    # Apart from the loop: on a large farm it takes some tens of milliseconds.
    turn = await asyncio.to_thread(foretell, job_id, wants, seats, taking_of(paces))
    if turn is None:
        return Prospect(job=job, number=number)
    starts_at = farm.clock.now() + timedelta(seconds=turn.in_s)
    return Prospect(job=job, number=number, printer=turn.printer, starts_at=starts_at)


def _number(queue: Sequence[Job], job_id: JobId) -> int | None:
    for number, job in enumerate(queue, start=1):
        if job.job_id == job_id:
            return number
    return None


async def wants_of(unit: Unit, jobs: Sequence[Job]) -> list[Want]:
    """Return what jobs want of printers, those that want something."""
    ids = [job.job_id for job in jobs]
    runs, plates = await unit.runs_of(ids), await unit.plates_of(ids)
    found = (want_from(job, runs[job.job_id], plates[job.job_id]) for job in jobs)
    return [want for want in found if want is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A printer with what it holds now.

    Attributes:
        runs: that live there, in their order, each with the seconds for which it still takes the
            printer, its bed cleared; infinite where nobody knows.
        seat: when it is free by itself, or once somebody cleared its bed; None where it takes more
            than time.
    """

    printer: Printer
    runs: tuple[tuple[Run, float], ...]
    seat: Seat | None


async def holds(farm: Farm, unit: Unit, paces: Paces) -> list[Hold]:
    """Return all printers that are on line, and those that hold a run."""
    live = {run.run_id: run for run in await unit.runs(live=True)}
    unsaid = [run.job_id for run in live.values() if _said_rest_s(farm, run) is None]
    plates = await unit.plates_of(unsaid)
    found = []
    for printer in await unit.printers():
        held = [live[each] for each in (printer.run_id, *printer.staged) if each in live]
        if not printer.online and not held:
            continue
        runs = [
            (run, _rest_s(farm, paces, printer, run, plates.get(run.job_id, ()))) for run in held
        ]
        seat = _seat(farm, printer, live.get(printer.run_id) if printer.run_id else None, runs)
        found.append(Hold(printer=printer, runs=tuple(runs), seat=seat))
    return found


def _seat(
    farm: Farm, printer: Printer, run: Run | None, runs: Sequence[tuple[Run, float]]
) -> Seat | None:
    draining = printer.agent_id in farm.live.draining
    codes = {each.code for each in unready(printer, run, draining=draining)}
    if codes - {"busy", "bed_not_clear"} or ("busy" in codes and run is None):
        return None
    wait_s = CLEARING_S if "bed_not_clear" in codes else 0.0
    return Seat(printer=printer, free_in_s=wait_s + sum(rest_s for _, rest_s in runs))


def _said_rest_s(farm: Farm, run: Run) -> float | None:
    """Return how long a run's printer says that it still takes; None where it says nothing."""
    sample = farm.live.sample(run.printer_id)
    if sample is None or sample.printer.run_id != run.run_id:
        return None
    return sample.printer.remaining_s


def _rest_s(farm: Farm, paces: Paces, printer: Printer, run: Run, plates: Iterable[Plate]) -> float:
    """Return how long a run still takes its printer, its bed cleared; infinite: nobody knows.

    Args:
        plates: its job's; not needed where the printer says how long.
    """
    if run.state is RunState.PAUSED or not printer.online:
        return math.inf
    said_s = _said_rest_s(farm, run)
    if said_s is not None:
        return said_s + clearing_s(printer)
    plate = next((each for each in plates if each.sha256 == run.plate_sha256), None)
    whole_s = taking_of(paces)(plate, printer)
    if run.started_at is None:
        return whole_s
    elapsed_s = (farm.clock.now() - run.started_at).total_seconds()
    return max(whole_s - elapsed_s, clearing_s(printer))


def clearing_s(printer: Printer) -> float:
    """Return how long a finished print is taken to lie on its bed."""
    return CLEARING_S if printer.bed_policy is BedPolicy.ATTENDED else 0.0


def taking_of(paces: Paces) -> Taking:
    """Return how long plates take printers, beds cleared."""

    def taking(plate: Plate | None, printer: Printer) -> float:
        if plate is None:
            return math.inf
        estimate = paces.estimate(
            plate, printer_class=printer.printer_class, printer_id=printer.printer_id
        )
        return math.inf if estimate is None else estimate.seconds + clearing_s(printer)

    return taking
