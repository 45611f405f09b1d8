"""Why a job waits, printer by printer: what keeps it from going on, and how long it would take."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from coordinator.domain import copies
from coordinator.domain.estimates import Estimate, Paces
from coordinator.domain.jobs import ENDED, Job, JobState
from coordinator.domain.matching import Obstacle, obstacles, plate_for, unleasable
from coordinator.domain.plates import Plate, PlateState
from coordinator.domain.printers import Printer
from coordinator.domain.runs import Run, RunState
from coordinator.usecases.live import Live
from protocols.wire.vocabulary import PrinterId

# Printers, each with the run that holds its lease.
Stations = Sequence[tuple[Printer, Run | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """One reason why a job does not go on.

    Attributes:
        printer_id: None where it is no printer's.
        estimate: how long a copy would take there; None without a plate for it that tells.
    """

    printer_id: PrinterId | None = None
    code: str
    words: str
    estimate: Estimate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A job, all that it may wait for, and what is known of that.

    Attributes:
        plates: all of the job's, made or not.
        broker: why no agent can be reached; empty where all can.
        told_max: of so many stations is told, and that there are more; None: of all.
    """

    job: Job
    plates: Sequence[Plate]
    runs: Sequence[Run]
    stations: Stations
    live: Live
    paces: Paces
    broker: str = ""
    told_max: int | None = None


def waits(of: Waiting) -> Iterable[Wait]:
    """Yield what a job waits for: its preparation, people, its agents, and printers."""
    job = of.job
    if job.state not in ENDED and of.broker:
        yield Wait(code="broker_unreachable", words=of.broker)
    if job.state is JobState.RECEIVED:
        yield Wait(code="not_prepared", words=job.reason or "it is looked at in a moment")
        return
    if job.state not in ENDED:
        for each in unleasable(job):
            yield Wait(code=each.code, words=each.words)
    staged = {run_id: printer for printer, _ in of.stations for run_id in printer.staged}
    for run in of.runs:
        yield from _run_waits(of.live, job, run, staged.get(run.run_id))
    if copies.tally(job, of.runs).wanted and not unleasable(job):
        yield from _printer_waits(of, of.stations[: of.told_max])
        if of.told_max is not None and len(of.stations) > of.told_max:
            words = "there are more printers than these: ask why it waits, and all of them are told"
            yield Wait(code="more_printers", words=words)


def _run_waits(live: Live, job: Job, run: Run, staged_on: Printer | None) -> Iterable[Wait]:
    if run.state is RunState.LOST and job.state not in ENDED:
        words = f"run {run.run_id} is lost ({run.reason}): a person has to say how it ended"
        yield Wait(printer_id=run.printer_id, code="lost", words=words)
    if not run.live:
        return
    if job.state is JobState.CANCELLING:
        words = "it has to say that it stopped"
        yield Wait(printer_id=run.printer_id, code="stopping", words=words)
    elif staged_on is not None:
        before = staged_on.staged.index(run.run_id) + 1
        may = "may start" if run.state is RunState.PERMITTED else "is to be permitted to start"
        words = f"it is staged there behind {before} and {may} by itself after them"
        yield Wait(printer_id=run.printer_id, code="staged", words=words)
    elif not run.started:
        words = live.waits.get(run.printer_id) or "its agent gets ready"
        yield Wait(printer_id=run.printer_id, code="leased", words=words)


def _printer_waits(of: Waiting, stations: Stations) -> Iterable[Wait]:
    if not stations:
        yield Wait(code="no_printers", words="there is no printer in the farm")
    only, whole = of.job.printer_id, of.told_max is None or len(of.stations) <= of.told_max
    if only is not None and whole and all(each.printer_id != only for each, _ in of.stations):
        yield Wait(code="printer_gone", words=f"it is for {only} only, which the farm has not")
    for printer, run in stations:
        estimate = _estimate(of, printer)
        found = [(each.code, each.words) for each in _against(of, printer, run)]
        free = "it is free, and taken by this job or one before it in a moment"
        for code, words in found or [("free", free)]:
            yield Wait(printer_id=printer.printer_id, code=code, words=words, estimate=estimate)


def _against(of: Waiting, printer: Printer, run: Run | None) -> Iterable[Obstacle]:
    draining = printer.agent_id in of.live.draining
    for obstacle in obstacles(of.job, of.plates, printer, run, draining=draining):
        slicing = of.live.slicings.get((of.job.job_id, printer.printer_class))
        if obstacle.code == "slicing" and slicing is not None:
            yield Obstacle(obstacle.code, f"{obstacle.words}: {slicing.ratio:.0%}")
        else:
            yield obstacle


def _estimate(of: Waiting, printer: Printer) -> Estimate | None:
    plate = plate_for(of.plates, printer)
    if plate is None or plate.state is not PlateState.MADE:
        return None
    return of.paces.estimate(
        plate, printer_class=printer.printer_class, printer_id=printer.printer_id
    )
