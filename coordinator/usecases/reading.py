"""What the farm knows, put together for people and programs; changes nothing."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

from coordinator.domain import copies
from coordinator.domain.estimates import Demand, Estimate, Paces, demand, paces
from coordinator.domain.jobs import Job, late
from coordinator.domain.listing import JobPlace, JobsWanted, place_of
from coordinator.domain.plates import Plate, made_of
from coordinator.domain.printers import Printer, PrinterStatus, status_of
from coordinator.domain.runs import Run
from coordinator.domain.stock import Spool
from coordinator.ports import Unit
from coordinator.usecases import stock
from coordinator.usecases.browsing import provenance_of
from coordinator.usecases.farm import Farm
from coordinator.usecases.live import Live, Sample
from coordinator.usecases.performing import staged_runs, the_job, the_printer, the_run
from coordinator.usecases.waiting import Stations, Wait, Waiting, waits
from protocols.wire.from_agent import HostSample
from protocols.wire.vocabulary import Finding, JobId, PrinterId, RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmade:
    """A plate that is not made: wanted, with how far it is, or refused.

    Attributes:
        ratio: 0 to 1; None where nobody slices it now. `stage` is in words, and then empty.
    """

    plate: Plate
    ratio: float | None = None
    stage: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """A job with all that hangs on it.

    Attributes:
        plates: those that are made.
        preparing: how far its slicing is, 0 to 1; None where it is not being sliced.
        estimates: how long each plate takes on a printer of its class, in their order.
        demand: what all copies take.
        late: it is not finished, or was not, when it is due.
        warnings: spools that will not last for it, for a person.
        waits: empty where nothing is waited for.
    """

    job: Job
    late: bool
    warnings: tuple[str, ...]
    plates: tuple[Plate, ...]
    unmade: tuple[Unmade, ...]
    estimates: tuple[Estimate | None, ...]
    demand: Demand
    runs: tuple[Run, ...]
    copies_finished: int
    copies_live: int
    preparing: float | None
    waits: tuple[Wait, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsPage:
    """A page of jobs.

    Attributes:
        next: behind which place the next one begins; None where this is the last.
        total: how many there are on all pages; None where they are too many to be counted.
    """

    views: tuple[JobView, ...]
    next: JobPlace | None
    total: int | None


@dataclass(frozen=True, slots=True)
class StagedRun:
    """A run that a printer holds in advance, with its job."""

    run: Run
    job: Job


@dataclass(frozen=True, slots=True, kw_only=True)
class PrinterView:
    """A printer, what it is to the farm, and what it does.

    Attributes:
        run: the one that holds its lease, with its `job`; None where none does.
        sample: its last telemetry, None before the first.
        waits_for: why its agent does not start the run, in the agent's words.
        away: why nothing is heard of it, and what to do about that; empty while something is.
        host: the machine beside it, None where it told nothing or is away.
        findings: what is wrong with the printer itself.
        commands: what its agent does for it, empty before it came.
        staged: what it holds in advance, in order.
    """

    printer: Printer
    status: PrinterStatus
    run: Run | None
    job: Job | None
    sample: Sample | None
    waits_for: str = ""
    away: str = ""
    host: HostSample | None = None
    findings: tuple[Finding, ...] = ()
    commands: tuple[str, ...] = ()
    staged: tuple[StagedRun, ...] = ()


class _Heard(TypedDict):
    """What only the short memory knows of a printer: see `PrinterView`."""

    waits_for: str
    away: str
    host: HostSample | None
    findings: tuple[Finding, ...]
    commands: tuple[str, ...]


# A job tells of so many printers; `why_waiting` tells of all. With a thousand of them the answer to
# each order, and each job in a list, would be a hundred kilobytes.
PRINTERS_TOLD_MAX = 20

# So many runs tell how fast printers are: some of each printer even on a large farm, for 10 ms.
TIMINGS_MAX = 2000
PACES_KEPT_S = 30.0

# To count so many by an index takes a millisecond.
JOBS_COUNTED_MAX = 20_000


async def job_view(farm: Farm, job_id: JobId) -> JobView:
    """Return one job, with what the first `PRINTERS_TOLD_MAX` printers have against it.

    Raises:
        NotFound: there is none.
    """
    async with farm.store.read() as unit:
        job = await the_job(unit, job_id)
        stations, loaded = await _some_stations(unit), await stock.loaded_spools(unit)
        return await _job_view(farm, unit, job, stations, loaded, PRINTERS_TOLD_MAX)


async def jobs_page(
    farm: Farm, wanted: JobsWanted, *, after: JobPlace | None, limit: int
) -> JobsPage:
    """Return a page of jobs, each as `job_view`.

    Args:
        after: behind which place it begins; None for the first page.
    """
    views: list[JobView] = []
    async with farm.store.read() as unit:
        stations, loaded = await _some_stations(unit), await stock.loaded_spools(unit)
        found = await unit.jobs_page(wanted, after=after, limit=limit + 1)
        count = await unit.jobs_count(wanted, limit=JOBS_COUNTED_MAX + 1)
        for job in found[:limit]:
            views.append(await _job_view(farm, unit, job, stations, loaded, PRINTERS_TOLD_MAX))
            await asyncio.sleep(0)  # a thousand are possible: others have their turn
    return JobsPage(
        views=tuple(views),
        next=place_of(found[limit - 1]) if len(found) > limit else None,
        total=count if count <= JOBS_COUNTED_MAX else None,
    )


async def why_waiting(farm: Farm, job_id: JobId) -> tuple[Wait, ...]:
    """Return every reason why a job does not go on, printer by printer, all of them.

    Raises:
        NotFound: there is no such job.
    """
    async with farm.store.read() as unit:
        job = await the_job(unit, job_id)
        return (await _job_view(farm, unit, job, await all_stations(unit), ())).waits


async def job_provenance(farm: Farm, job_id: JobId) -> dict[str, str]:
    """Return where a job's model came from, as its plates say; see `browsing.provenance_of`.

    Raises:
        NotFound: there is no such job.
    """
    async with farm.store.read() as unit:
        return await provenance_of(unit, await the_job(unit, job_id))


async def run_view(farm: Farm, run_id: RunId) -> Run:
    """Return one run.

    Raises:
        NotFound: there is none.
    """
    async with farm.store.read() as unit:
        return await the_run(unit, run_id)


async def last_runs(farm: Farm, printer_id: PrinterId, limit: int) -> list[tuple[Run, Job]]:
    """Return a printer's last runs with their jobs, the newest first.

    Raises:
        NotFound: there is no such printer.
    """
    async with farm.store.read() as unit:
        await the_printer(unit, printer_id)
        runs = await unit.last_runs(printer_id, limit)
        return [(run, await the_job(unit, run.job_id)) for run in runs]


async def printer_view(farm: Farm, printer_id: PrinterId) -> PrinterView:
    """Return one printer.

    Raises:
        NotFound: there is none.
    """
    async with farm.store.read() as unit:
        return await printer_view_in(farm.live, unit, printer_id)


async def printer_view_in(live: Live, unit: Unit, printer_id: PrinterId) -> PrinterView:
    """Return one printer, within a transaction.

    Raises:
        NotFound: there is none.
    """
    printer = await the_printer(unit, printer_id)
    run = await unit.run(printer.run_id) if printer.run_id is not None else None
    return await _printer_view(live, unit, printer, run)


async def printer_views_of(farm: Farm, printer_ids: Collection[PrinterId]) -> list[PrinterView]:
    """Return these printers, as far as they are the farm's."""
    async with farm.store.read() as unit:
        found = [await unit.printer(printer_id) for printer_id in sorted(printer_ids)]
        return [
            await printer_view_in(farm.live, unit, printer.printer_id)
            for printer in found
            if printer is not None and printer.retired_at is None
        ]


def looked_at(live: Live, view: PrinterView) -> PrinterView:
    """Return a printer with what it says of itself by now."""
    printer = view.printer
    return replace(view, sample=live.sample(printer.printer_id), **_heard(live, printer, view.run))


async def printer_views(farm: Farm) -> list[PrinterView]:
    """Return all printers, by id."""
    async with farm.store.read() as unit:
        stations = await all_stations(unit)
        return [await _printer_view(farm.live, unit, *station) for station in stations]


async def all_stations(unit: Unit) -> Stations:
    """Return every printer with the run that holds its lease."""
    live = {run.run_id: run for run in await unit.runs(live=True)}
    return [
        (printer, live.get(printer.run_id) if printer.run_id is not None else None)
        for printer in await unit.printers()
    ]


async def _some_stations(unit: Unit) -> Stations:
    """Return the first printers with their runs, one more than is told of where there are more."""
    return [
        (printer, await unit.run(printer.run_id) if printer.run_id is not None else None)
        for printer in await unit.printers(limit=PRINTERS_TOLD_MAX + 1)
    ]


async def _printer_view(live: Live, unit: Unit, printer: Printer, run: Run | None) -> PrinterView:
    return PrinterView(
        printer=printer,
        status=status_of(printer, run),
        run=run,
        job=await unit.job(run.job_id) if run is not None else None,
        sample=live.sample(printer.printer_id),
        **_heard(live, printer, run),
        staged=tuple(
            [
                StagedRun(each, await the_job(unit, each.job_id))
                for each in await staged_runs(unit, printer)
            ]
        ),
    )


def _heard(live: Live, printer: Printer, run: Run | None) -> _Heard:
    # What was heard last of an agent that is gone says nothing of now.
    return {
        "waits_for": live.waits.get(printer.printer_id, "") if run is not None else "",
        "away": "" if printer.online else _away(live, printer),
        "host": live.hosts.get(printer.agent_id) if printer.online else None,
        "findings": live.findings.get(printer.printer_id, ()) if printer.online else (),
        "commands": live.commands.get(printer.printer_id, ()),
    }


def _away(live: Live, printer: Printer) -> str:
    presence = live.presences.get(printer.agent_id)
    if presence is None:
        return (
            f"Its agent {printer.agent_id} is not connected: "
            "has the machine there power and network, and does the agent run?"
        )
    if any(each.printer_id == printer.printer_id for each in presence.printers):
        return f"Its agent {printer.agent_id} is connected and is being asked about it."
    return (
        f"Its agent {printer.agent_id} is connected, but does not have this printer: "
        f"add it there again, with the id {printer.printer_id}; its history goes on."
    )


async def _job_view(
    farm: Farm,
    unit: Unit,
    job: Job,
    stations: Stations,
    loaded: Sequence[Spool],
    told_max: int | None = None,
) -> JobView:
    """Return one job; of more stations than `told_max` it says that there are more."""
    plates = tuple(await unit.plates(job.job_id))
    made = made_of(plates)
    job_runs = tuple(await unit.runs(job_id=job.job_id))
    count = copies.tally(job, job_runs)
    known = await known_paces(farm, unit)
    waiting = Waiting(
        job=job,
        plates=plates,
        runs=job_runs,
        stations=stations,
        live=farm.live,
        paces=known,
        broker=farm.link.trouble,
        told_max=told_max,
    )
    return JobView(
        job=job,
        late=late(job, farm.clock.now()),
        warnings=await stock.warnings(unit, job, made, loaded),
        plates=made,
        unmade=tuple(_unmade(farm.live, each) for each in plates if each not in made),
        estimates=tuple(known.estimate(each, printer_class=each.printer_class) for each in made),
        demand=demand(made, job.copies, known),
        runs=job_runs,
        copies_finished=count.finished,
        copies_live=count.live,
        preparing=farm.live.preparing(job.job_id),
        waits=tuple(waits(waiting)),
    )


async def known_paces(farm: Farm, unit: Unit) -> Paces:
    """Return what past runs tell; looked up again now and then, for a page asks every second."""
    now_s = farm.clock.monotonic()
    if farm.live.paces is None or now_s >= farm.live.paces_until_s:
        farm.live.paces = paces(await unit.timings(TIMINGS_MAX))
        farm.live.paces_until_s = now_s + PACES_KEPT_S
    return farm.live.paces


def _unmade(live: Live, plate: Plate) -> Unmade:
    slicing = live.slicings.get((plate.job_id, plate.printer_class))
    if slicing is None:
        return Unmade(plate=plate)
    return Unmade(plate=plate, ratio=slicing.ratio, stage=slicing.stage)
