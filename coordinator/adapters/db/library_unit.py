"""The part of a `Unit` that is about the library; the contracts stand in the port."""

import json
from dataclasses import fields
from typing import Any

from sqlalchemy import Select, String, Table, bindparam, cast, func, select, tuple_

from coordinator.adapters.db import library_tables, mapping, tables
from coordinator.adapters.db.history_unit import HistoryUnit
from coordinator.adapters.db.mapping import Row
from coordinator.adapters.db.saving import keeping, saving
from coordinator.domain.library import (
    Model,
    ModelsWanted,
    ModelVersion,
    Origin,
    Place,
    Project,
    ProjectsWanted,
)

_PROJECTS = tables.table(library_tables.ProjectRow)
_MODELS = tables.table(library_tables.ModelRow)
_VERSIONS = tables.table(library_tables.ModelVersionRow)

_PROJECT = select(_PROJECTS).where(_PROJECTS.c.project_id == bindparam("id"))
_MODEL = select(_MODELS).where(_MODELS.c.model_id == bindparam("id"))
_VERSIONS_OF = (
    select(_VERSIONS).where(_VERSIONS.c.model_id == bindparam("id")).order_by(_VERSIONS.c.number)
)
_VERSION = _VERSIONS_OF.where(_VERSIONS.c.number == bindparam("number"))

_SAVE_PROJECT = saving(_PROJECTS, "project_id")
_SAVE_MODEL = saving(_MODELS, "model_id")
_ADD_VERSION = keeping(_VERSIONS)
_ORIGIN = tuple((each.name, f"origin_{each.name}") for each in fields(Origin))


class LibraryUnit(HistoryUnit):
    """Projects, models and versions in one transaction."""

    async def project(self, project_id: str) -> Project | None:
        """Return one project."""
        row = self._connection.execute(_PROJECT, {"id": project_id}).mappings().first()
        return Project(**row) if row is not None else None

    async def projects_page(
        self, wanted: ProjectsWanted, *, after: Place | None, limit: int
    ) -> list[Project]:
        """Return projects in order of arrival."""
        page = _narrowed(select(_PROJECTS), _PROJECTS, wanted)
        return [Project(**row) for row in self._page(page, _PROJECTS, "project_id", after, limit)]

    async def projects_count(self, wanted: ProjectsWanted) -> int:
        """Return how many such projects there are."""
        return self._count(_narrowed(select(_PROJECTS.c.project_id), _PROJECTS, wanted))

    async def save_project(self, project: Project) -> None:
        """Insert or replace a project."""
        statement = _SAVE_PROJECT[self._connection.dialect.name]
        self._connection.execute(statement, mapping.to_row(project))

    async def model(self, model_id: str) -> Model | None:
        """Return one model."""
        row = self._connection.execute(_MODEL, {"id": model_id}).mappings().first()
        return _model_of(dict(row)) if row is not None else None

    async def models_page(
        self, wanted: ModelsWanted, *, after: Place | None, limit: int
    ) -> list[Model]:
        """Return models in order of arrival."""
        page = _narrowed(select(_MODELS), _MODELS, wanted)
        return [_model_of(row) for row in self._page(page, _MODELS, "model_id", after, limit)]

    async def models_count(self, wanted: ModelsWanted) -> int:
        """Return how many such models there are."""
        return self._count(_narrowed(select(_MODELS.c.model_id), _MODELS, wanted))

    async def save_model(self, model: Model) -> None:
        """Insert or replace a model."""
        statement = _SAVE_MODEL[self._connection.dialect.name]
        self._connection.execute(statement, mapping.to_row(model))

    async def model_version(self, model_id: str, number: int) -> ModelVersion | None:
        """Return one version of a model."""
        given = {"id": model_id, "number": number}
        row = self._connection.execute(_VERSION, given).mappings().first()
        return _version_of(dict(row)) if row is not None else None

    async def model_versions(self, model_id: str) -> list[ModelVersion]:
        """Return a model's versions, the first one first."""
        found = self._connection.execute(_VERSIONS_OF, {"id": model_id}).mappings()
        return [_version_of(dict(row)) for row in found]

    async def add_model_version(self, version: ModelVersion) -> None:
        """Insert a version; one that is there already stays as it is."""
        statement = _ADD_VERSION[self._connection.dialect.name]
        self._connection.execute(statement, _version_row(version))

    def _count(self, wanted: Select[Any]) -> int:
        counting = select(func.count()).select_from(wanted.subquery())
        return int(self._connection.execute(counting).scalar_one())

    def _page(
        self, page: Select[Any], table: Table, key: str, after: Place | None, limit: int
    ) -> list[Row]:
        if after is not None:
            at = bindparam(None, after.created_at, type_=table.c.created_at.type)
            page = page.where(tuple_(table.c.created_at, table.c[key]) > tuple_(at, after.its_id))
        page = page.order_by(table.c.created_at, table.c[key]).limit(limit)
        return [dict(row) for row in self._connection.execute(page).mappings()]


def _narrowed(
    page: Select[Any], table: Table, wanted: ProjectsWanted | ModelsWanted
) -> Select[Any]:
    if wanted.text:
        name = func.lower(table.c.name)
        page = page.where(name.contains(wanted.text.lower(), autoescape=True))
    if wanted.owner:
        page = page.where(table.c.owner == wanted.owner)
    if not wanted.archived:
        page = page.where(~table.c.archived)
    if isinstance(wanted, ModelsWanted) and wanted.project_id:
        page = page.where(table.c.project_id == wanted.project_id)
    if isinstance(wanted, ModelsWanted) and wanted.tag:
        # Tags are a JSON array of texts; each stands in it as JSON has it.
        as_text = cast(table.c.tags, String)
        page = page.where(as_text.contains(json.dumps(wanted.tag), autoescape=True))
    return page


def _model_of(row: Row) -> Model:
    return Model(**row | {"tags": tuple(row["tags"])})


def _version_row(version: ModelVersion) -> Row:
    row = mapping.to_row(version)
    origin = mapping.to_row(row.pop("origin"))
    return row | {column: origin[name] for name, column in _ORIGIN}


def _version_of(row: Row) -> ModelVersion:
    origin = {name: row.pop(column) for name, column in _ORIGIN}
    width, depth, height = row["size_mm"]
    return ModelVersion(
        **row
        | {
            "size_mm": (width, depth, height),
            "remarks": tuple(row["remarks"]),
            "origin": Origin(**origin | {"parents": tuple(origin["parents"])}),
        }
    )
