"""What people tell the farm, by API or command: `actor` is who, `origin` their request."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from coordinator.domain import controls, staging
from coordinator.domain.controls import JobChanges, Outcome
from coordinator.domain.effects import Effects
from coordinator.domain.jobs import Job
from coordinator.domain.printers import Printer
from coordinator.domain.runs import Run
from coordinator.errors import Refused
from coordinator.usecases.ahead import withdraw_staged
from coordinator.usecases.farm import Farm
from coordinator.usecases.performing import (
    Writing,
    holding_of,
    the_job,
    the_printer,
    the_run,
    writing,
)
from coordinator.usecases.tracing import traced
from protocols.wire.vocabulary import JobId, PrinterId, RunId

_Control = Callable[
    [Job, Sequence[Run], Mapping[PrinterId, Printer], datetime], tuple[Job, Effects]
]


@traced
async def cancel_job(
    farm: Farm, job_id: JobId, actor: str, origin: str = "", *, only_of: str | None = None
) -> Job:
    """Cancel a job; what prints or is sliced is stopped, and it is cancelled once the prints have.

    Args:
        only_of: whose it must be, as in all of these verbs; None for anybody's.

    Raises:
        NotFound, NotNow, NotPermitted: as `controls.cancel`.
    """
    job = await _control(farm, job_id, actor, origin, controls.cancel, only_of)
    farm.live.give_up_slicing(job_id)
    return job


@traced
async def pause_job(
    farm: Farm, job_id: JobId, actor: str, origin: str = "", *, only_of: str | None = None
) -> Job:
    """Hold a job, and pause what prints.

    Raises:
        NotFound, NotNow, NotPermitted: as `controls.pause`.
    """
    return await _control(farm, job_id, actor, origin, controls.pause, only_of)


@traced
async def resume_job(
    farm: Farm, job_id: JobId, actor: str, origin: str = "", *, only_of: str | None = None
) -> Job:
    """Let a held job go on.

    Raises:
        NotFound, NotNow, NotPermitted: as `controls.resume`.
    """
    return await _control(farm, job_id, actor, origin, controls.resume, only_of)


@traced
async def approve_job(farm: Farm, job_id: JobId, actor: str, origin: str = "") -> Job:
    """Let a job that waits for it be printed.

    Raises:
        NotFound, NotNow: as `controls.approve`.
    """
    async with writing(farm, actor, origin) as transaction:
        job, effects = controls.approve(await the_job(transaction.unit, job_id), transaction.now)
        await transaction.perform(effects)
    return job


@traced
async def reorder_job(
    farm: Farm,
    job_id: JobId,
    wanted: JobChanges,
    actor: str,
    origin: str = "",
    *,
    only_of: str | None = None,
) -> Job:
    """Give a job another name, priority, due date or number of copies.

    Raises:
        NotFound, NotNow, NotPermitted: as `controls.reorder`.
        Refused: `copies_out_of_range`.
    """
    if not 1 <= wanted.get("copies", 1) <= farm.policy.copies_max:
        raise Refused("copies_out_of_range", f"copies must be 1 to {farm.policy.copies_max}")
    async with writing(farm, actor, origin) as transaction:
        job = await the_job(transaction.unit, job_id)
        controls.check_steers(job, only_of)
        job_runs = await transaction.unit.runs(job_id=job_id)
        job, effects = controls.reorder(job, job_runs, wanted, transaction.now)
        await transaction.perform(effects)
    return job


async def _control(
    farm: Farm, job_id: JobId, actor: str, origin: str, control: _Control, only_of: str | None
) -> Job:
    async with writing(farm, actor, origin) as transaction:
        unit = transaction.unit
        job = await the_job(unit, job_id)
        controls.check_steers(job, only_of)
        job_runs = await unit.runs(job_id=job_id)
        printers = {
            run.printer_id: await the_printer(unit, run.printer_id) for run in job_runs if run.live
        }
        job, effects = control(job, job_runs, printers, transaction.now)
        await transaction.perform(effects)
    return job


@traced
async def clear_printer(farm: Farm, printer_id: PrinterId, actor: str, origin: str = "") -> Printer:
    """Take a person's word that a bed is clear; the printer need not be there.

    Raises:
        NotFound, NotNow: as `controls.clear`.
    """
    async with writing(farm, actor, origin) as transaction:
        printer = await the_printer(transaction.unit, printer_id)
        holding = await holding_of(transaction.unit, printer)
        printer, effects = controls.clear(printer, holding.run, transaction.now, by=actor)
        await transaction.perform(effects)
    return printer


@traced
async def settle_run(farm: Farm, run_id: RunId, outcome: str, actor: str, origin: str = "") -> Run:
    """Take a person's word on how a lost run ended: `finished`, `failed` or `reprint`.

    Raises:
        Refused: no such outcome.
        NotFound, NotNow: as `controls.settle`.
    """
    try:
        settled = Outcome(outcome)
    except ValueError as error:
        known = ", ".join(Outcome)
        raise Refused("unknown_outcome", f"outcome must be one of {known}") from error
    async with writing(farm, actor, origin) as transaction:
        unit = transaction.unit
        run = await the_run(unit, run_id)
        holding = await holding_of(unit, await the_printer(unit, run.printer_id), run_id)
        await transaction.perform(controls.settle(holding, settled, transaction.now, by=actor))
        if settled is not Outcome.FINISHED:
            await _settle_what_never_followed(transaction, run, actor)
        return await the_run(unit, run_id)


async def _settle_what_never_followed(transaction: Writing, run: Run, actor: str) -> None:
    """Have those printed again that were to follow a run that did not finish, and were lost too."""
    unit = transaction.unit
    for behind in staging.never_followed(run, await unit.runs(printer_id=run.printer_id)):
        printer = await the_printer(unit, behind.printer_id)
        holding = await holding_of(unit, printer, behind.run_id)
        effects = controls.settle(holding, Outcome.REPRINT, transaction.now, by=actor)
        await transaction.perform(effects)


@traced
async def set_service(
    farm: Farm, printer_id: PrinterId, in_service: bool, actor: str, origin: str = ""
) -> Printer:
    """Take a printer out of the farm's hands, or give it back, which ends a quarantine.

    Raises:
        NotFound: there is no such printer.
    """
    async with writing(farm, actor, origin) as transaction:
        if in_service:
            await withdraw_staged(transaction, printer_id, "printer in service")
        printer = await the_printer(transaction.unit, printer_id)
        holding = await holding_of(transaction.unit, printer)
        printer, effects = controls.set_service(holding, transaction.now, in_service=in_service)
        await transaction.perform(effects)
    return printer
