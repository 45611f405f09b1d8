"""The tables of releases and rollouts: shape only, as in `tables.py`."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column

from coordinator.adapters.db.shape import Field, SQLModel
from coordinator.adapters.db.tables import UtcDateTime


def _time() -> Any:
    return Field(default=None, sa_column=Column(UtcDateTime, nullable=False))


class ReleaseRow(SQLModel, table=True):
    """A release; its hash keeps its file from being cleaned away."""

    __tablename__ = "releases"

    version: str = Field(primary_key=True)
    sha256: str
    size_bytes: int
    signature: str
    key_name: str
    protocol_min: int
    protocol_max: int
    words: str
    added_by: str
    added_at: datetime = _time()


class RolloutRow(SQLModel, table=True):
    """A rollout, with its agents as JSON: it is read and written whole."""

    __tablename__ = "rollouts"

    rollout_id: str = Field(primary_key=True)
    version: str
    state: str
    agents: list[dict[str, Any]] = Field(sa_column=Column(JSON, nullable=False))
    soak_s: float
    start_s: float
    troubles_max: int
    words: str
    made_by: str
    made_at: datetime = _time()
    changed_at: datetime = _time()
