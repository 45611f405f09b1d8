"""The tables of statistics: shape only, as in `tables.py`.

History does not tell of them: they are made of it, and can be made again.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, Integer

from coordinator.adapters.db.shape import Field, SQLModel
from coordinator.adapters.db.tables import UtcDateTime


def _time() -> Any:
    return Field(default=None, sa_column=Column(UtcDateTime, nullable=False))


class StandingRow(SQLModel, table=True):
    """How a printer stood when its lines were last played; an empty status is not known."""

    __tablename__ = "standings"

    printer_id: str = Field(primary_key=True)
    status: str
    since: datetime = _time()
    fields: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))


class SpellRow(SQLModel, table=True):
    """A time in which a printer had one status."""

    __tablename__ = "spells"
    __table_args__ = (Index("ix_spells_until", "until"),)

    number: int = Field(
        default=None, sa_column=Column(Integer, primary_key=True, autoincrement=True)
    )
    printer_id: str
    status: str
    since: datetime = _time()
    until: datetime = _time()
    cleared: bool


class PlayedRow(SQLModel, table=True):
    """Up to which line of history was played; one row at most."""

    __tablename__ = "played"

    id: int = Field(primary_key=True)
    number: int
