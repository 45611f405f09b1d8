"""Spools are brought, weighed, loaded and unloaded; what there is of each material."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypedDict

from coordinator.domain import stock
from coordinator.domain.effects import Note, Save
from coordinator.domain.jobs import ENDED, Job
from coordinator.domain.library import Place
from coordinator.domain.matching import misfits, plate_for
from coordinator.domain.plates import Plate
from coordinator.domain.stock import FIRST_TOOL, MaterialProfile, Spool, SpoolsWanted, shortage
from coordinator.errors import FarmError, NotFound, NotNow, Refused
from coordinator.ports import Unit
from coordinator.usecases.browsing import Shelf
from coordinator.usecases.farm import Farm
from coordinator.usecases.performing import the_printer, writing
from protocols.wire.vocabulary import PrinterId

# Profiles are files that people edit now and then; to read them takes a process and a second.
PROFILES_KEPT_S = 60.0

# So many spools that will not last are told of one job.
WARNINGS_MAX = 5


class SpoolChanges(TypedDict, total=False):
    """What is said of a spool; what is not there stays."""

    material: str
    colour: str
    vendor: str
    weight_g: float
    remaining_g: float
    cost: float | None
    lot: str
    location: str
    notes: str
    archived: bool


@dataclass(slots=True, kw_only=True)
class Supply:
    """What there is of one material.

    Attributes:
        profile: what slicing knows of it; None where no profile is called so, or none can be read.
        printers: which hold it.
        spools: how many there are; `remaining_g` is what is left on all of them.
    """

    name: str
    profile: MaterialProfile | None = None
    printers: list[PrinterId] = field(default_factory=list)
    spools: int = 0
    remaining_g: float = 0.0


async def make_spool(
    farm: Farm, said: SpoolChanges, actor: str, origin: str = "", *, spool_id: str = ""
) -> Spool:
    """Take a spool into the stock; it is full unless said otherwise.

    Args:
        said: has `material` and `weight_g` at least.
        spool_id: what it is to be called; a fresh id where it is empty.

    Raises:
        Refused: `weight_out_of_range`.
    """
    async with writing(farm, actor, origin) as transaction:
        given: SpoolChanges = {"remaining_g": said["weight_g"], **said}
        spool = Spool(
            spool_id=spool_id or farm.ids.new("spool"),
            created_at=transaction.now,
            updated_at=transaction.now,
            **given,
        )
        _check_weight(spool)
        note = Note(subject="spool", subject_id=spool.spool_id, name="spool.created")
        await transaction.perform((Save(spool), note))
    return spool


async def change_spool(
    farm: Farm, spool_id: str, said: SpoolChanges, actor: str, origin: str = ""
) -> Spool:
    """Change what is said of a spool; who weighed it says what remains.

    Raises:
        NotFound: there is none.
        NotNow: `spool_loaded`: its material does not change, and it is not put away, while a
            printer holds it.
        Refused: `weight_out_of_range`.
    """
    async with writing(farm, actor, origin) as transaction:
        known = await the_spool(transaction.unit, spool_id)
        spool = stock.changed(known, transaction.now, **said)
        _check_weight(spool)
        if known.printer_id and (spool.archived or spool.material != known.material):
            raise NotNow("spool_loaded", f"it is loaded into {known.printer_id}: unload it first")
        note = Note(subject="spool", subject_id=spool_id, name="spool.changed")
        await transaction.perform((Save(spool), note))
    return spool


async def load_spool(
    farm: Farm, spool_id: str, printer_id: PrinterId, tool: int, actor: str, origin: str = ""
) -> Spool:
    """Say that a spool was put into a printer's tool; what was there before is taken out.

    Raises:
        NotFound: there is no such spool, or no such printer.
    """
    async with writing(farm, actor, origin) as transaction:
        unit, now = transaction.unit, transaction.now
        spool, printer = await the_spool(unit, spool_id), await the_printer(unit, printer_id)
        if spool.printer_id is not None and (spool.printer_id, spool.tool) != (printer_id, tool):
            before = await unit.printer(spool.printer_id)
            await transaction.perform(stock.unload(spool, before, now))
            spool, printer = await the_spool(unit, spool_id), await the_printer(unit, printer_id)
        there = await unit.spools(SpoolsWanted(printer_id=printer_id))
        in_tool = [each for each in there if each.tool == tool]
        await transaction.perform(stock.load(spool, printer, tool, in_tool, now))
        return await the_spool(unit, spool_id)


async def unload_spool(farm: Farm, spool_id: str, actor: str, origin: str = "") -> Spool:
    """Say that a spool was taken out of its printer; nothing happens where it is in none.

    Raises:
        NotFound: there is no such spool.
    """
    async with writing(farm, actor, origin) as transaction:
        unit = transaction.unit
        spool = await the_spool(unit, spool_id)
        if spool.printer_id is not None:
            printer = await unit.printer(spool.printer_id)
            await transaction.perform(stock.unload(spool, printer, transaction.now))
        return await the_spool(unit, spool_id)


async def spool_of(farm: Farm, spool_id: str) -> Spool:
    """Return one spool.

    Raises:
        NotFound: there is none.
    """
    async with farm.store.read() as unit:
        return await the_spool(unit, spool_id)


async def spools_page(
    farm: Farm, wanted: SpoolsWanted, *, after: Place | None, limit: int
) -> Shelf[Spool]:
    """Return a page of spools in order of arrival; `after` is behind which place it begins."""
    async with farm.store.read() as unit:
        found = await unit.spools(wanted, after=after, limit=limit + 1)
        total = await unit.spools_count(wanted)
    last = found[limit - 1] if len(found) > limit else None
    behind = Place(last.created_at, last.spool_id) if last is not None else None
    return Shelf(items=tuple(found[:limit]), next=behind, total=total)


async def loaded_spools(unit: Unit) -> list[Spool]:
    """Return the spools that printers draw from."""
    found = await unit.spools(SpoolsWanted(loaded=True))
    return [each for each in found if each.tool == FIRST_TOOL]


async def materials(farm: Farm) -> list[Supply]:
    """Return every material that a profile describes, a printer holds or a spool is of, by name."""
    found: dict[str, Supply] = {}

    def supply(name: str) -> Supply:
        return found.setdefault(name.casefold(), Supply(name=name))

    for profile in await _profiles(farm):
        supply(profile.name).profile = profile
    async with farm.store.read() as unit:
        for printer in await unit.printers():
            if printer.material:
                supply(printer.material).printers.append(printer.printer_id)
        for spool in await unit.spools(SpoolsWanted()):
            of = supply(spool.material)
            of.spools, of.remaining_g = of.spools + 1, of.remaining_g + spool.remaining_g
    return [found[name] for name in sorted(found)]


async def warnings(
    unit: Unit, job: Job, plates: Sequence[Plate], loaded: Sequence[Spool]
) -> tuple[str, ...]:
    """Return, for a person, which spools will not last for a job that is still to be printed.

    Args:
        loaded: the spools in printers' first tools.
    """
    if job.state in ENDED:
        return ()
    found: list[str] = []
    for spool in loaded:
        short = {
            plate.printer_class: words for plate in plates if (words := shortage(plate, spool))
        }
        printer = await unit.printer(spool.printer_id) if short and spool.printer_id else None
        if printer is None or misfits(job, plates, printer):
            continue
        plate = plate_for(plates, printer)
        if plate is not None and plate.printer_class in short:
            found.append(short[plate.printer_class])
        if len(found) == WARNINGS_MAX:
            break
    return tuple(found)


async def the_spool(unit: Unit, spool_id: str) -> Spool:
    """Return a spool; NotFound where there is none."""
    spool = await unit.spool(spool_id)
    if spool is None:
        raise NotFound("spool", spool_id)
    return spool


async def _profiles(farm: Farm) -> tuple[MaterialProfile, ...]:
    """Return what slicing knows of materials; none where it can't be asked now."""
    live, now_s = farm.live, farm.clock.monotonic()
    if live.profiles is None or now_s >= live.profiles_until_s:
        try:
            live.profiles = tuple(await farm.slicer.materials())
        except FarmError:
            live.profiles = ()
        live.profiles_until_s = now_s + PROFILES_KEPT_S
    return live.profiles


def _check_weight(spool: Spool) -> None:
    if not 0 <= spool.remaining_g <= spool.weight_g:
        words = f"what remains is 0 g to the {spool.weight_g:g} g that it had when it was new"
        raise Refused("weight_out_of_range", words)
