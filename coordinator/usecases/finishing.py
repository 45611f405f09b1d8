"""What a provider gave becomes a model's version, printable, and a job where one was wanted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import structlog

from coordinator.domain import library, results
from coordinator.domain.generating import Outcome
from coordinator.domain.generations import (
    Generation,
    GenerationEvent,
    GenerationState,
    Parcel,
    Trouble,
    advance,
)
from coordinator.domain.history import Plain
from coordinator.domain.ledger import Entry
from coordinator.domain.library import Model, Origin
from coordinator.domain.parcels import models_of
from coordinator.domain.plates import Artifact, ArtifactKind
from coordinator.domain.providing import Blame, Kind, ProviderFault
from coordinator.domain.slicing import Making, Printable
from coordinator.errors import NotFound, Refused, Unavailable
from coordinator.usecases import generation_rows as rows
from coordinator.usecases.farm import Farm
from coordinator.usecases.generation_rows import change_if_possible
from coordinator.usecases.library import NewVersion, put_version
from coordinator.usecases.orders import Order, order_version
from coordinator.usecases.performing import Writing, writing
from coordinator.usecases.storing import copy, keep, let_go
from coordinator.usecases.tracing import traced
from protocols.wire.vocabulary import JobId

log = structlog.get_logger(__name__)

_KINDS = {Kind.LINK: "link", Kind.CODE: "edited", Kind.MESH: "edited"}
# What a look tells that has a place of its own in a version's origin.
_PLACED = ("author", "licence", "service_model", "seed", "tool", "source", "url")
# What the numbers of a part of code were multiplied with, among the facts of its origin.
SCALE = "scale"


@dataclass(slots=True, eq=False)
class _Made:
    """One item, printable; `model` is its model's name, and which of the models it is."""

    parcel: Parcel
    model: tuple[str, int]
    mesh: Artifact
    pictures: Mapping[str, str]
    printable: Printable


@traced
async def make(farm: Farm, generation: Generation) -> Generation:
    """Make the meshes of a generation printable, and versions of them."""
    its_id, kept = generation.generation_id, list[Artifact]()
    try:
        meshes = [each for each in generation.parcels if each.role == "mesh"]
        if not meshes:
            return await _report(farm, its_id)
        models = models_of(generation.asked, generation.told, meshes)
        if generation.asked.model_id and models[-1] != models[0]:
            listed = ", ".join(each.name for each in meshes)
            words = f"these are several parts, and no one model's next version: name one: {listed}"
            raise Refused("several_parts", words)
        made = [
            await _printable(farm, generation, each, model, kept)
            for each, model in zip(meshes, models, strict=True)
        ]
        return await _add(farm, its_id, made, kept)
    except (Refused, NotFound) as error:
        code = error.code if isinstance(error, Refused) else "input_gone"
        fault = ProviderFault(Blame.PROVIDER_FAILED, code, str(error))
        return await change_if_possible(
            farm, its_id, lambda known, now: Outcome(generation=results.failed(known, fault, now))
        )
    except Unavailable as error:
        code, words = error.code, str(error)

        def decide(known: Generation, now: datetime) -> Outcome:
            return Outcome(generation=results.making_failed(known, code, words, now))

        return await change_if_possible(farm, its_id, decide)
    finally:
        farm.live.generating.pop(its_id, None)
        for artifact in kept:
            await let_go(farm, artifact.sha256)


async def _report(farm: Farm, its_id: str) -> Generation:
    """End a generation that only looked at a mesh; the version that it looked at is what it has."""
    async with farm.store.read() as unit:
        asked = (await rows.the_generation(unit, its_id)).asked
        versions = await unit.model_versions(asked.model_id) if asked.model_id else []
    looked_at = [each for each in versions if each.sha256 == asked.mesh_sha256][-1:]

    def decide(known: Generation, now: datetime) -> Outcome:
        done = advance(known, GenerationEvent.FINISH, now)
        found = tuple((each.model_id, each.number) for each in looked_at)
        return Outcome(generation=replace(done, versions=found, approved=True, trouble=None))

    return await change_if_possible(farm, its_id, decide)


async def _printable(
    farm: Farm, generation: Generation, parcel: Parcel, model: tuple[str, int], kept: list[Artifact]
) -> _Made:
    """Have the workshop make one mesh printable.

    Raises:
        Refused: it can't be mended.
        Unavailable: the workshop, or the disk, does not answer now.
    """
    its_id, told = generation.generation_id, generation.told
    making = Making(
        longest_mm=generation.asked.size_mm or await _longest_before(farm, generation),
        scale=await _scale_before(farm, generation),
        author=str(told.get("author") or ""),
        licence=str(told.get("licence") or ""),
        source=generation.asked.url or f"{generation.service} {generation.generation_id}",
    )

    def report(ratio: float, stage: str) -> None:
        farm.live.generating[its_id] = (ratio, stage)
        farm.live.news.tell((("progress", its_id),))

    async with (
        farm.artifacts.as_file(parcel.sha256, parcel.suffix) as path,
        farm.artifacts.scratch() as folder,
    ):
        printable = await farm.workshop.make_printable(path, making, folder, report)
        mended = folder / f"model{printable.format}"
        if not mended.is_file():
            raise Refused("not_printable", "; ".join(printable.faults) or "nothing was made of it")
        name = f"{_stem(model[0])}{printable.format}"
        mesh = await _keep(farm, mended, ArtifactKind.MODEL, name, kept)
        pictures = {}
        for each in printable.pictures:
            shows = f"{each.shows}-{each.width_px}"
            drawn = folder / each.path.name  # from nowhere else, whatever it says
            picture = await _keep(farm, drawn, ArtifactKind.PICTURE, f"{name}.{shows}.png", kept)
            pictures[shows] = picture.sha256
    return _Made(parcel=parcel, model=model, mesh=mesh, pictures=pictures, printable=printable)


async def _longest_before(farm: Farm, generation: Generation) -> float | None:
    """Return how long the mesh was that was mended; None where nobody measured it."""
    asked = generation.asked
    if asked.kind is not Kind.MESH or not asked.model_id:
        return None
    async with farm.store.read() as unit:
        versions = await unit.model_versions(asked.model_id)
    known = (max(each.size_mm) for each in versions if each.sha256 == asked.mesh_sha256)
    return next(known, 0.0) or None


async def _scale_before(farm: Farm, generation: Generation) -> float | None:
    """Return how code's part was scaled whose values are changed; None where it was not.

    Its length may be another one now: what stays is the scale.
    """
    asked = generation.asked
    if asked.kind is not Kind.CODE or not asked.continues:
        return None
    async with farm.store.read() as unit:
        before = await rows.the_generation(unit, asked.continues)
        version = await unit.model_version(*before.versions[0]) if before.versions else None
    scale = version.origin.facts.get(SCALE) if version is not None else None
    return float(scale) if isinstance(scale, int | float) else None


async def _keep(
    farm: Farm, path: Path, kind: ArtifactKind, name: str, kept: list[Artifact]
) -> Artifact:
    async with farm.artifacts.stage(path.suffix) as staged:
        await copy(path, staged)
        await keep(farm, staged)
        artifact = Artifact(
            sha256=staged.sha256,
            kind=kind,
            name=name,
            size_bytes=staged.size_bytes,
            created_at=farm.clock.now(),
        )
        kept.append(artifact)
        return artifact


async def _add(
    farm: Farm, its_id: str, made: Sequence[_Made], kept: Sequence[Artifact]
) -> Generation:
    """Add the versions, and move the generation on, in one transaction."""
    async with writing(farm, "farm", "generating") as transaction:
        known = await rows.the_generation(transaction.unit, its_id)
        if known.state is not GenerationState.MAKING:
            return known  # somebody ended it
        transaction.actor = known.owner
        costs = await transaction.unit.entries(its_id)
        versions = []
        for each in made:
            model_id = await _model(transaction, known, *each.model)
            new = _version_of(known, each, costs, kept)
            added = await put_version(transaction, model_id, each.mesh, new)
            versions.append((model_id, added.number))
        transaction.actor = "farm"
        faults = [words for each in made for words in each.printable.faults]
        remarks = [words for each in made for words in each.printable.remarks]
        # What can't be printed as it is, somebody has to look at first.
        looked_at = known.approved and not (faults and known.asked.printing is not None)
        grown = replace(
            known,
            versions=tuple(versions),
            remarks=(*faults, *remarks),
            approved=looked_at,
            trouble=None,
        )
        outcome = Outcome(generation=results.made(grown, transaction.now))
        changed = await rows.put(transaction, known, outcome)
    rows.told(farm, changed)
    return changed


async def _model(transaction: Writing, known: Generation, name: str, number: int) -> str:
    """Return the model that a version belongs to; a new one where none is named, or there."""
    unit, now, asked = transaction.unit, transaction.now, known.asked
    if asked.model_id and await unit.model(asked.model_id) is not None:
        return asked.model_id
    model_id = _numbered("model", known, number)
    if await unit.model(model_id) is not None:
        return model_id
    in_project = asked.project_id and await unit.project(asked.project_id) is not None
    model = Model(
        model_id=model_id,
        name=name,
        description=asked.prompt,
        project_id=asked.project_id if in_project else "",
        owner=known.owner,
        created_at=now,
        updated_at=now,
    )
    await transaction.perform(library.made(model))
    return model_id


def _version_of(
    known: Generation, made: _Made, costs: Sequence[Entry], kept: Sequence[Artifact]
) -> NewVersion:
    printable, told = made.printable, known.told
    code = next((each for each in known.parcels if each.role == "code"), None)
    came_as = {made.parcel.sha256, *(each.sha256 for each in known.asked.pictures)}
    if code is not None:
        came_as.add(code.sha256)
    if known.asked.mesh_sha256:
        came_as.add(known.asked.mesh_sha256)
    pictures = dict(made.pictures)
    for number, each in enumerate(p for p in known.parcels if p.role == "picture" and p.sha256):
        pictures[f"given-{number}"] = each.sha256
    seed = told.get("seed", known.asked.seed)
    facts = {
        name: value
        for name, value in told.items()
        if name not in _PLACED and isinstance(value, str | int | float | bool)
    }
    if code is not None and printable.scale != 1.0:
        facts[SCALE] = printable.scale
    return NewVersion(
        file_name=made.mesh.name,
        origin=Origin(
            kind=_KINDS.get(known.asked.kind, "generated"),
            generation_id=known.generation_id,
            provider=known.provider,
            service=known.service,
            service_model=str(told.get("service_model") or ""),
            prompt=known.asked.prompt,
            seed=seed if isinstance(seed, int) else None,
            url=known.asked.url or str(told.get("url") or ""),
            author=str(told.get("author") or ""),
            licence=str(told.get("licence") or ""),
            cost=cost_words(costs),
            tool=str(told.get("tool") or ""),
            parents=tuple(sorted(came_as)),
            facts=facts,
        ),
        triangles=printable.triangles,
        size_mm=printable.size_mm,
        source_sha256=code.sha256 if code is not None else "",
        language=str(told.get("language") or ""),
        # What a language model was told of values stands in its code.
        parameters=known.asked.parameters if known.asked.kind is Kind.CODE else {},
        remarks=(*printable.faults, *printable.remarks, *_remarks_in(told)),
        pictures=pictures,
        artifacts=tuple(kept),
    )


def _remarks_in(told: Mapping[str, Plain]) -> list[str]:
    """Return what the source itself has to say of what it made."""
    listed = told.get("remarks")
    return [each for each in listed if isinstance(each, str)] if isinstance(listed, list) else []


def cost_words(costs: Sequence[Entry]) -> str:
    """Return what a generation cost, `1.25 USD`; `at most` where nobody was told exactly."""
    spent = [each for each in costs if each.spent]
    if not spent:
        return ""
    unit = spent[-1].unit
    total = sum(each.spent for each in spent if each.unit == unit)
    guess = "" if all(each.charged is not None for each in spent) else "at most "
    return f"{guess}{total.normalize():f} {unit}" if total else ""


@traced
async def order(farm: Farm, generation: Generation) -> Generation:
    """Make a job of each model of a generation; where one is refused, the model is there."""
    its_id, jobs, refused = generation.generation_id, list[str](), list[str]()
    # Of several versions of one model the first is as good as any.
    firsts = dict(reversed(generation.versions))
    for number, (model_id, version) in enumerate(reversed(firsts.items())):
        job_id = JobId(_numbered("job", generation, number))
        try:
            async with farm.store.read() as unit:
                made = await unit.job(job_id) is not None  # and we were stopped before we said so
            if not made:
                await _accept(farm, generation, job_id, model_id, version)
            jobs.append(job_id)
        except (Refused, NotFound) as error:
            refused.append(f"no job was made: {error}")
        except Unavailable as error:
            return await _order_later(farm, its_id, str(error))

    def decide(known: Generation, now: datetime) -> Outcome:
        done = advance(known, GenerationEvent.FINISH, now)
        remarks, trouble = (*known.remarks, *refused), None
        if refused:
            trouble = Trouble(blame=Blame.INVALID_INPUT, code="no_job", message=refused[0])
        done = replace(done, job_ids=tuple(jobs), remarks=remarks, trouble=trouble)
        return Outcome(generation=done)

    return await change_if_possible(farm, its_id, decide)


async def _order_later(farm: Farm, its_id: str, words: str) -> Generation:
    def decide(known: Generation, now: datetime) -> Outcome:
        return Outcome(generation=replace(results.later(known, 10.0, now), waits=words))

    return await change_if_possible(farm, its_id, decide)


async def _accept(
    farm: Farm, generation: Generation, job_id: JobId, model_id: str, version: int
) -> None:
    printing = generation.asked.printing
    assert printing is not None, "a job was wanted"
    wanted = Order(
        name="",  # as its model is called
        file_name="",
        copies=printing.copies,
        material=printing.material,
        quality=printing.quality,
        printer_class=printing.printer_class,
        job_id=job_id,
        actor="farm",
        origin=f"generation {generation.generation_id}",
        owner=generation.owner,
        approved=generation.approved,
    )
    await order_version(farm, wanted, model_id, version)


def _numbered(prefix: str, generation: Generation, number: int) -> str:
    """Return the id of what comes of a generation, the same whenever it is made."""
    its_id = f"{prefix}-{generation.generation_id.partition('-')[2]}"
    return f"{its_id}-{number + 1}" if number else its_id


def _stem(name: str) -> str:
    """Return a name that can name a file."""
    kept = "".join(each if each.isalnum() or each in "-_ " else " " for each in name)
    return "-".join(kept.split())[:60] or "model"
