"""Where a job stands in the queue, and when and where it will start, as far as can be told."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from coordinator.domain.estimates import Paces
from coordinator.domain.foretelling import Seat, Taking, foretell
from coordinator.domain.jobs import Job
from coordinator.domain.matching import unready
from coordinator.domain.plates import Plate
from coordinator.domain.printers import Printer
from coordinator.domain.runs import Run
from coordinator.ports import Unit
from coordinator.usecases.dispatching import want_of
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
        found = [await want_of(unit, each) for each in queue[:number]]
        paces = await known_paces(farm, unit)
        seats = await _seats(farm, unit, paces)
    wants = [want for want in found if want is not None]
    # Apart from the loop: on a large farm it takes a tenth of a second.
    turn = await asyncio.to_thread(foretell, job_id, wants, seats, _taking(paces))
    if turn is None:
        return Prospect(job=job, number=number)
    starts_at = farm.clock.now() + timedelta(seconds=turn.in_s)
    return Prospect(job=job, number=number, printer=turn.printer, starts_at=starts_at)


def _number(queue: Sequence[Job], job_id: JobId) -> int | None:
    for number, job in enumerate(queue, start=1):
        if job.job_id == job_id:
            return number
    return None


async def _seats(farm: Farm, unit: Unit, paces: Paces) -> list[Seat]:
    """Return the printers that will be free by themselves, or once somebody cleared their beds."""
    live = {run.run_id: run for run in await unit.runs(live=True)}
    seats = []
    for printer in await unit.printers(online=True):
        run = live.get(printer.run_id) if printer.run_id is not None else None
        draining = printer.agent_id in farm.live.draining
        codes = {each.code for each in unready(printer, run, draining=draining)}
        if codes - {"busy", "bed_not_clear"} or ("busy" in codes and run is None):
            continue
        wait_s = CLEARING_S if "bed_not_clear" in codes else 0.0
        held = [run, *(live.get(each) for each in printer.staged)]
        for each in held:
            if each is not None:
                wait_s += await _rest_s(farm, unit, paces, printer, each)
        seats.append(Seat(printer=printer, free_in_s=wait_s))
    return seats


async def _rest_s(farm: Farm, unit: Unit, paces: Paces, printer: Printer, run: Run) -> float:
    """Return how long a run still takes its printer, its bed cleared; infinite: nobody knows."""
    sample = farm.live.sample(printer.printer_id)
    if sample is not None and sample.printer.run_id == run.run_id:
        remaining_s = sample.printer.remaining_s
        if remaining_s is not None:
            return remaining_s + _clearing_s(printer)
    plates = [each for each in await unit.plates(run.job_id) if each.sha256 == run.plate_sha256]
    whole_s = _taking(paces)(plates[0] if plates else None, printer)
    if run.started_at is None:
        return whole_s
    elapsed_s = (farm.clock.now() - run.started_at).total_seconds()
    return max(whole_s - elapsed_s, _clearing_s(printer))


def _clearing_s(printer: Printer) -> float:
    return CLEARING_S if printer.bed_policy is BedPolicy.ATTENDED else 0.0


def _taking(paces: Paces) -> Taking:
    def taking(plate: Plate | None, printer: Printer) -> float:
        if plate is None:
            return math.inf
        estimate = paces.estimate(
            plate, printer_class=printer.printer_class, printer_id=printer.printer_id
        )
        return math.inf if estimate is None else estimate.seconds + _clearing_s(printer)

    return taking
