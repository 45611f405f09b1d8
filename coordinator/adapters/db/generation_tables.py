"""The tables of generations and of what they cost: shape only, as in `tables.py`."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, Date, Index, Integer, String, false

from coordinator.adapters.db.shape import Field, SQLModel
from coordinator.adapters.db.tables import UtcDateTime


def _time(*, nullable: bool = True) -> Any:
    return Field(default=None, sa_column=Column(UtcDateTime, nullable=nullable))


def _json(*, nullable: bool = False) -> Any:
    return Field(default=None, sa_column=Column(JSON, nullable=nullable))


class GenerationRow(SQLModel, table=True):
    """A generation; `task_id` is its handle's, for who looks for it."""

    __tablename__ = "generations"
    __table_args__ = (
        Index("ix_generations_arrival", "created_at", "generation_id"),
        Index("ix_generations_due", "next_at", "state"),
        Index("ix_generations_task", "provider", "task_id"),
        Index("ix_generations_state", "provider", "state"),
        Index("ix_generations_owner_state", "owner", "state"),
    )

    generation_id: str = Field(primary_key=True)
    provider: str
    service: str
    owner: str
    approved: bool
    asked: dict[str, Any] = _json()
    fingerprint: str = Field(index=True)
    state: str
    task_id: str
    handle: dict[str, Any] | None = _json(nullable=True)
    submits: int
    tries: int
    looks: int
    renewals: int
    recalls: int
    next_at: datetime | None = _time()
    submitted_at: datetime | None = _time()
    deadline_at: datetime | None = _time()
    cancel_wanted: bool
    doubtful: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=false()))
    waits: str
    progress: float | None
    stage: str
    queue_position: int | None
    parcels: list[dict[str, Any]] = _json()
    model_id: str = Field(index=True)
    versions: list[list[Any]] = _json()
    job_id: str
    job_ids: list[str] = _json()
    said: str
    told: dict[str, Any] = _json()
    remarks: list[str] = _json()
    trouble: dict[str, Any] | None = _json(nullable=True)
    worker: str
    leased_until: datetime | None = _time()
    created_at: datetime = _time(nullable=False)
    updated_at: datetime = _time(nullable=False)
    version: int


class EntryRow(SQLModel, table=True):
    """What a paid call costs, in millionths of its unit, so that sums are exact."""

    __tablename__ = "provider_charges"
    __table_args__ = (Index("ix_provider_charges_day", "day", "unit"),)

    generation_id: str = Field(sa_column=Column(String, primary_key=True))
    submit: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    provider: str
    owner: str
    unit: str
    day: date = Field(sa_column=Column(Date, nullable=False))
    estimated: int = Field(sa_column=Column(BigInteger, nullable=False))
    reserved: int = Field(sa_column=Column(BigInteger, nullable=False))
    charged: int | None = Field(sa_column=Column(BigInteger, nullable=True))
