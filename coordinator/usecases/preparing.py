"""Models become plates: slicing, outside every transaction, and what comes of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from coordinator.domain import jobs
from coordinator.domain.effects import Effects, Note, Poke, Save, Work
from coordinator.domain.jobs import Job, JobEvent, JobState
from coordinator.domain.plates import Artifact, ArtifactKind, Plate
from coordinator.domain.preparing import Target, targets, why_none
from coordinator.errors import NotFound, Refused, Unavailable
from coordinator.ports import Sliced, SliceWish, StagedFile
from coordinator.usecases.farm import Farm
from coordinator.usecases.orders import discard_unknown
from coordinator.usecases.performing import the_job, writing
from protocols.wire.vocabulary import JobId

log = structlog.get_logger(__name__)

CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What slicing for one target brought: a plate, or the reason why not."""

    target: Target
    plate: Plate | None = None
    reason: str = ""


async def prepare_jobs(farm: Farm) -> int:
    """Slice what waits to be sliced; return how many jobs were moved on.

    One call works at a time, a second one returns at once. A job found PREPARING was left by a
    coordinator that stopped, and is begun anew.
    """
    if farm.live.preparing_now.locked():
        return 0
    moved = 0
    async with farm.live.preparing_now:
        async with farm.store.read() as unit:
            waiting = await unit.jobs((JobState.RECEIVED, JobState.PREPARING))
        for job in waiting:
            moved += await _prepare(farm, job.job_id)
    return moved


async def _prepare(farm: Farm, job_id: JobId) -> bool:
    """Prepare one job; whether it moved."""
    begun = await _begin(farm, job_id)
    if begun is None:
        return False
    job, wanted, model_name = begun
    outcomes: list[Outcome] = []
    try:
        for number, target in enumerate(wanted):
            farm.live.progress[job_id] = number / len(wanted)
            progress = _progress(farm, job_id, number, len(wanted))
            outcomes.append(await _slice(farm, job, target, model_name, progress))
        await _conclude(farm, job_id, outcomes)
    finally:
        farm.live.progress.pop(job_id, None)
    return True


def _progress(farm: Farm, job_id: JobId, number: int, count: int) -> Callable[[float], None]:
    def report(ratio: float) -> None:
        farm.live.progress[job_id] = (number + ratio) / count

    return report


async def _begin(farm: Farm, job_id: JobId) -> tuple[Job, tuple[Target, ...], str] | None:
    """Mark a job as being prepared, or say what it waits for; None where nothing is to be done."""
    async with writing(farm, "farm", "preparing") as transaction:
        job = await the_job(transaction.unit, job_id)
        if job.state not in (JobState.RECEIVED, JobState.PREPARING) or job.model_sha256 is None:
            return None
        printers = await transaction.unit.printers()
        wanted = targets(job, printers)
        if not wanted:
            reason = why_none(job, printers)
            if job.reason != reason:
                waiting = jobs.changed(job, transaction.now, reason=reason)
                await transaction.perform((Save(waiting),))
            return None
        if job.state is JobState.RECEIVED:
            job, effects = jobs.advance(job, JobEvent.PREPARE, transaction.now)
            await transaction.perform(effects)
        model = await transaction.unit.artifact(job.model_sha256 or "")
    return job, wanted, model.name if model is not None else job.name


async def _slice(
    farm: Farm, job: Job, target: Target, model_name: str, progress: Callable[[float], None]
) -> Outcome:
    """Slice for one target; a failure is an outcome, for others may succeed."""
    try:
        plate = await _make_plate(farm, job, target, model_name, progress)
    except (Refused, Unavailable, NotFound) as error:
        log.warning(
            "plate.refused",
            job_id=job.job_id,
            printer_class=target.printer_class,
            reason=str(error),
        )
        return Outcome(target=target, reason=str(error))
    log.info("plate.made", job_id=job.job_id, printer_class=target.printer_class)
    return Outcome(target=target, plate=plate)


async def _make_plate(
    farm: Farm, job: Job, target: Target, model_name: str, progress: Callable[[float], None]
) -> Plate:
    """Slice into a scratch file, then through the store's own hash into the store."""
    assert job.model_sha256 is not None, "only models are sliced"
    suffix = Path(model_name).suffix.lower()
    async with (
        farm.artifacts.as_file(job.model_sha256, suffix) as model,
        farm.artifacts.stage(".gcode") as scratch,
    ):
        wish = SliceWish(
            model=model,
            name=job.name,
            printer_class=target.printer_class,
            material=target.material,
            quality=job.quality,
            overrides=job.overrides,
        )
        sliced = await farm.slicer.slice(wish, scratch.path, progress)
        async with farm.artifacts.stage(".gcode") as staged:
            await _copy(scratch.path, staged)
            await staged.keep()
            return _plate(job, target, model_name, staged, sliced)


async def _copy(source: Path, staged: StagedFile) -> None:
    """Write a file into the store, in chunks."""
    file = await asyncio.to_thread(source.open, "rb")
    try:
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            await staged.write(chunk)
    finally:
        file.close()


def _plate(job: Job, target: Target, model_name: str, staged: StagedFile, sliced: Sliced) -> Plate:
    return Plate(
        job_id=job.job_id,
        sha256=staged.sha256,
        name=f"{Path(model_name).stem}-{target.printer_class}.gcode",
        size_bytes=staged.size_bytes,
        printer_class=target.printer_class,
        material=target.material,
        time_s=sliced.time_s,
        filament_mm=sliced.filament_mm,
        filament_g=sliced.filament_g,
        layer_count=sliced.layer_count,
        line_count=sliced.line_count,
        engine=sliced.engine,
    )


async def _conclude(farm: Farm, job_id: JobId, outcomes: list[Outcome]) -> None:
    """Store the plates and move the job; where it was cancelled meanwhile, leave nothing."""
    plates = [outcome.plate for outcome in outcomes if outcome.plate is not None]
    reason = "; ".join(
        f"{outcome.target.printer_class}: {outcome.reason}"
        for outcome in outcomes
        if outcome.reason
    )
    async with writing(farm, "farm", "preparing") as transaction:
        job = await the_job(transaction.unit, job_id)
        wanted = job.state is JobState.PREPARING
        if wanted:
            event = JobEvent.READY if plates else JobEvent.REFUSE
            _, effects = jobs.advance(job, event, transaction.now, reason=reason)
            saved: Effects = tuple(Save(plate) for plate in plates)
            kept = tuple(Save(_artifact(plate, job)) for plate in plates)
            refused = tuple(_refused(job, outcome) for outcome in outcomes if outcome.reason)
            await transaction.perform((*kept, *saved, *refused, *effects, Poke(Work.DISPATCH)))
    if not wanted:
        for plate in plates:
            await discard_unknown(farm, plate.sha256)


def _refused(job: Job, outcome: Outcome) -> Note:
    return Note(
        subject="job",
        subject_id=job.job_id,
        name="plate.refused",
        cause=outcome.reason,
        facts={"printer_class": outcome.target.printer_class},
    )


def _artifact(plate: Plate, job: Job) -> Artifact:
    return Artifact(
        sha256=plate.sha256,
        kind=ArtifactKind.PLATE,
        name=plate.name,
        size_bytes=plate.size_bytes,
        created_at=job.updated_at,
    )
