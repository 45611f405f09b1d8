"""The tables: shape only. What rows mean is the domain's; `mapping.py` stands between.

States and modes are text, so that an older program can at least show what a newer one wrote.
Whoever changes a table writes a migration too; a test compares the two.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from coordinator.adapters.db.shape import Field, SQLModel


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time; stored without its zone, always in UTC, for SQLite knows no zones."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return what is stored."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return what was meant."""
        return None if value is None else value.replace(tzinfo=UTC)


def _number() -> Any:
    """Return a key that counts rows in order of arrival."""
    return Field(default=None, sa_column=Column(Integer, primary_key=True, autoincrement=True))


def _time(*, nullable: bool = False) -> Any:
    return Field(default=None, sa_column=Column(UtcDateTime, nullable=nullable))


def _json() -> Any:
    return Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


def _of(column: str, *, primary_key: bool = False) -> Any:
    """Return a reference; checked at the commit, for one unit saves in any order."""
    reference = ForeignKey(column, deferrable=True, initially="DEFERRED")
    return Field(
        sa_column=Column(
            String, reference, nullable=False, primary_key=primary_key, index=not primary_key
        )
    )


# A number that was taken off a table is never given again: an outbox note could otherwise be
# taken for one that was done long ago.
_COUNTS_ON = {"sqlite_autoincrement": True}


class ArtifactRow(SQLModel, table=True):
    """What is known of a file in the artifact store."""

    __tablename__ = "artifacts"

    sha256: str = Field(primary_key=True)
    kind: str
    name: str
    size_bytes: int
    created_at: datetime = _time()


class JobRow(SQLModel, table=True):
    """A job."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_arrival", "created_at", "job_id"),
        Index("ix_jobs_state_arrival", "state", "created_at", "job_id"),
    )

    job_id: str = Field(primary_key=True)
    name: str
    model_sha256: str | None = None
    model_id: str = Field(index=True)
    model_version: int
    copies: int
    copies_per_plate: int
    material: str
    quality: str
    printer_class: str
    printer_group: str
    printer_tags: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    printer_id: str | None = None
    overrides: dict[str, Any] = _json()
    priority: int
    due_at: datetime | None = _time(nullable=True)
    place_at: datetime | None = _time(nullable=True)
    place_due_at: datetime | None = _time(nullable=True)
    held: bool
    owner: str = Field(index=True)
    approved: bool
    retries_max: int
    state: str = Field(index=True)
    reason: str
    created_at: datetime = _time()
    updated_at: datetime = _time()
    version: int


class PlateRow(SQLModel, table=True):
    """A plate of a job."""

    __tablename__ = "plates"

    job_id: str = _of("jobs.job_id", primary_key=True)
    printer_class: str = Field(primary_key=True)
    sha256: str
    name: str
    size_bytes: int
    material: str
    copies: int
    state: str = Field(index=True)
    reason: str
    time_s: float | None = None
    filament_mm: float | None = None
    filament_g: float | None = None
    cost: float | None = None
    layer_count: int | None = None
    line_count: int | None = None
    engine: str
    remarks: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    pictures: dict[str, Any] = _json()


class AgentRow(SQLModel, table=True):
    """An agent."""

    __tablename__ = "agents"

    agent_id: str = Field(primary_key=True)
    online: bool
    boot_id: str
    connection_id: str
    journal_id: str
    build: str
    seen_at: datetime = _time()
    retired_at: datetime | None = _time(nullable=True)


class PrinterRow(SQLModel, table=True):
    """A printer; its bed lies in the columns `bed_...`."""

    __tablename__ = "printers"

    printer_id: str = Field(primary_key=True)
    agent_id: str = Field(index=True)
    name: str
    printer_class: str
    driver: str
    material: str
    spool_id: str
    printer_group: str
    tags: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    location: str
    notes: str
    can_pause: bool
    online: bool
    seen: str
    message: str
    foreign: bool
    in_service: bool
    bed_state: str
    bed_journal_id: str | None = None
    bed_occupation: int
    bed_cleared: int | None = None
    bed_changed_by: str
    bed_changed_at: datetime | None = _time(nullable=True)
    bed_policy: str
    epoch: int
    revision: int
    run_id: str | None = None
    staged: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    journal_id: str | None = None
    events_applied: int
    quarantine: str
    since: datetime | None = _time(nullable=True)
    retired_at: datetime | None = _time(nullable=True)


class RunRow(SQLModel, table=True):
    """A run. One epoch of a printer belongs to one run, whatever a program gets wrong."""

    __tablename__ = "runs"
    __table_args__ = (
        UniqueConstraint("printer_id", "epoch"),
        Index("ix_runs_ended_at", "ended_at", "run_id"),
    )

    run_id: str = Field(primary_key=True)
    job_id: str = _of("jobs.job_id")
    printer_id: str = _of("printers.printer_id")
    agent_id: str
    epoch: int
    plate_sha256: str
    copies: int
    state: str = Field(index=True)
    mode: str
    nonce: str | None = None
    leased_at: datetime = _time()
    started_at: datetime | None = _time(nullable=True)
    ended_at: datetime | None = _time(nullable=True)
    line: int
    layer: int
    reason: str
    facts: dict[str, Any] = _json()


class EventRow(SQLModel, table=True):
    """One line of history; a trigger refuses whoever wants to change it, or remove what no
    checkpoint covers.

    All texts, for they are hashed as they stand. A number is given once: two lines can't follow
    the same one.
    """

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_at", "at", "number"),)

    number: int = Field(primary_key=True)
    at: str
    actor: str
    origin: str
    cause: str
    subject: str
    subject_id: str = Field(index=True)
    name: str
    facts: str
    changes: str
    hash: str


class HistoryRow(SQLModel, table=True):
    """Where the history ends, in one row; a trigger moves it with each line."""

    __tablename__ = "history"

    id: int = Field(primary_key=True)
    number: int
    hash: str


class CheckpointRow(SQLModel, table=True):
    """What stands in the place of lines that were archived; the newest counts."""

    __tablename__ = "checkpoints"

    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    hash: str
    rows_sha256: str
    archive_sha256: str


class CheckpointedRow(SQLModel, table=True):
    """A row as the lines up to the newest checkpoint told it; `number` is the last of them."""

    __tablename__ = "checkpoint_rows"

    subject: str = Field(primary_key=True)
    subject_id: str = Field(primary_key=True)
    number: int
    row: str


class ReceiptRow(SQLModel, table=True):
    """What became of a request that must not be carried out twice."""

    __tablename__ = "receipts"

    key: str = Field(primary_key=True)
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    fingerprint: str
    subject_id: str
    answer: str


class OutboxRow(SQLModel, table=True):
    """A note that a printer's desired document has to be said again."""

    __tablename__ = "outbox"
    __table_args__ = _COUNTS_ON

    number: int = _number()
    printer_id: str


class EnrolmentTokenRow(SQLModel, table=True):
    """A one-time token with which an agent enrols."""

    __tablename__ = "enrolment_tokens"

    token_id: str = Field(primary_key=True)
    agent_id: str | None = None
    secret_sha256: str
    made_by: str
    made_at: datetime = _time()
    expires_at: datetime = _time()
    used_by: str | None = None
    used_at: datetime | None = _time(nullable=True)
    used_secret_sha256: str


class AgentCredentialRow(SQLModel, table=True):
    """What an agent shows, as hashes."""

    __tablename__ = "agent_credentials"

    agent_id: str = Field(primary_key=True)
    secret_sha256: str
    broker_hash: str
    issued_at: datetime = _time()
    token_id: str
    revoked_at: datetime | None = _time(nullable=True)


def table(row: type[SQLModel]) -> Table:
    """Return the table of a row's class, for statements."""
    found: Table = row.__table__  # type: ignore[attr-defined]
    for column in found.columns:
        if type(column.type) is Integer:
            column.type = _WIDE
    return found


# SQLite's integers have 64 bits, PostgreSQL's 32: see `schema.py`.
_WIDE = Integer().with_variant(BigInteger(), "postgresql")
