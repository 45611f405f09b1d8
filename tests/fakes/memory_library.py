"""The library of a store in memory."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from coordinator.domain.library import (
    Model,
    ModelsWanted,
    ModelVersion,
    Place,
    Project,
    ProjectsWanted,
)

if TYPE_CHECKING:
    from tests.fakes.memory_store import Tables

_Thing = TypeVar("_Thing", Project, Model)


@dataclass
class LibraryTables:
    """All rows about the library."""

    projects: dict[str, Project] = field(default_factory=dict)
    models: dict[str, Model] = field(default_factory=dict)
    versions: dict[tuple[str, int], ModelVersion] = field(default_factory=dict)

    def copy(self) -> "LibraryTables":
        return LibraryTables(
            projects=dict(self.projects), models=dict(self.models), versions=dict(self.versions)
        )


class MemoryLibrary:
    """Implements `coordinator.ports_library.LibraryUnit` on tables."""

    tables: "Tables"
    changed: bool

    async def project(self, project_id: str) -> Project | None:
        return self.tables.library.projects.get(project_id)

    async def projects_page(
        self, wanted: ProjectsWanted, *, after: Place | None, limit: int
    ) -> list[Project]:
        return _page(self.tables.library.projects.values(), wanted, after)[:limit]

    async def projects_count(self, wanted: ProjectsWanted) -> int:
        return len(_page(self.tables.library.projects.values(), wanted, None))

    async def save_project(self, project: Project) -> None:
        self.changed = True
        self.tables.library.projects[project.project_id] = project

    async def model(self, model_id: str) -> Model | None:
        return self.tables.library.models.get(model_id)

    async def models_page(
        self, wanted: ModelsWanted, *, after: Place | None, limit: int
    ) -> list[Model]:
        return self._models(wanted, after)[:limit]

    async def models_count(self, wanted: ModelsWanted) -> int:
        return len(self._models(wanted, None))

    def _models(self, wanted: ModelsWanted, after: Place | None) -> list[Model]:
        found = [
            model
            for model in self.tables.library.models.values()
            if wanted.project_id in ("", model.project_id)
            and (not wanted.tag or wanted.tag in model.tags)
        ]
        return _page(found, wanted, after)

    async def save_model(self, model: Model) -> None:
        self.changed = True
        self.tables.library.models[model.model_id] = model

    async def model_version(self, model_id: str, number: int) -> ModelVersion | None:
        return self.tables.library.versions.get((model_id, number))

    async def model_versions(self, model_id: str) -> list[ModelVersion]:
        versions = self.tables.library.versions
        return [versions[key] for key in sorted(versions) if key[0] == model_id]

    async def add_model_version(self, version: ModelVersion) -> None:
        self.changed = True
        self.tables.library.versions.setdefault((version.model_id, version.number), version)


def _page(
    things: Iterable[_Thing], wanted: ProjectsWanted | ModelsWanted, after: Place | None
) -> list[_Thing]:
    found = [
        thing
        for thing in things
        if wanted.text.lower() in thing.name.lower()
        and wanted.owner in ("", thing.owner)
        and (wanted.archived or not thing.archived)
        and (after is None or _place(thing) > (after.created_at, after.its_id))
    ]
    return sorted(found, key=_place)


def _place(thing: Project | Model) -> tuple[datetime, str]:
    return thing.created_at, thing.project_id if isinstance(thing, Project) else thing.model_id
