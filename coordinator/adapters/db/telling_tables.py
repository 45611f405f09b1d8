"""The tables of who is told what happens: shape only, as those in `tables.py`."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, Integer

from coordinator.adapters.db.shape import Field, SQLModel
from coordinator.adapters.db.tables import UtcDateTime


def _time(*, nullable: bool = False) -> Any:
    return Field(default=None, sa_column=Column(UtcDateTime, nullable=nullable))


class EndpointRow(SQLModel, table=True):
    """An endpoint of webhooks; its secrets are needed to sign, so they are kept as they are."""

    __tablename__ = "webhook_endpoints"

    endpoint_id: str = Field(primary_key=True)
    url: str
    types: list[str] = Field(sa_column=Column(JSON, nullable=False))
    description: str
    enabled: bool
    disabled_reason: str
    secret: str
    previous_secret: str
    previous_until: datetime | None = _time(nullable=True)
    cursor: int
    failures: int
    failing_since: datetime | None = _time(nullable=True)
    due_at: datetime | None = _time(nullable=True)
    created_at: datetime = _time()
    version: int


class DeliveryRow(SQLModel, table=True):
    """What became of one message at one endpoint."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (Index("ix_webhook_deliveries_last", "endpoint_id", "last_at"),)

    endpoint_id: str = Field(primary_key=True)
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    message_id: str
    type: str
    state: str
    attempts: int
    status: int | None
    words: str
    elapsed_ms: int
    first_at: datetime = _time()
    last_at: datetime = _time()


class ChannelRow(SQLModel, table=True):
    """A channel to people, and how far it is."""

    __tablename__ = "notice_channels"

    name: str = Field(primary_key=True)
    cursor: int
    failures: int
    due_at: datetime | None = _time(nullable=True)
