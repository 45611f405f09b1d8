"""The library, read: projects, models and their versions; changes nothing."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from coordinator.domain.jobs import Job
from coordinator.domain.library import (
    Model,
    ModelsWanted,
    ModelVersion,
    Place,
    Project,
    ProjectsWanted,
)
from coordinator.domain.provenance import facts_of
from coordinator.errors import NotFound
from coordinator.ports import Unit
from coordinator.usecases.farm import Farm


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelView:
    """A model with its newest version; None where it has none yet."""

    model: Model
    newest: ModelVersion | None


Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf(Generic[Item]):
    """A page of projects or models.

    Attributes:
        next: behind which place the next one begins; None where this is the last.
        total: how many there are on all pages.
    """

    items: tuple[Item, ...]
    next: Place | None
    total: int


async def project_of(farm: Farm, project_id: str) -> Project:
    """Return one project.

    Raises:
        NotFound: there is none.
    """
    async with farm.store.read() as unit:
        return await the_project(unit, project_id)


async def projects_page(
    farm: Farm, wanted: ProjectsWanted, *, after: Place | None, limit: int
) -> Shelf[Project]:
    """Return a page of projects; `after` is behind which place it begins, None at the first."""
    async with farm.store.read() as unit:
        found = await unit.projects_page(wanted, after=after, limit=limit + 1)
        total = await unit.projects_count(wanted)
    last = found[limit - 1] if len(found) > limit else None
    behind = Place(last.created_at, last.project_id) if last is not None else None
    return Shelf(items=tuple(found[:limit]), next=behind, total=total)


async def model_view(farm: Farm, model_id: str) -> ModelView:
    """Return one model with its newest version.

    Raises:
        NotFound: there is none.
    """
    async with farm.store.read() as unit:
        return await _view(unit, await the_model(unit, model_id))


async def models_page(
    farm: Farm, wanted: ModelsWanted, *, after: Place | None, limit: int
) -> Shelf[ModelView]:
    """Return a page of models, each with its newest version; `after` as in `projects_page`."""
    async with farm.store.read() as unit:
        found = await unit.models_page(wanted, after=after, limit=limit + 1)
        total = await unit.models_count(wanted)
        views = [await _view(unit, model) for model in found[:limit]]
    last = found[limit - 1] if len(found) > limit else None
    behind = Place(last.created_at, last.model_id) if last is not None else None
    return Shelf(items=tuple(views), next=behind, total=total)


async def versions_of(farm: Farm, model_id: str) -> list[ModelVersion]:
    """Return a model's versions, the first one first.

    Raises:
        NotFound: there is no such model.
    """
    async with farm.store.read() as unit:
        await the_model(unit, model_id)
        return await unit.model_versions(model_id)


async def version_of(farm: Farm, model_id: str, number: int | None = None) -> ModelVersion:
    """Return one version of a model; the newest for None.

    Raises:
        NotFound: there is no such model, or no such version.
    """
    async with farm.store.read() as unit:
        return await the_version(unit, model_id, number)


async def the_project(unit: Unit, project_id: str) -> Project:
    """Return a project; NotFound where there is none."""
    project = await unit.project(project_id)
    if project is None:
        raise NotFound("project", project_id)
    return project


async def the_model(unit: Unit, model_id: str) -> Model:
    """Return a model; NotFound where there is none."""
    model = await unit.model(model_id)
    if model is None:
        raise NotFound("model", model_id)
    return model


async def the_version(unit: Unit, model_id: str, number: int | None) -> ModelVersion:
    """Return a version of a model, the newest for None; NotFound where there is none."""
    model = await the_model(unit, model_id)
    version = await unit.model_version(model_id, model.latest if number is None else number)
    if version is None:
        raise NotFound("version", f"{model_id}/{number or 'latest'}")
    return version


async def provenance_of(unit: Unit, job: Job) -> dict[str, str]:
    """Return where a job's model came from (`domain/provenance.py`); nothing for a file."""
    model = await unit.model(job.model_id) if job.model_id else None
    version = await unit.model_version(job.model_id, job.model_version) if model else None
    return facts_of(model, version) if model and version else {}


async def _view(unit: Unit, model: Model) -> ModelView:
    newest = await unit.model_version(model.model_id, model.latest) if model.latest else None
    return ModelView(model=model, newest=newest)
