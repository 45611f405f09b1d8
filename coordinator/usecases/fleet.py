"""What printers are to people: groups, tags, places, notes, and what they hold."""

from dataclasses import replace
from typing import TypedDict

from coordinator.domain.effects import Note, Poke, Save, Work
from coordinator.domain.printers import Printer
from coordinator.domain.tags import tags_of
from coordinator.errors import NotNow
from coordinator.usecases.farm import Farm
from coordinator.usecases.performing import the_printer, writing
from protocols.wire.vocabulary import PrinterId


class PrinterChanges(TypedDict, total=False):
    """What people say of a printer; what is not there stays."""

    printer_group: str
    tags: list[str]
    location: str
    notes: str
    material: str


async def change_printer(
    farm: Farm, printer_id: PrinterId, wanted: PrinterChanges, actor: str, origin: str = ""
) -> Printer:
    """Change what people say of a printer; its next print heeds it.

    Raises:
        NotFound: there is no such printer.
        NotNow: `spool_loaded`: what it holds is what is on its spool.
        Refused: there are too many tags.
    """
    said = {name: value for name, value in wanted.items() if name != "tags"}
    async with writing(farm, actor, origin) as transaction:
        known = await the_printer(transaction.unit, printer_id)
        if known.spool_id and wanted.get("material", known.material) != known.material:
            raise NotNow("spool_loaded", f"it draws from {known.spool_id}: unload that first")
        tags = tags_of(wanted["tags"]) if "tags" in wanted else known.tags
        printer = replace(known, tags=tags, **said)  # type: ignore[arg-type]
        note = Note(subject="printer", subject_id=printer_id, name="printer.described")
        effects = (Save(printer), note, Poke(Work.PREPARE), Poke(Work.DISPATCH))
        await transaction.perform(effects if printer != known else ())
    return printer
