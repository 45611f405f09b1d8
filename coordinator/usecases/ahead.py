"""Leases in advance: permitted as agents report, withdrawn as people wish, lost with a memory.

Every staged run moves its own job and the printer's row: they are loaded afresh, one by one.
"""

from coordinator.domain import leases, staging
from coordinator.domain.printers import Printer
from coordinator.domain.runs import RunState
from coordinator.ports import Unit
from coordinator.usecases.performing import Writing, holding_of, the_printer
from protocols.wire.from_agent import Reported
from protocols.wire.vocabulary import PrinterId


async def permit_staged(transaction: Writing, report: Reported) -> None:
    """Permit what an agent holds in advance and is ready for, in the order of the epochs."""
    unit = transaction.unit
    printer = await the_printer(unit, report.printer_id)
    if not printer.staged or not await _is_in_step(unit, printer, report):
        return
    for run_id in printer.staged:
        holding = await holding_of(unit, await the_printer(unit, report.printer_id), run_id)
        effects = staging.answer(holding, report, transaction.now)
        await transaction.perform(effects)
        if not effects and holding.run is not None and holding.run.state is RunState.LEASED:
            return


async def _is_in_step(unit: Unit, printer: Printer, report: Reported) -> bool:
    """Whether an agent speaks of the very lease whose turn it is here, from the same memory."""
    run = (await holding_of(unit, printer)).run
    return (
        report.agent_id == printer.agent_id
        and report.journal_id == printer.journal_id
        and report.epoch == leases.said_epoch(printer, run)
        and run is not None
        and run.started
    )


async def withdraw_staged(transaction: Writing, printer_id: PrinterId, reason: str) -> None:
    """Want everything back that a printer holds in advance."""
    unit = transaction.unit
    for run_id in reversed((await the_printer(unit, printer_id)).staged):
        holding = await holding_of(unit, await the_printer(unit, printer_id), run_id)
        await transaction.perform(staging.withdraw(holding, transaction.now, reason)[1])


async def lose_staged(transaction: Writing, printer_id: PrinterId, reason: str) -> None:
    """End what a printer holds in advance, for its agent will not speak of it again."""
    unit = transaction.unit
    for run_id in reversed((await the_printer(unit, printer_id)).staged):
        holding = await holding_of(unit, await the_printer(unit, printer_id), run_id)
        await transaction.perform(staging.lose(holding, transaction.now, reason))
