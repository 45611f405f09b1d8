"""Leases: granted, permitted, ended; and what each entails for printer and job.

Theory. A lease is the right to start one run on one printer, numbered by the printer's epoch. The
epoch is raised in the database before anything is said; it is raised again when the lease ends, so
that no document about an ended run is ever obeyed, whoever repeats it.

An agent that is ready to start says so with a fresh nonce, and may start only with a permit for
exactly that nonce. So a run that was never permitted can be revoked at once. A permitted run may
have started unheard. It is given up only on its agent's word, or on proof: a new nonce from a
memory that also holds the permitted one. Whoever wrote the new nonce can't use the old any more and
did not start; then the new one may be permitted, or the run revoked. A nonce without that proof
comes from another memory under the same name, a clone: then nobody may start there.

Only the process that was permitted can say for certain that it did not start: a word from another
one ("released", "failed before it began") makes the run LOST. The exception is a staged run whose
predecessor goes on: an agent gives those up only after it has seen that predecessor on its printer.

A copied card holds the proof as well, so proof counts only within the process that was permitted.
Where another process is ready for a permitted run, its agent died between permit and start, or
lives on elsewhere and prints: nobody can say, and the run is LOST.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from coordinator.domain import copies, runs
from coordinator.domain.effects import Effects, Note, RaiseEpoch, Save
from coordinator.domain.jobs import OPEN, Job
from coordinator.domain.plates import Plate
from coordinator.domain.printers import BedState, Printer, say
from coordinator.domain.runs import Run, RunChange, RunState
from protocols.wire.from_agent import RunReport
from protocols.wire.vocabulary import BedPolicy, Epoch, Mode, Nonce, RunId, is_of_another_boot


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A printer, a run on it, that run's job and all of the job's runs.

    Most decisions look at these together, for a change of one moves the others.
    """

    printer: Printer
    run: Run | None = None
    job: Job | None = None
    job_runs: tuple[Run, ...] = ()


def grant(
    printer: Printer, job: Job, plate: Plate, *, run_id: RunId, now: datetime
) -> tuple[Printer, Run, Effects]:
    """Lease a printer: a new run under the next epoch. The job is moved by `copies.follow`."""
    raised, effects = _raise(printer, run_id)
    run = Run(
        run_id=run_id,
        job_id=job.job_id,
        printer_id=printer.printer_id,
        agent_id=printer.agent_id,
        epoch=raised.epoch,
        plate_sha256=plate.sha256,
        copies=plate.copies,
        leased_at=now,
    )
    return raised, run, (*effects, Save(run), runs.note(run))


def said_epoch(printer: Printer, run: Run | None) -> Epoch:
    """Return the epoch of the printer's document: that of the run whose turn it is, if any.

    The epochs of what is staged lie above it, up to `printer.epoch`.
    """
    return run.epoch if run is not None and run.live else printer.epoch


def close(printer: Printer) -> tuple[Printer, Effects]:
    """End the printer's lease, if any: it is the next staged run's turn, or nothing is wanted.

    A staged run has an epoch above that of the lease that ends, which fences that one off.
    """
    if printer.staged:
        return say(replace(printer, run_id=printer.staged[0], staged=printer.staged[1:]))
    return _raise(printer, None)


def _raise(printer: Printer, run_id: RunId | None) -> tuple[Printer, Effects]:
    """Return the printer under its next epoch, raised in the store and then said."""
    raised = replace(printer, epoch=Epoch(printer.epoch + 1), run_id=run_id)
    said, effects = say(raised)
    return said, (RaiseEpoch(printer.printer_id, printer.epoch), *effects)


def move(
    holding: Holding,
    change: RunChange,
    now: datetime,
    *,
    at: datetime | None = None,
    reason: str = "",
    nonce: Nonce | None = None,
) -> tuple[Holding, Effects]:
    """Change a run with all it entails: a lease that ends is closed, and the job follows.

    Args:
        at: when it happened, where that is not now.

    Raises:
        IllegalTransition: the run can't change so; nothing changes.
    """
    run, printer, job = holding.run, holding.printer, holding.job
    assert run is not None, "there is a run to be changed"
    moved, effects = runs.advance(run, change, at or now, reason=reason, nonce=nonce)
    if not moved.live and printer.run_id == moved.run_id:
        printer, more = close(printer)
        more += _needs_clearing(printer, moved)
    else:
        if not moved.live and moved.run_id in printer.staged:
            kept = tuple(each for each in printer.staged if each != moved.run_id)
            printer = replace(printer, staged=kept)
        printer, more = say(printer)
    effects += more
    job_runs = tuple(copies.with_run(holding.job_runs, moved))
    if job is not None:
        job, more = copies.follow(job, job_runs, now)
        effects += more
    return Holding(printer=printer, run=moved, job=job, job_runs=job_runs), effects


def _needs_clearing(printer: Printer, ended: Run) -> Effects:
    """Tell that a person has to clear the bed, where the run that ended left something on it."""
    if printer.bed_policy is not BedPolicy.ATTENDED or printer.bed.state is BedState.CLEAR:
        return ()
    note = Note(
        subject="printer",
        subject_id=printer.printer_id,
        name="printer.needs_clearing",
        cause=f"{ended.run_id} {ended.state}",
        facts={"run_id": ended.run_id},
    )
    return (note,)


def set_mode(holding: Holding, mode: Mode) -> tuple[Holding, Effects]:
    """Want something else of a run that may have started; a run told to stop stays so."""
    run = holding.run
    assert run is not None, "there is a run to be told"
    if run.mode in (mode, Mode.STOP):
        return holding, ()
    told = replace(run, mode=mode)
    printer, effects = say(holding.printer)
    job_runs = tuple(copies.with_run(holding.job_runs, told))
    return replace(holding, printer=printer, run=told, job_runs=job_runs), (Save(told), *effects)


def expired(printer: Printer, run: Run, *, offline_s: float, patience_s: float) -> bool:
    """Whether a lease should go elsewhere: never permitted, and its agent is long gone."""
    return run.state is RunState.LEASED and not printer.online and offline_s > patience_s


def is_permitted_elsewhere(run: Run, boot_id: str) -> bool:
    """Whether a run was permitted to a process that is not this one, and may have started there."""
    permitted = run.state is RunState.PERMITTED and run.nonce is not None
    return permitted and is_of_another_boot(run.nonce or Nonce(""), boot_id)


class Answer(StrEnum):
    """What an agent gets that says it is ready to start."""

    PERMIT = "permit"
    REVOKE = "revoke"
    REPEAT = "repeat"  # it asks with the nonce that was permitted: the permit may be lost
    NOTHING = "nothing"  # nobody can use an answer: an old message, or an old nonce
    CLONE = "clone"


def answer(holding: Holding, report: RunReport, boot_id: str) -> Answer:
    """Answer an agent that is READY with a nonce, for the run that holds its printer's lease.

    Args:
        boot_id: the process that says so.
    """
    run, nonce = holding.run, report.nonce
    assert run is not None, "the printer holds a lease"
    assert nonce is not None, "who is ready says a nonce"
    wanted = _wanted(holding)
    if run.state is RunState.LEASED:
        if is_of_another_boot(nonce, boot_id):
            return Answer.NOTHING  # of the process before: this one says its own in a moment
        return Answer.PERMIT if wanted else Answer.REVOKE
    if nonce == run.nonce:
        return Answer.REPEAT if run.state is RunState.PERMITTED else Answer.NOTHING
    if run.state is RunState.PERMITTED and run.nonce in report.nonces_before:
        return Answer.PERMIT if wanted else Answer.REVOKE
    return Answer.CLONE


def _wanted(holding: Holding) -> bool:
    """Whether the run may start now."""
    return may_go_ahead(holding) and holding.printer.bed.state is BedState.CLEAR


def may_go_ahead(holding: Holding) -> bool:
    """Whether nothing but the bed is against a start of the run."""
    printer, run, job = holding.printer, holding.run, holding.job
    return (
        run is not None
        and run.mode is Mode.RUN
        and job is not None
        and job.state in OPEN
        and not job.held
        and not (printer.quarantine or printer.in_service or printer.foreign)
    )


def is_hearsay(printer: Printer, run: Run, boot_id: str) -> bool:
    """Whether a process can't know for certain that a run never started.

    Args:
        boot_id: the process that says so, empty where an older agent does not tell.
    """
    if run.state is not RunState.PERMITTED or run.nonce is None or not boot_id:
        return False
    return is_of_another_boot(run.nonce, boot_id) and run.run_id not in printer.staged


def live_of(job_runs: Iterable[Run]) -> list[Run]:
    """Return the runs that have not ended."""
    return [run for run in job_runs if run.live]
