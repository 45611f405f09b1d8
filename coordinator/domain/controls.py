"""What people tell the farm: cancel, pause, resume, clear, settle, take out of service."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import TypedDict

from coordinator.domain import copies, jobs, leases, printers, staging
from coordinator.domain.effects import Effects, Note, Poke, Save, Work
from coordinator.domain.jobs import Job, JobEvent, JobState
from coordinator.domain.leases import Holding, live_of
from coordinator.domain.printers import BedState, Printer
from coordinator.domain.runs import Run, RunChange, RunState
from coordinator.errors import NotNow, NotPermitted
from protocols.wire.vocabulary import BedPolicy, Mode, PrinterId


class Outcome(StrEnum):
    """How a lost run ended, by what a person saw."""

    FINISHED = "finished"
    FAILED = "failed"
    REPRINT = "reprint"


_SETTLES = {
    Outcome.FINISHED: RunChange.FINISH,
    Outcome.FAILED: RunChange.DECLARE_FAILED,
    Outcome.REPRINT: RunChange.DISCARD,
}


def cancel(
    job: Job, job_runs: Sequence[Run], farm: Mapping[PrinterId, Printer], now: datetime
) -> tuple[Job, Effects]:
    """Cancel a job: what was not permitted is revoked at once, the rest is told to stop.

    Args:
        farm: the printers of its live runs.

    Raises:
        NotNow: it has ended.
    """
    if job.state in jobs.ENDED:
        raise NotNow("job_ended", f"job {job.job_id} is {job.state} already")
    if job.state is JobState.CANCELLING:
        return job, ()
    job, effects = jobs.advance(job, JobEvent.CANCEL, now)
    job, runs, told = _tell(job, job_runs, farm, Mode.STOP, now)
    job, followed = copies.follow(job, runs, now)
    return job, (*effects, *told, *followed)


def pause(
    job: Job, job_runs: Sequence[Run], farm: Mapping[PrinterId, Printer], now: datetime
) -> tuple[Job, Effects]:
    """Hold a job: nothing new is leased, what prints is paused, what did not start is given back.

    Raises:
        NotNow: it has ended or is ending, or it prints where nothing can be paused.
    """
    if job.state in jobs.ENDED or job.state in (JobState.CANCELLING, JobState.LOST):
        raise NotNow("job_not_pausable", f"job {job.job_id} is {job.state}: nothing to pause")
    for run in live_of(job_runs):
        if run.state is not RunState.LEASED and not farm[run.printer_id].can_pause:
            name = farm[run.printer_id].name
            raise NotNow("printer_cannot_pause", f"{name} can't pause a print; cancel the job")
    if job.held:
        return job, ()
    job = jobs.changed(job, now, held=True)
    effects: Effects = (Save(job), _job_note(job, "job.paused"))
    job, _, told = _tell(job, job_runs, farm, Mode.PAUSE, now)
    return job, (*effects, *told)


def resume(
    job: Job, job_runs: Sequence[Run], farm: Mapping[PrinterId, Printer], now: datetime
) -> tuple[Job, Effects]:
    """Let a held job go on.

    Raises:
        NotNow: it is not held.
    """
    if not job.held or job.state in jobs.ENDED:
        raise NotNow("job_not_paused", f"job {job.job_id} is not paused")
    job = jobs.changed(job, now, held=False)
    effects: Effects = (Save(job), _job_note(job, "job.resumed"))
    job, _, told = _tell(job, job_runs, farm, Mode.RUN, now)
    return job, (*effects, *told, Poke(Work.DISPATCH))


def approve(job: Job, now: datetime) -> tuple[Job, Effects]:
    """Let a job that waits for it be printed.

    Raises:
        NotNow: it does not wait for that.
    """
    if job.approved or job.state in jobs.ENDED:
        raise NotNow("job_not_waiting", f"job {job.job_id} does not wait to be approved")
    job = jobs.changed(job, now, approved=True)
    return job, (Save(job), _job_note(job, "job.approved"), Poke(Work.DISPATCH))


class JobChanges(TypedDict, total=False):
    """What of a job's order may change while it waits or prints; what is not there stays."""

    name: str
    priority: int
    due_at: datetime | None
    copies: int


def reorder(
    job: Job, job_runs: Sequence[Run], wanted: JobChanges, now: datetime
) -> tuple[Job, Effects]:
    """Give a job another name, priority, due date or number of copies; what prints goes on.

    With fewer copies than it has no more to print it is finished, once nothing of it prints.

    A new priority or due date says its place in the queue anew, wherever it was moved before.

    Raises:
        NotNow: it has ended, or more copies than that are made or being made.
    """
    if job.state in jobs.ENDED:
        raise NotNow("job_ended", f"job {job.job_id} is {job.state} already")
    begun = copies.begun(job_runs)
    if "copies" in wanted and wanted["copies"] < begun:
        raise NotNow("copies_begun", f"{begun} copies of {job.job_id} are made or being made")
    if "priority" in wanted or "due_at" in wanted:
        job = replace(job, place_at=None, place_due_at=None)
    job = replace(jobs.changed(job, now), **wanted)
    job, followed = copies.follow(job, job_runs, now)
    note = _job_note(job, "job.reordered")
    return job, (Save(job), note, *followed, Poke(Work.DISPATCH))


def check_steers(job: Job, only_of: str | None) -> None:
    """Refuse who steers a job of somebody else and may not.

    Args:
        only_of: whose jobs they may steer, None for everybody's.

    Raises:
        NotPermitted: `not_your_job`.
    """
    if only_of is not None and job.owner != only_of:
        raise NotPermitted("not_your_job", f"job {job.job_id} is not yours: ask an operator")


def _tell(
    job: Job,
    job_runs: Sequence[Run],
    farm: Mapping[PrinterId, Printer],
    mode: Mode,
    now: datetime,
) -> tuple[Job, Sequence[Run], Effects]:
    """Give every live run of a job a mode; one that was never permitted is revoked instead."""
    effects: Effects = ()
    told, runs, now_farm = job, tuple(job_runs), dict(farm)
    for run in sorted(live_of(job_runs), key=lambda run: -run.epoch):  # those staged come first
        printer = now_farm[run.printer_id]
        holding = Holding(printer=printer, run=run, job=told, job_runs=runs)
        staged = run.run_id in printer.staged
        reason = f"its job is {'paused' if mode is Mode.PAUSE else 'cancelled'}"
        if staged and mode is not Mode.RUN:
            holding, more = staging.withdraw(holding, now, reason)
        elif run.state is RunState.LEASED and mode is not Mode.RUN:
            holding, more = leases.move(holding, RunChange.REVOKE, now, reason=reason)
        else:
            holding, more = leases.set_mode(holding, mode)
        now_farm[run.printer_id] = holding.printer
        told, runs = holding.job or told, holding.job_runs
        effects += more
    return told, runs, effects


def clear(printer: Printer, run: Run | None, now: datetime, *, by: str) -> tuple[Printer, Effects]:
    """Declare a bed clear. The printer need not be there: the agent hears of it later.

    Raises:
        NotNow: a run is on it, something prints, or its agent never said a word.
    """
    _must_be_free(printer, run)
    if printer.foreign:
        raise NotNow("foreign_print", f"{printer.name} prints what no agent started")
    if printer.journal_id is None:
        raise NotNow("never_seen", f"{printer.name} was never connected")
    if printer.bed.state is BedState.CLEAR:
        return printer, ()
    printer = printers.cleared(printer, now, by=by)
    printer, effects = printers.say(printer)
    return printer, (*effects, _bed_note(printer), Poke(Work.DISPATCH))


def _must_be_free(printer: Printer, run: Run | None) -> None:
    """Refuse to speak of a bed on which a run may print.

    A run that was permitted in advance may wait for a bed that its printer could not clear by
    itself; what is said of that bed does not cover what comes onto it when the run starts.
    """
    if run is None or not run.live:
        return
    if printer.bed_policy is BedPolicy.SELF_CLEARING and not run.started:
        return
    raise NotNow("run_live", f"{printer.name} holds {run.run_id}: its bed is not clear")


def claim(printer: Printer, run: Run | None, now: datetime, *, by: str) -> tuple[Printer, Effects]:
    """Say that somebody is at the bed: nothing starts there until they say that it is clear.

    Raises:
        NotNow: as `clear`, or the printer may start a run by itself.
    """
    if run is not None and run.live:
        raise NotNow("run_live", f"{printer.name} holds {run.run_id}: it may start or go on")
    if printer.foreign:
        raise NotNow("foreign_print", f"{printer.name} prints what no agent started")
    claimed = printers.claimed(printer, now, by=by)
    return claimed, (Save(claimed), _bed_note(claimed))


def abandon(
    printer: Printer, now: datetime, *, by: str, cause: str = ""
) -> tuple[Printer, Effects]:
    """Say that a bed was not cleared after all.

    Raises:
        NotNow: nobody said that they were at it.
    """
    if printer.bed.state is not BedState.CLEARING:
        raise NotNow("not_clearing", f"nobody is clearing {printer.name}: {printer.bed.state}")
    abandoned = printers.abandoned(printer, now, by=by)
    return abandoned, (Save(abandoned), _bed_note(abandoned, cause))


def _bed_note(printer: Printer, cause: str = "") -> Note:
    return Note(
        subject="printer",
        subject_id=printer.printer_id,
        name=f"bed.{printer.bed.state}",
        cause=cause,
        facts={"occupation": printer.bed.occupation},
    )


def settle(holding: Holding, outcome: Outcome, now: datetime, *, by: str) -> Effects:
    """Say how a lost run ended.

    Raises:
        NotNow: it is not lost.
    """
    run = holding.run
    assert run is not None, "there is a run to settle"
    if run.state is not RunState.LOST:
        raise NotNow("run_not_lost", f"run {run.run_id} is {run.state}: nothing to settle")
    reason = f"settled as {outcome} by {by}"
    return leases.move(holding, _SETTLES[outcome], now, reason=reason)[1]


def set_service(holding: Holding, now: datetime, *, in_service: bool) -> tuple[Printer, Effects]:
    """Take a printer out of the farm's hands, or give it back.

    What prints goes on; a lease that was not permitted is revoked. Giving it back is also a
    person's word that a quarantined printer is sound again.
    """
    printer = replace(
        holding.printer,
        in_service=in_service,
        quarantine=holding.printer.quarantine if in_service else "",
    )
    if printer == holding.printer:
        return printer, ()
    name = "printer.out_of_service" if not in_service else "printer.in_service"
    note = Note(subject="printer", subject_id=printer.printer_id, name=name)
    effects: Effects = (Save(printer), note, Poke(Work.DISPATCH))
    run = holding.run
    if in_service and run is not None and run.state is RunState.LEASED:
        holding = replace(holding, printer=printer)
        holding, more = leases.move(holding, RunChange.REVOKE, now, reason="printer in service")
        return holding.printer, (*effects, *more)
    return printer, effects


def _job_note(job: Job, name: str) -> Note:
    return Note(subject="job", subject_id=job.job_id, name=name)
