"""The part of a `Unit` that is about projects, models and their versions: see `ports.py`."""

from typing import Protocol

from coordinator.domain.library import (
    Model,
    ModelsWanted,
    ModelVersion,
    Place,
    Project,
    ProjectsWanted,
)


class LibraryUnit(Protocol):
    """Projects, models and versions in one transaction."""

    async def project(self, project_id: str) -> Project | None:
        """Return one project."""

    async def projects_page(
        self, wanted: ProjectsWanted, *, after: Place | None, limit: int
    ) -> list[Project]:
        """Return projects in order of arrival: the first `limit` behind `after`, None for all."""

    async def projects_count(self, wanted: ProjectsWanted) -> int:
        """Return how many such projects there are."""

    async def save_project(self, project: Project) -> None:
        """Insert or replace a project."""

    async def model(self, model_id: str) -> Model | None:
        """Return one model."""

    async def models_page(
        self, wanted: ModelsWanted, *, after: Place | None, limit: int
    ) -> list[Model]:
        """Return models in order of arrival: the first `limit` behind `after`, None for all."""

    async def models_count(self, wanted: ModelsWanted) -> int:
        """Return how many such models there are."""

    async def save_model(self, model: Model) -> None:
        """Insert or replace a model."""

    async def model_version(self, model_id: str, number: int) -> ModelVersion | None:
        """Return one version of a model."""

    async def model_versions(self, model_id: str) -> list[ModelVersion]:
        """Return a model's versions, the first one first."""

    async def add_model_version(self, version: ModelVersion) -> None:
        """Insert a version; one that is there already stays as it is."""
