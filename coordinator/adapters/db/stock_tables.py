"""The tables of spools and of maintenance: shape only, as in `tables.py`; history tells of both."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index

from coordinator.adapters.db.shape import Field, SQLModel
from coordinator.adapters.db.tables import UtcDateTime


def _time() -> Any:
    return Field(default=None, sa_column=Column(UtcDateTime, nullable=False))


class SpoolRow(SQLModel, table=True):
    """A spool."""

    __tablename__ = "spools"
    __table_args__ = (Index("ix_spools_arrival", "created_at", "spool_id"),)

    spool_id: str = Field(primary_key=True)
    material: str
    colour: str
    vendor: str
    weight_g: float
    remaining_g: float
    cost: float | None = None
    lot: str
    location: str
    notes: str
    printer_id: str | None = Field(default=None, index=True)
    tool: int
    archived: bool
    created_at: datetime = _time()
    updated_at: datetime = _time()
    version: int


class UpkeepRow(SQLModel, table=True):
    """A task of maintenance."""

    __tablename__ = "maintenance"

    upkeep_id: str = Field(primary_key=True)
    printer_id: str = Field(index=True)
    name: str
    every_h: float | None = None
    every_days: float | None = None
    since: datetime = _time()
    done_by: str
    archived: bool
    created_at: datetime = _time()
    version: int
