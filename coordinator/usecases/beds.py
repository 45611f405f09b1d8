"""What people say of beds, and what becomes of it when they say no more."""

from datetime import timedelta

from coordinator.domain import controls
from coordinator.domain.printers import BedState, Printer
from coordinator.ports import Unit
from coordinator.usecases.farm import Farm
from coordinator.usecases.performing import holding_of, the_printer, writing
from protocols.wire.vocabulary import PrinterId


async def claim_bed(farm: Farm, printer_id: PrinterId, actor: str, origin: str = "") -> Printer:
    """Take a person's word that they are about to clear a bed: nothing starts there meanwhile.

    Raises:
        NotFound, NotNow: as `controls.claim`.
    """
    async with writing(farm, actor, origin) as transaction:
        printer = await the_printer(transaction.unit, printer_id)
        holding = await holding_of(transaction.unit, printer)
        printer, effects = controls.claim(printer, holding.run, transaction.now, by=actor)
        await transaction.perform(effects)
    return printer


async def abandon_bed(farm: Farm, printer_id: PrinterId, actor: str, origin: str = "") -> Printer:
    """Take a person's word that they did not clear a bed after all.

    Raises:
        NotFound, NotNow: as `controls.abandon`.
    """
    async with writing(farm, actor, origin) as transaction:
        printer = await the_printer(transaction.unit, printer_id)
        printer, effects = controls.abandon(printer, transaction.now, by=actor)
        await transaction.perform(effects)
    return printer


async def end_stale_claims(farm: Farm) -> None:
    """Count beds as occupied again that somebody wanted to clear, and did not within the hour."""
    async with farm.store.read() as unit:
        if not await _stale_claims(farm, unit):
            return
    async with writing(farm, "farm", "dispatch") as transaction:
        for printer in await _stale_claims(farm, transaction.unit):
            cause = f"{printer.bed.changed_by} did not say how it went"
            _, effects = controls.abandon(printer, transaction.now, by="farm", cause=cause)
            await transaction.perform(effects)


async def _stale_claims(farm: Farm, unit: Unit) -> list[Printer]:
    patience = timedelta(seconds=farm.policy.clearing_patience_s)
    latest = farm.clock.now() - patience
    return [
        printer
        for printer in await unit.printers(bed=BedState.CLEARING)
        if printer.bed.changed_at is None or printer.bed.changed_at < latest
    ]
