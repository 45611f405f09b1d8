"""The tables of the library: shape only, as in `tables.py`; history tells of all three."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String

from coordinator.adapters.db.shape import Field, SQLModel
from coordinator.adapters.db.tables import UtcDateTime


def _time() -> Any:
    return Field(default=None, sa_column=Column(UtcDateTime, nullable=False))


def _list() -> Any:
    return Field(default_factory=list, sa_column=Column(JSON, nullable=False))


def _json() -> Any:
    return Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


class ProjectRow(SQLModel, table=True):
    """A project."""

    __tablename__ = "projects"
    __table_args__ = (Index("ix_projects_arrival", "created_at", "project_id"),)

    project_id: str = Field(primary_key=True)
    name: str
    description: str
    owner: str
    archived: bool
    created_at: datetime = _time()
    updated_at: datetime = _time()
    version: int


class ModelRow(SQLModel, table=True):
    """A model."""

    __tablename__ = "models"
    __table_args__ = (Index("ix_models_arrival", "created_at", "model_id"),)

    model_id: str = Field(primary_key=True)
    name: str
    description: str
    project_id: str = Field(index=True)
    owner: str
    tags: list[str] = _list()
    latest: int
    archived: bool
    created_at: datetime = _time()
    updated_at: datetime = _time()
    version: int


class ModelVersionRow(SQLModel, table=True):
    """A version of a model; where it came from lies in the columns `origin_...`."""

    __tablename__ = "model_versions"

    model_id: str = Field(
        sa_column=Column(
            String,
            ForeignKey("models.model_id", deferrable=True, initially="DEFERRED"),
            nullable=False,
            primary_key=True,
        )
    )
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    sha256: str = Field(index=True)
    file_name: str
    size_bytes: int
    triangles: int
    size_mm: list[float] = _list()
    source_sha256: str
    language: str
    parameters: dict[str, Any] = _json()
    remarks: list[str] = _list()
    pictures: dict[str, Any] = _json()
    origin_kind: str
    origin_generation_id: str = Field(index=True)
    origin_provider: str
    origin_service: str
    origin_service_model: str
    origin_prompt: str
    origin_seed: int | None = None
    origin_url: str
    origin_author: str
    origin_licence: str
    origin_cost: str
    origin_tool: str
    origin_parents: list[str] = _list()
    origin_facts: dict[str, Any] = _json()
    note: str
    author: str
    created_at: datetime = _time()
