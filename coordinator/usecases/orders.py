"""An order comes in: looked at first, kept only when it can be done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import ceil
from pathlib import Path

import structlog

from coordinator.domain.effects import Effects, Note, Poke, Save, Work
from coordinator.domain.jobs import Job, JobEvent, advance
from coordinator.domain.matching import wish_misfits
from coordinator.domain.plates import Artifact, ArtifactKind, Plate
from coordinator.domain.slicing import Inspection, Verified
from coordinator.domain.tags import tags_of
from coordinator.errors import Refused
from coordinator.ports import StagedFile
from coordinator.usecases.browsing import the_model, the_version
from coordinator.usecases.farm import Farm
from coordinator.usecases.given_plates import BINARY_SUFFIX, Given, look_at
from coordinator.usecases.performing import writing
from coordinator.usecases.quotas import check_quota
from coordinator.usecases.storing import copy, keep, let_go
from protocols.wire.to_agent import Scalar
from protocols.wire.vocabulary import JobId, PrinterId

log = structlog.get_logger(__name__)

PLATE_SUFFIXES = (".gcode", ".gco", ".g")
MODEL_SUFFIXES = (".stl", ".3mf", ".obj", ".ply", ".glb", ".amf", ".step", ".stp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What someone asks for; empty and None mean that any will do, as in `Job`.

    Attributes:
        owner: whose the job is to be; empty for the actor.
        approved: who orders may also approve; else the farm's policy says whether it has to wait.
        job_id: what the job is to be called; a fresh name for None.
        held: it is kept, and nothing of it printed before somebody says so.
        class_needed: G-code of which nobody says for which class it is, is refused.
        due_at: when it should be finished; None where nobody says.
        model_id, model_version: as in `Job`.
        userdata: what the sender's program wants kept beside it, as text; history holds it.
    """

    name: str
    file_name: str
    copies: int = 1
    copies_per_plate: int = 1
    material: str = ""
    quality: str = ""
    printer_class: str = ""
    printer_group: str = ""
    printer_tags: tuple[str, ...] = ()
    printer_id: PrinterId | None = None
    overrides: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    priority: int = 0
    due_at: datetime | None = None
    model_id: str = ""
    model_version: int = 0
    job_id: JobId | None = None
    held: bool = False
    class_needed: bool = False
    userdata: str = ""
    actor: str
    origin: str = ""
    owner: str = ""
    approved: bool = False

    @property
    def belongs_to(self) -> str:
        """Whose the job is to be."""
        return self.owner or self.actor


@dataclass(frozen=True, slots=True)
class _Kept:
    """A file that lies in the store."""

    sha256: str
    size_bytes: int


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
    classes = await check(farm, order, staged.size_bytes)
    suffix = Path(order.file_name).suffix.lower()
    one_class = classes[0] if len(classes) == 1 else ""
    if suffix in PLATE_SUFFIXES:
        given = await look_at(farm, staged.path, said_class=one_class, material=order.material)
        if order.class_needed and not given.printer_class:
            raise Refused(
                "class_not_stated",
                "the file does not say for which printers of this farm it is: "
                "send it to the address of one class, or of one printer",
            )
        return await _keep(farm, order, staged, given)
    if suffix == BINARY_SUFFIX:
        return await _accept_binary(farm, order, staged, one_class)
    if suffix in MODEL_SUFFIXES:
        await inspect(farm, order, staged.path, classes)
        return await _keep(farm, order, staged, None)
    raise unknown_type(order.file_name)


def unknown_type(file_name: str) -> Refused:
    """Return the answer to a file that is neither a model nor G-code, by its name."""
    known = " ".join((*MODEL_SUFFIXES, *PLATE_SUFFIXES, BINARY_SUFFIX))
    words = f"{file_name!r} is neither a model nor G-code; known endings: {known}"
    return Refused("unknown_file_type", words)


async def order_version(farm: Farm, order: Order, model_id: str, number: int | None = None) -> Job:
    """Take an order for a version of a model, the newest for None, or nothing of it.

    Args:
        order: without a name it is called as the model is.

    Raises:
        NotFound: there is no such model, or no such version.
        Refused, Unavailable: as `accept_order`.
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
    classes = await check(farm, wanted, version.size_bytes)
    suffix = Path(version.file_name).suffix.lower()
    async with farm.artifacts.as_file(version.sha256, suffix) as mesh:
        await inspect(farm, wanted, mesh, classes)
    return await _store(farm, wanted, _Kept(version.sha256, version.size_bytes), None)


async def _accept_binary(farm: Farm, order: Order, staged: StagedFile, said_class: str) -> Job:
    """Take binary G-code as the text that it stands for: that is what agents send."""
    async with farm.artifacts.scratch() as folder, farm.artifacts.stage(".gcode") as kept:
        text = folder / "plate.gcode"
        given = await look_at(
            farm, staged.path, said_class=said_class, material=order.material, text=text
        )
        await copy(text, kept)
        name = Path(order.file_name).with_suffix(".gcode").name
        return await _keep(farm, replace(order, file_name=name), kept, given)


async def _keep(farm: Farm, order: Order, staged: StagedFile, given: Given | None) -> Job:
    """Put the file into the store, and the order that refers to it."""
    await keep(farm, staged)
    try:
        return await _store(farm, order, _Kept(staged.sha256, staged.size_bytes), given)
    finally:
        await let_go(farm, staged.sha256)


async def check(farm: Farm, order: Order, size_bytes: int) -> tuple[str, ...]:
    """Look at what an order says; return the printer classes that it is for, none where any.

    Raises:
        Refused: it can't be met; the code says why.
    """
    copies_max = farm.policy.copies_max
    if not 1 <= order.copies <= copies_max:
        raise Refused("copies_out_of_range", f"copies must be 1 to {copies_max}")
    if not 1 <= order.copies_per_plate <= copies_max:
        raise Refused("copies_out_of_range", f"copies_per_plate must be 1 to {copies_max}")
    async with farm.store.read() as unit:  # before the slicer looks at it for long
        await check_quota(unit, order.belongs_to, farm.clock.now(), None)
    if size_bytes == 0:
        raise Refused("empty_file", f"{order.file_name!r} is empty")
    if order.printer_group or order.printer_tags:
        return await _classes_of(farm, order)
    if order.printer_id is None:
        return (order.printer_class,) if order.printer_class else ()
    async with farm.store.read() as unit:
        printer = await unit.printer(order.printer_id)
    if printer is None or printer.retired_at is not None:
        raise Refused("unknown_printer", f"there is no printer {order.printer_id!r}")
    if order.printer_class not in ("", printer.printer_class):
        raise Refused(
            "printer_of_other_class",
            f"printer {order.printer_id} is of class {printer.printer_class}, "
            f"not {order.printer_class}",
        )
    return (printer.printer_class,)


async def _classes_of(farm: Farm, order: Order) -> tuple[str, ...]:
    """Return the classes of the printers that have the group and tags that are asked for."""
    asked = Job(
        job_id=JobId(""),
        name="",
        printer_class=order.printer_class,
        printer_group=order.printer_group,
        printer_tags=tags_of(order.printer_tags),
        printer_id=order.printer_id,
        created_at=farm.clock.now(),
        updated_at=farm.clock.now(),
    )
    async with farm.store.read() as unit:
        fit = [each for each in await unit.printers() if not wish_misfits(asked, each)]
    if not fit:
        words = [
            *([f"in the group {order.printer_group}"] if order.printer_group else ()),
            *(f"with the tag {tag}" for tag in asked.printer_tags),
        ]
        raise Refused("no_such_printers", f"the farm has no such printer {' '.join(words)}")
    return tuple(sorted({each.printer_class for each in fit}))


async def inspect(farm: Farm, order: Order, mesh: Path, classes: Sequence[str]) -> Inspection:
    """Ask the slicer; it refuses what is no model, or fits nowhere.

    Raises:
        Refused, Unavailable: as `Slicer.inspect`.
    """
    return await farm.slicer.inspect(
        mesh,
        printer_classes=classes,
        material=order.material,
        quality=order.quality,
        overrides=order.overrides,
    )


async def _store(farm: Farm, order: Order, kept: _Kept, given: Given | None) -> Job:
    async with writing(farm, order.actor, order.origin) as transaction:
        now = transaction.now
        order_g = None
        if given is not None and given.verified is not None and given.verified.filament_g:
            order_g = given.verified.filament_g * ceil(order.copies / order.copies_per_plate)
        await check_quota(transaction.unit, order.belongs_to, now, order_g)
        job = wanted_job(farm, order, kept.sha256 if given is None else None, now)
        artifact = Artifact(
            sha256=kept.sha256,
            kind=ArtifactKind.MODEL if given is None else ArtifactKind.PLATE,
            name=order.file_name,
            size_bytes=kept.size_bytes,
            created_at=now,
        )
        facts: dict[str, Scalar] = {"sha256": kept.sha256, "copies": job.copies}
        if order.userdata:
            facts["userdata"] = order.userdata
        note = Note(subject="job", subject_id=job.job_id, name="job.received", facts=facts)
        effects: Effects = (Save(artifact), Save(job), note, Poke(Work.PREPARE))
        if given is not None:
            job, more = advance(job, JobEvent.READY, now)
            effects += (Save(given_plate(job, artifact, given)), *more, Poke(Work.DISPATCH))
        await transaction.perform(effects)
    log.info("job.received", job_id=job.job_id, actor=order.actor, copies=job.copies)
    return job


def wanted_job(farm: Farm, order: Order, model_sha256: str | None, now: datetime) -> Job:
    """Return the job that an order asks for; no model where a plate is given."""
    return Job(
        job_id=order.job_id or JobId(farm.ids.new("job")),
        name=order.name,
        model_sha256=model_sha256,
        copies=order.copies,
        copies_per_plate=order.copies_per_plate,
        material=order.material,
        quality=order.quality,
        printer_class=order.printer_class,
        printer_group=order.printer_group,
        printer_tags=tags_of(order.printer_tags),
        printer_id=order.printer_id,
        overrides=order.overrides,
        priority=order.priority,
        due_at=order.due_at,
        model_id=order.model_id,
        model_version=order.model_version,
        owner=order.belongs_to,
        approved=order.approved or not farm.policy.approval,
        held=order.held,
        retries_max=farm.policy.retries_max,
        created_at=now,
        updated_at=now,
    )


def given_plate(job: Job, artifact: Artifact, given: Given) -> Plate:
    """Return the plate of a job whose G-code was given."""
    figures = given.verified or Verified()
    return Plate(
        job_id=job.job_id,
        sha256=artifact.sha256,
        name=artifact.name,
        size_bytes=artifact.size_bytes,
        printer_class=given.printer_class,
        material=job.material,
        copies=job.copies_per_plate,
        time_s=figures.time_s,
        filament_mm=figures.filament_mm,
        filament_g=figures.filament_g,
        layer_count=figures.layer_count,
        line_count=figures.line_count,
        remarks=given.remarks,
    )
