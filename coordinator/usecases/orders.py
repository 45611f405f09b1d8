"""An order comes in: looked at first, kept only when it can be done."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from coordinator.domain.effects import Effects, Note, Poke, Save, Work
from coordinator.domain.jobs import Job, JobEvent, advance
from coordinator.domain.plates import Artifact, ArtifactKind, Plate, holds_gcode
from coordinator.errors import FarmError, Refused
from coordinator.ports import StagedFile
from coordinator.usecases.farm import Farm
from coordinator.usecases.performing import writing
from protocols.wire.vocabulary import JobId, PrinterId

log = structlog.get_logger(__name__)

PLATE_SUFFIXES = (".gcode", ".gco", ".g")
MODEL_SUFFIXES = (".stl", ".3mf", ".obj", ".ply", ".glb")

# Text files have shorter lines; what is longer is no G-code, and must not be read whole.
LINE_CHARACTERS_MAX = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What someone asks for; empty and None mean that any will do, as in `Job`."""

    name: str
    file_name: str
    copies: int = 1
    material: str = ""
    quality: str = ""
    printer_class: str = ""
    printer_id: PrinterId | None = None
    overrides: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    priority: int = 0
    actor: str
    origin: str = ""


async def accept_order(farm: Farm, order: Order, staged: StagedFile) -> Job:
    """Take an order, or nothing of it.

    Args:
        staged: the whole file; it is kept only when the order is accepted.

    Returns:
        The job: READY where a plate was given, else RECEIVED.

    Raises:
        Refused: it can't be met; the code says why.
        Unavailable: the slicer or the disk does not answer now.
    """
    await _check(farm, order, staged)
    suffix = Path(order.file_name).suffix.lower()
    if suffix in PLATE_SUFFIXES:
        await _check_gcode(staged)
        kind = ArtifactKind.PLATE
    elif suffix in MODEL_SUFFIXES:
        await _check_model(farm, order, staged)
        kind = ArtifactKind.MODEL
    else:
        known = " ".join((*MODEL_SUFFIXES, *PLATE_SUFFIXES))
        raise Refused(
            "unknown_file_type",
            f"{order.file_name!r} is neither a model nor G-code; known endings: {known}",
        )
    await staged.keep()
    try:
        return await _store(farm, order, staged, kind)
    except FarmError:
        await discard_unknown(farm, staged.sha256)
        raise


async def discard_unknown(farm: Farm, sha256: str) -> None:
    """Remove an artifact that was kept but that nothing refers to."""
    async with farm.store.read() as unit:
        known = await unit.artifact(sha256) is not None
    if not known:
        await farm.artifacts.delete(sha256)


async def _check(farm: Farm, order: Order, staged: StagedFile) -> None:
    copies_max = farm.policy.copies_max
    if not 1 <= order.copies <= copies_max:
        raise Refused("copies_out_of_range", f"copies must be 1 to {copies_max}")
    if staged.size_bytes == 0:
        raise Refused("empty_file", f"{order.file_name!r} is empty")
    if order.printer_id is None:
        return
    async with farm.store.read() as unit:
        printer = await unit.printer(order.printer_id)
    if printer is None:
        raise Refused("unknown_printer", f"there is no printer {order.printer_id!r}")
    if order.printer_class not in ("", printer.printer_class):
        raise Refused(
            "printer_of_other_class",
            f"printer {order.printer_id} is of class {printer.printer_class}, "
            f"not {order.printer_class}",
        )


async def _check_gcode(staged: StagedFile) -> None:
    if not await asyncio.to_thread(_holds_gcode, staged.path):
        raise Refused("not_gcode", "the file holds no G-code command")


def _holds_gcode(path: Path) -> bool:
    with path.open(encoding="latin-1") as file:
        return holds_gcode(iter(lambda: file.readline(LINE_CHARACTERS_MAX), ""))


async def _check_model(farm: Farm, order: Order, staged: StagedFile) -> None:
    """Ask the slicer; it refuses what is no model, or fits nowhere."""
    classes = [order.printer_class] if order.printer_class else []
    if order.printer_id is not None:
        async with farm.store.read() as unit:
            printer = await unit.printer(order.printer_id)
        classes = [printer.printer_class] if printer is not None else classes
    await farm.slicer.inspect(
        staged.path,
        printer_classes=classes,
        material=order.material,
        quality=order.quality,
        overrides=order.overrides,
    )


async def _store(farm: Farm, order: Order, staged: StagedFile, kind: ArtifactKind) -> Job:
    async with writing(farm, order.actor, order.origin) as transaction:
        now = transaction.now
        job = Job(
            job_id=JobId(farm.ids.new("job")),
            name=order.name,
            model_sha256=staged.sha256 if kind is ArtifactKind.MODEL else None,
            copies=order.copies,
            material=order.material,
            quality=order.quality,
            printer_class=order.printer_class,
            printer_id=order.printer_id,
            overrides=order.overrides,
            priority=order.priority,
            retries_max=farm.policy.retries_max,
            created_at=now,
            updated_at=now,
        )
        artifact = Artifact(
            sha256=staged.sha256,
            kind=kind,
            name=order.file_name,
            size_bytes=staged.size_bytes,
            created_at=now,
        )
        note = Note(
            subject="job",
            subject_id=job.job_id,
            name="job.received",
            facts={"sha256": staged.sha256, "copies": job.copies},
        )
        effects: Effects = (Save(artifact), Save(job), note, Poke(Work.PREPARE))
        if kind is ArtifactKind.PLATE:
            job, more = advance(job, JobEvent.READY, now)
            effects += (Save(_given_plate(job, artifact)), *more, Poke(Work.DISPATCH))
        await transaction.perform(effects)
    log.info("job.received", job_id=job.job_id, actor=order.actor, copies=job.copies)
    return job


def _given_plate(job: Job, artifact: Artifact) -> Plate:
    return Plate(
        job_id=job.job_id,
        sha256=artifact.sha256,
        name=artifact.name,
        size_bytes=artifact.size_bytes,
        printer_class=job.printer_class,
        material=job.material,
    )
