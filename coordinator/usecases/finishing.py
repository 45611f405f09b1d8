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
from coordinator.domain.ledger import Entry
from coordinator.domain.library import Model, Origin
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
from protocols.wire.vocabulary import JobId

log = structlog.get_logger(__name__)

_KINDS = {Kind.LINK: "link", Kind.CODE: "edited", Kind.MESH: "edited"}
# What a look tells that has a place of its own in a version's origin.
_PLACED = ("author", "licence", "service_model", "seed", "tool", "source", "url")


@dataclass(slots=True, eq=False)
class _Made:
    """One item, printable."""

    parcel: Parcel
    mesh: Artifact
    pictures: Mapping[str, str]
    printable: Printable


async def make(farm: Farm, generation: Generation) -> Generation:
    """Make the meshes of a generation printable, and versions of them."""
    its_id, kept = generation.generation_id, list[Artifact]()
    try:
        meshes = [each for each in generation.parcels if each.role == "mesh"]
        made = [await _printable(farm, generation, each, kept) for each in meshes]
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


async def _printable(
    farm: Farm, generation: Generation, parcel: Parcel, kept: list[Artifact]
) -> _Made:
    """Have the workshop make one mesh printable.

    Raises:
        Refused: it can't be mended.
        Unavailable: the workshop, or the disk, does not answer now.
    """
    its_id, told = generation.generation_id, generation.told
    making = Making(
        longest_mm=generation.asked.size_mm,
        author=str(told.get("author") or ""),
        licence=str(told.get("licence") or ""),
        source=generation.asked.url or f"{generation.service} {generation.generation_id}",
    )

    def report(ratio: float, stage: str) -> None:
        farm.live.generating[its_id] = (ratio, stage)
        farm.live.news.tell((("progress", its_id),))

    async with (
        farm.artifacts.as_file(parcel.sha256, parcel.suffix) as model,
        farm.artifacts.scratch() as folder,
    ):
        printable = await farm.workshop.make_printable(model, making, folder, report)
        path = folder / f"model{printable.format}"
        if not path.is_file():
            raise Refused("not_printable", "; ".join(printable.faults) or "nothing was made of it")
        name = f"{_stem(generation.asked.name)}{printable.format}"
        mesh = await _keep(farm, path, ArtifactKind.MODEL, name, kept)
        pictures = {}
        for each in printable.pictures:
            shows = f"{each.shows}-{each.width_px}"
            drawn = folder / each.path.name  # from nowhere else, whatever it says
            picture = await _keep(farm, drawn, ArtifactKind.PICTURE, f"{name}.{shows}.png", kept)
            pictures[shows] = picture.sha256
    return _Made(parcel=parcel, mesh=mesh, pictures=pictures, printable=printable)


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
        model_id = await _model(transaction, known)
        costs = await transaction.unit.entries(its_id)
        versions = []
        for each in made:
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


async def _model(transaction: Writing, known: Generation) -> str:
    """Return the model that the versions belong to; a new one where none is named, or there."""
    unit, now, asked = transaction.unit, transaction.now, known.asked
    if asked.model_id and await unit.model(asked.model_id) is not None:
        return asked.model_id
    model_id = f"model-{known.generation_id.partition('-')[2]}"
    in_project = asked.project_id and await unit.project(asked.project_id) is not None
    model = Model(
        model_id=model_id,
        name=asked.name,
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
            facts={
                name: value
                for name, value in told.items()
                if name not in _PLACED and isinstance(value, str | int | float | bool)
            },
        ),
        triangles=printable.triangles,
        size_mm=printable.size_mm,
        source_sha256=code.sha256 if code is not None else "",
        language=str(told.get("language") or ""),
        parameters=known.asked.parameters,
        remarks=(*printable.faults, *printable.remarks),
        pictures=pictures,
        artifacts=tuple(kept),
    )


def cost_words(costs: Sequence[Entry]) -> str:
    """Return what a generation cost, `1.25 USD`; `at most` where nobody was told exactly."""
    spent = [each for each in costs if each.spent]
    if not spent:
        return ""
    unit = spent[-1].unit
    total = sum(each.spent for each in spent if each.unit == unit)
    guess = "" if all(each.charged is not None for each in spent) else "at most "
    return f"{guess}{total.normalize():f} {unit}" if total else ""


async def order(farm: Farm, generation: Generation) -> Generation:
    """Make the job that was wanted of a generation; where it is refused, the model is there."""
    its_id, printing = generation.generation_id, generation.asked.printing
    assert printing is not None, "a job was wanted"
    job_id = JobId(f"job-{its_id.partition('-')[2]}")
    async with farm.store.read() as unit:
        made = await unit.job(job_id) is not None  # and we were stopped before we said so
    remark = ""
    if not made:
        try:
            await _accept(farm, generation, job_id)
        except (Refused, NotFound) as error:
            remark, job_id = f"no job was made: {error}", JobId("")
        except Unavailable as error:
            words = str(error)
            return await change_if_possible(
                farm,
                its_id,
                lambda known, now: Outcome(
                    generation=replace(results.later(known, 10.0, now), waits=words)
                ),
            )

    def decide(known: Generation, now: datetime) -> Outcome:
        done = advance(known, GenerationEvent.FINISH, now)
        remarks = (*known.remarks, remark) if remark else known.remarks
        trouble = (
            Trouble(blame=Blame.INVALID_INPUT, code="no_job", message=remark) if remark else None
        )
        return Outcome(generation=replace(done, job_id=job_id, remarks=remarks, trouble=trouble))

    return await change_if_possible(farm, its_id, decide)


async def _accept(farm: Farm, generation: Generation, job_id: JobId) -> None:
    printing = generation.asked.printing
    assert printing is not None, "a job was wanted"
    wanted = Order(
        name=generation.asked.name,
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
    await order_version(farm, wanted, *generation.versions[0])


def _stem(name: str) -> str:
    """Return a name that can name a file."""
    kept = "".join(each if each.isalnum() or each in "-_ " else " " for each in name)
    return "-".join(kept.split())[:60] or "model"
