"""Generations as people see them: with what they cost, what came of them, and how far they are."""

from dataclasses import dataclass

from coordinator.domain.generations import Generation
from coordinator.domain.ledger import Entry
from coordinator.domain.library import ModelVersion, Place
from coordinator.errors import NotFound
from coordinator.ports import Unit
from coordinator.ports_generations import GenerationsWanted
from coordinator.usecases import generation_rows as rows
from coordinator.usecases.farm import Farm


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A version that came of a generation, and what its model is called now."""

    name: str
    version: ModelVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationView:
    """A generation with what it cost, what came of it, and how far it is at this moment."""

    generation: Generation
    entries: tuple[Entry, ...] = ()
    made: tuple[Made, ...] = ()
    progress: float | None = None
    stage: str = ""


async def view(farm: Farm, generation_id: str, *, only_of: str | None = None) -> GenerationView:
    """Return one generation.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    async with farm.store.read() as unit:
        found = await rows.the_generation(unit, generation_id)
        if only_of is not None and found.owner != only_of:
            raise NotFound("generation", generation_id)
        return await _view(farm, unit, found)


async def page(
    farm: Farm, wanted: GenerationsWanted, *, after: Place | None, limit: int
) -> tuple[list[GenerationView], Place | None]:
    """Return a page of generations, the newest first, and behind which place the next begins."""
    async with farm.store.read() as unit:
        found = await unit.generations_page(wanted, after=after, limit=limit + 1)
        views = [await _view(farm, unit, each) for each in found[:limit]]
    last = views[-1].generation if len(found) > limit else None
    return views, Place(last.created_at, last.generation_id) if last is not None else None


async def _view(farm: Farm, unit: Unit, generation: Generation) -> GenerationView:
    now = farm.live.generating.get(generation.generation_id)
    progress, stage = now or (generation.progress, generation.stage)
    made = []
    for model_id, number in generation.versions:
        model, version = await unit.model(model_id), await unit.model_version(model_id, number)
        if model is not None and version is not None:
            made.append(Made(name=model.name, version=version))
    return GenerationView(
        generation=generation,
        entries=tuple(await unit.entries(generation.generation_id)),
        made=tuple(made),
        progress=progress,
        stage=stage,
    )
