"""What an order would take, and where: found out before it is one, and no job comes of it.

A model is sliced for the class that the farm would slice it for first. Slicing keeps the plate in
its cache, so the order that follows has it at once.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from coordinator.domain import plates, preparing
from coordinator.domain.estimates import Demand, Estimate, Paces, demand
from coordinator.domain.jobs import Job
from coordinator.domain.matching import UNSLICED, Obstacle, misfits, plate_for, unready
from coordinator.domain.plates import Artifact, ArtifactKind, Plate, PlateEvent, PlateState
from coordinator.domain.printers import Printer
from coordinator.domain.slicing import Inspection, Sliced, SliceWish
from coordinator.errors import Refused, Unavailable
from coordinator.ports import StagedFile
from coordinator.usecases import orders
from coordinator.usecases.browsing import provenance_of, the_model, the_version
from coordinator.usecases.farm import Farm
from coordinator.usecases.given_plates import BINARY_SUFFIX, look_at
from coordinator.usecases.orders import MODEL_SUFFIXES, Order
from coordinator.usecases.reading import all_stations, known_paces
from coordinator.usecases.tracing import traced

# One is sliced at a time, so that estimates never hold up what is to be printed; so many may wait.
ESTIMATES_MAX = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A printer, as it suits an order.

    Attributes:
        against: why the order would never be printed there, as the printer is; empty: it fits.
        busy_with: why it could not begin there now; empty: it could.
        estimate: how long a plate would take there; None without a plate for its class.
    """

    printer: Printer
    against: tuple[Obstacle, ...]
    busy_with: tuple[Obstacle, ...]
    estimate: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Foretold:
    """What an order would take.

    Attributes:
        plate: the one that was looked at: made, or refused with its reason; None: no printer of
            the farm suits the order, and `reason` says why.
        estimate: how long that plate takes on a printer of its class.
        demand: what all copies take.
        size_mm: of a model; None of a plate.
    """

    job: Job
    plate: Plate | None
    reason: str = ""
    estimate: Estimate | None
    demand: Demand
    size_mm: tuple[float, float, float] | None = None
    warnings: tuple[str, ...] = ()
    places: tuple[Place, ...]


@traced
async def estimate_file(farm: Farm, order: Order, staged: StagedFile) -> Foretold:
    """Return what an order with this file would take.

    Raises:
        Refused, Unavailable: as `orders.accept_order` would.
        Unavailable: `too_many_estimates`.
    """
    classes = await orders.check(farm, order, staged.size_bytes)
    suffix = Path(order.file_name).suffix.lower()
    if suffix in MODEL_SUFFIXES:
        inspection = await _inspected(farm, order, staged.path, classes)
        job = orders.wanted_job(farm, order, staged.sha256, farm.clock.now())
        return await _of_model(farm, job, staged.path, inspection)
    if suffix not in (*orders.PLATE_SUFFIXES, BINARY_SUFFIX):
        raise orders.unknown_type(order.file_name)
    said_class = classes[0] if len(classes) == 1 else ""
    async with farm.artifacts.scratch() as folder:
        text = folder / "plate.gcode" if suffix == BINARY_SUFFIX else None
        given = await look_at(
            farm, staged.path, said_class=said_class, material=order.material, text=text
        )
    job = orders.wanted_job(farm, order, None, farm.clock.now())
    artifact = Artifact(
        sha256=staged.sha256,
        kind=ArtifactKind.PLATE,
        name=order.file_name,
        size_bytes=staged.size_bytes,
        created_at=job.created_at,
    )
    return await _foretold(farm, job, orders.given_plate(job, artifact, given))


@traced
async def estimate_version(
    farm: Farm, order: Order, model_id: str, number: int | None = None
) -> Foretold:
    """Return what an order for a version of a model would take, of the newest for None.

    Raises:
        NotFound: there is no such model, or no such version.
        Refused, Unavailable: as `estimate_file`.
    """
    async with farm.store.read() as unit:
        model = await the_model(unit, model_id)
        version = await the_version(unit, model_id, number)
    wanted = replace(
        order,
        name=order.name or model.name,
        file_name=version.file_name,
        model_id=model_id,
        model_version=version.number,
    )
    classes = await orders.check(farm, wanted, version.size_bytes)
    suffix = Path(version.file_name).suffix.lower()
    async with farm.artifacts.as_file(version.sha256, suffix) as mesh:
        inspection = await _inspected(farm, wanted, mesh, classes)
        job = orders.wanted_job(farm, wanted, version.sha256, farm.clock.now())
        return await _of_model(farm, job, mesh, inspection)


async def _inspected(farm: Farm, order: Order, mesh: Path, classes: Sequence[str]) -> Inspection:
    """Look at a model, for the beds of this farm where the order says nothing of them."""
    async with farm.store.read() as unit:
        of_farm = sorted({printer.printer_class for printer in await unit.printers()})
    try:
        return await orders.inspect(farm, order, mesh, classes or of_farm)
    except Refused as error:
        if classes or error.code != "unknown_printer_class":
            raise
    # A class that no profile describes takes ready plates only.
    return await orders.inspect(farm, order, mesh, ())


async def _of_model(farm: Farm, job: Job, mesh: Path, inspection: Inspection) -> Foretold:
    async with farm.store.read() as unit:
        printers = await unit.printers()
        provenance = await provenance_of(unit, job)
    possible = [
        target
        for target in preparing.targets(job, printers)
        if target.printer_class in inspection.fits
    ]
    if not possible:
        foretold = await _foretold(farm, job, None, inspection)
        return replace(foretold, reason=preparing.why_none(job, printers))
    target = preparing.best(job, possible, printers)
    on_it = min(job.copies, job.copies_per_plate)
    plate = plates.wanted(job.job_id, target.printer_class, target.material, on_it)
    wish = SliceWish(
        model=mesh,
        name=job.name,
        printer_class=plate.printer_class,
        material=plate.material,
        quality=job.quality,
        overrides=job.overrides,
        copies=plate.copies,
        provenance=provenance,
    )
    async with _turn(farm), farm.artifacts.scratch() as folder:
        try:
            sliced = await farm.slicer.slice(wish, folder / "plate.gcode", _unheard)
        except Refused as error:
            plate = plates.advance(plate, PlateEvent.REFUSE, reason=str(error))
        else:
            plate = _made(plate, sliced)
    return await _foretold(farm, job, plate, inspection)


def _unheard(_ratio: float, _stage: str) -> None:
    """Slice without telling how far that is."""


def _made(plate: Plate, sliced: Sliced) -> Plate:
    """Return the plate that would be made: without a file."""
    return replace(
        plates.advance(plate, PlateEvent.MAKE),
        copies=sliced.copies,
        time_s=sliced.time_s,
        filament_mm=sliced.filament_mm,
        filament_g=sliced.filament_g,
        cost=sliced.cost,
        layer_count=sliced.layer_count,
        line_count=sliced.line_count,
        engine=sliced.engine,
        remarks=sliced.warnings,
    )


@asynccontextmanager
async def _turn(farm: Farm) -> AsyncIterator[None]:
    """Wait for one's turn.

    Raises:
        Unavailable: too many wait.
    """
    if farm.live.estimates >= ESTIMATES_MAX:
        raise Unavailable(
            "too_many_estimates", "many ask what their models would take: ask again in a moment"
        )
    farm.live.estimates += 1
    try:
        async with farm.live.estimating:
            yield
    finally:
        farm.live.estimates -= 1


async def _foretold(
    farm: Farm, job: Job, plate: Plate | None, inspection: Inspection | None = None
) -> Foretold:
    async with farm.store.read() as unit:
        stations = await all_stations(unit)
        known = await known_paces(farm, unit)
    looked_at = [plate] if plate is not None else []
    made = plates.made_of(looked_at)
    fits = inspection.fits if inspection is not None else None
    return Foretold(
        job=job,
        plate=plate,
        estimate=known.estimate(made[0], printer_class=made[0].printer_class) if made else None,
        demand=demand(made, job.copies, known),
        size_mm=inspection.size_mm if inspection is not None else None,
        warnings=inspection.warnings if inspection is not None else (),
        places=tuple(
            Place(
                printer=printer,
                against=_against(job, looked_at, printer, fits),
                busy_with=unready(printer, run, draining=printer.agent_id in farm.live.draining),
                estimate=_estimate(looked_at, printer, known),
            )
            for printer, run in stations
        ),
    )


def _against(
    job: Job, looked_at: Sequence[Plate], printer: Printer, fits: Sequence[str] | None
) -> tuple[Obstacle, ...]:
    """Return why an order would never be printed on a printer, as far as that is known.

    Args:
        fits: the classes whose beds take the model; None where a plate was given.
    """
    found = misfits(job, looked_at, printer)
    known = tuple(each for each in found if each.code not in UNSLICED)
    if fits is not None and printer.printer_class not in fits:
        return (Obstacle("too_large", "it does not fit on its bed"), *known)
    return known


def _estimate(looked_at: Sequence[Plate], printer: Printer, known: Paces) -> Estimate | None:
    plate = plate_for(looked_at, printer)
    if plate is None or plate.state is not PlateState.MADE:
        return None
    return known.estimate(plate, printer_class=printer.printer_class, printer_id=printer.printer_id)
