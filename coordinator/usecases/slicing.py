"""Plates that are wanted are sliced, outside every transaction, and what comes of it is kept.

Who slices a plate has claimed it in `Live.slicings`, so that nothing begins twice. What was being
sliced when a coordinator stopped is still WANTED, and begins anew.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from coordinator.domain import plates, preparing
from coordinator.domain.jobs import Job
from coordinator.domain.plates import Artifact, ArtifactKind, Plate, PlateEvent
from coordinator.domain.slicing import Sliced, SliceWish
from coordinator.errors import NotFound, Refused, Unavailable
from coordinator.usecases.browsing import provenance_of
from coordinator.usecases.farm import Farm
from coordinator.usecases.live import PlateKey, Slicing
from coordinator.usecases.performing import Writing, the_job, writing
from coordinator.usecases.storing import copy, keep, let_go

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What slicing brought: a plate, or the reason why there is none."""

    made: Plate | None = None
    reason: str = ""


async def slice_plates(farm: Farm) -> int:
    """Slice what is wanted and nobody is at, one by one, until nothing is left; return how many.

    As many plates are sliced at once as there are callers.
    """
    answered = 0
    while (plate := await _next(farm)) is not None:
        about = {"job_id": plate.job_id, "printer_class": plate.printer_class}
        with (
            farm.live.slicing(_key(plate)) as slicing,
            structlog.contextvars.bound_contextvars(**about),
            farm.tracer.span("slice_plate"),
        ):
            answered += await _answer(farm, plate, slicing)
    return answered


def _key(plate: Plate) -> PlateKey:
    return plate.job_id, plate.printer_class


async def _next(farm: Farm) -> Plate | None:
    """Return the first plate to be sliced; nobody else has a turn before it is claimed."""
    async with farm.store.read() as unit:
        wanted = await unit.plates_wanted()
    return next((plate for plate in wanted if _key(plate) not in farm.live.slicings), None)


async def _answer(farm: Farm, plate: Plate, slicing: Slicing) -> bool:
    """Slice a plate that was claimed; False where it was wanted no more, before or after."""
    async with farm.store.read() as unit:
        if plate not in await unit.plates_wanted():
            return False  # somebody else sliced it between our look and our claim
        job = await the_job(unit, plate.job_id)
        model = await unit.artifact(job.model_sha256 or "")
    model_name = model.name if model is not None else job.name
    kept: list[Artifact] = []
    begun_s = farm.clock.monotonic()
    try:
        work = _slice(farm, job, plate, model_name, slicing, kept)
        outcome = await _unless(slicing.unwanted, work)
        _count(farm, outcome, farm.clock.monotonic() - begun_s)
        if outcome is None:
            log.info("slicing.given_up")
            return False
        return await _conclude(farm, plate, outcome, kept)
    finally:
        for artifact in kept:
            await let_go(farm, artifact.sha256)


def _count(farm: Farm, outcome: Outcome | None, took_s: float) -> None:
    if outcome is None:
        farm.live.counted.sliced("", "given_up", took_s)
    elif outcome.made is None:
        farm.live.counted.sliced("", "refused", took_s)
    else:
        farm.live.counted.sliced(outcome.made.engine, "made", took_s)


async def _unless(unwanted: asyncio.Event, work: Coroutine[None, None, Outcome]) -> Outcome | None:
    """Return what the work brings; None where it was ended because nobody wants it any more."""
    async with asyncio.TaskGroup() as tasks:
        doing = tasks.create_task(work, name="slicing")
        waiting = tasks.create_task(unwanted.wait(), name="slicing-unwanted")
        await asyncio.wait((doing, waiting), return_when=asyncio.FIRST_COMPLETED)
        doing.cancel()
        waiting.cancel()
    return None if doing.cancelled() else doing.result()


async def _slice(
    farm: Farm,
    job: Job,
    plate: Plate,
    model_name: str,
    slicing: Slicing,
    kept: list[Artifact],
) -> Outcome:
    """Slice; a failure is an outcome, for other classes may do.

    Args:
        kept: takes all that is put into the store.
    """
    try:
        made = await _make(farm, job, plate, model_name, slicing, kept)
    except (Refused, Unavailable, NotFound) as error:
        log.warning("plate.refused", reason=str(error))
        return Outcome(reason=str(error))
    log.info("plate.made")
    return Outcome(made=made)


async def _make(
    farm: Farm,
    job: Job,
    plate: Plate,
    model_name: str,
    slicing: Slicing,
    kept: list[Artifact],
) -> Plate:
    """Slice into a scratch folder, then through the store's own hash into the store."""
    assert job.model_sha256 is not None, "only models are sliced"
    suffix = Path(model_name).suffix.lower()
    async with farm.store.read() as unit:
        provenance = await provenance_of(unit, job)
    async with (
        farm.artifacts.as_file(job.model_sha256, suffix) as model,
        farm.artifacts.scratch() as folder,
    ):
        wish = SliceWish(
            model=model,
            name=job.name,
            printer_class=plate.printer_class,
            material=plate.material,
            quality=job.quality,
            overrides=job.overrides,
            copies=plate.copies,
            provenance=provenance,
        )
        gcode = folder / "plate.gcode"
        sliced = await farm.slicer.slice(wish, gcode, slicing.report)
        name = f"{Path(model_name).stem}-{plate.printer_class}"
        await _keep(farm, gcode, ArtifactKind.PLATE, f"{name}.gcode", kept)
        made, pictures = _made(plate, kept[0], sliced), dict[str, str]()
        for each in sliced.pictures:
            shows = f"{each.shows}-{each.width_px}"
            path = folder / each.path.name  # from nowhere else, whatever it says
            await _keep(farm, path, ArtifactKind.PICTURE, f"{name}.{shows}.png", kept)
            pictures[shows] = kept[-1].sha256
        return replace(made, pictures=pictures)


async def _keep(
    farm: Farm, path: Path, kind: ArtifactKind, name: str, kept: list[Artifact]
) -> None:
    async with farm.artifacts.stage(path.suffix) as staged:
        await copy(path, staged)
        await keep(farm, staged)
        kept.append(
            Artifact(
                sha256=staged.sha256,
                kind=kind,
                name=name,
                size_bytes=staged.size_bytes,
                created_at=farm.clock.now(),
            )
        )


def _made(plate: Plate, artifact: Artifact, sliced: Sliced) -> Plate:
    return replace(
        plates.advance(plate, PlateEvent.MAKE),
        sha256=artifact.sha256,
        name=artifact.name,
        size_bytes=artifact.size_bytes,
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


async def _conclude(farm: Farm, plate: Plate, outcome: Outcome, kept: Sequence[Artifact]) -> bool:
    """Store what came of it; False where nobody wants it any more."""
    async with writing(farm, "farm", "slicing") as transaction:
        wanted = plate in await transaction.unit.plates_wanted()
        if wanted and outcome.made is not None:
            await transaction.perform(preparing.keep(outcome.made, kept))
        elif wanted:
            await _refuse(transaction, plate, outcome.reason)
    return wanted


async def _refuse(transaction: Writing, plate: Plate, reason: str) -> None:
    unit = transaction.unit
    job = await the_job(unit, plate.job_id)
    effects = preparing.refuse(
        job,
        plate,
        await unit.plates(job.job_id),
        await unit.printers(),
        reason,
        transaction.now,
    )
    await transaction.perform(effects)
