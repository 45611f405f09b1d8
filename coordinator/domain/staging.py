"""Leases handed over in advance: given, permitted, withdrawn; and what follows of a broken chain.

Theory. A printer that empties its bed by itself gets its next leases while a run still prints on
it. Each is a lease like any other, with an epoch of its own, and is permitted in advance for a
nonce that its agent made for it. Permits go out in the order of the epochs. From then on the run
may start unheard, after the run before it has FINISHED; so it is given up only on its agent's word,
however long that takes. When the run before it has ended, it is its turn, and all is as ever.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from coordinator.domain import leases
from coordinator.domain.effects import Effects, RaiseEpoch, Save, Say
from coordinator.domain.jobs import Job
from coordinator.domain.leases import Holding
from coordinator.domain.matching import Obstacle
from coordinator.domain.plates import Plate
from coordinator.domain.printers import Printer, say
from coordinator.domain.runs import Run, RunChange, RunState, note
from protocols.wire.from_agent import Reported
from protocols.wire.vocabulary import (
    BedPolicy,
    Epoch,
    Mode,
    PrinterState,
    RunId,
    RunPhase,
    is_of_another_boot,
)


def unstageable(
    printer: Printer, run: Run | None, staged: Sequence[Run], leases_ahead: int
) -> tuple[Obstacle, ...]:
    """Return why no lease can be handed over in advance now, whatever the job.

    Args:
        run: the one whose turn it is.
        staged: those that follow it.
        leases_ahead: how many may.
    """
    found: list[Obstacle] = []
    if printer.bed_policy is not BedPolicy.SELF_CLEARING:
        found.append(Obstacle("attended", "a person empties its bed"))
    if not printer.online or printer.seen not in (PrinterState.PRINTING, PrinterState.PAUSED):
        found.append(Obstacle("not_seen_printing", "nobody sees it print"))
    if printer.quarantine or printer.in_service or printer.foreign:
        found.append(Obstacle("not_ours", "it is not in the farm's hands"))
    if run is None or not run.started or run.mode is Mode.STOP:
        found.append(Obstacle("nothing_prints", "nothing prints there that another could follow"))
    if any(each.mode is Mode.STOP for each in staged):
        found.append(Obstacle("withdrawing", "it gives up what it was handed over"))
    if len(staged) >= leases_ahead:
        found.append(Obstacle("staged_full", f"it has its {len(staged)} in advance"))
    return tuple(found)


def stage(
    printer: Printer, job: Job, plate: Plate, *, run_id: RunId, now: datetime
) -> tuple[Printer, Run, Effects]:
    """Hand a lease over in advance. The job is moved by `copies.follow`."""
    epoch = Epoch(printer.epoch + 1)
    staged = replace(printer, epoch=epoch, staged=(*printer.staged, run_id))
    said, effects = say(staged)
    run = Run(
        run_id=run_id,
        job_id=job.job_id,
        printer_id=printer.printer_id,
        agent_id=printer.agent_id,
        epoch=epoch,
        plate_sha256=plate.sha256,
        copies=plate.copies,
        leased_at=now,
    )
    raised = RaiseEpoch(printer.printer_id, printer.epoch)
    return said, run, (raised, *effects, Save(run), note(run, "in advance"))


def answer(holding: Holding, report: Reported, now: datetime) -> Effects:
    """Return what follows from a report for one staged run; all before it are permitted.

    Args:
        holding: the printer, the staged run and its job.
    """
    run, printer = holding.run, holding.printer
    assert run is not None, "a staged run is there"
    said = next((each for each in report.staged if each.run_id == run.run_id), None)
    if said is None or said.nonce is None or said.epoch != run.epoch:
        return ()
    if run.state is RunState.PERMITTED:
        is_missed = said.nonce == run.nonce and not said.permitted and run.mode is Mode.RUN
        return (Say(printer.printer_id),) if is_missed else ()
    if run.state is not RunState.LEASED or said.phase is not RunPhase.READY:
        return ()
    if is_of_another_boot(said.nonce, report.boot_id) or not leases.may_go_ahead(holding):
        return ()
    if printer.bed_policy is not BedPolicy.SELF_CLEARING:
        return ()
    if report.events_stored < printer.events_applied:
        return ()  # a copy, or an old card
    return leases.move(holding, RunChange.PERMIT, now, nonce=said.nonce)[1]


def withdraw(holding: Holding, now: datetime, reason: str) -> tuple[Holding, Effects]:
    """Want a staged run back: at once where it was never permitted, else by its agent's word."""
    run = holding.run
    assert run is not None, "there is a run to be withdrawn"
    if run.state is RunState.LEASED:
        return leases.move(holding, RunChange.REVOKE, now, reason=reason)
    return leases.set_mode(holding, Mode.STOP)


def lose(holding: Holding, now: datetime, reason: str) -> Effects:
    """End a staged run whose agent will never speak of it again: a new memory, an old database."""
    run = holding.run
    assert run is not None, "there is a run to be lost"
    change = RunChange.REVOKE if run.state is RunState.LEASED else RunChange.LOSE
    return leases.move(holding, change, now, reason=reason)[1]


def never_followed(lost: Run, others: Iterable[Run]) -> list[Run]:
    """Return the lost runs that can't have started, because the one before them did not finish.

    They were handed over behind it: their epochs follow its own without a gap, which a lease that
    was closed in between would have left.

    Args:
        lost: a run that a person says did not finish.
        others: the runs of its printer.
    """
    by_epoch = {run.epoch: run for run in others}
    found: list[Run] = []
    epoch = Epoch(lost.epoch + 1)
    while (run := by_epoch.get(epoch)) is not None:
        if run.state is RunState.LOST and run.started_at is None:
            found.append(run)
        epoch = Epoch(epoch + 1)
    return found
