"""Generations, and what providers are paid for them.

Kind: pre (older code meets only new tables, and leaves them alone).
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from coordinator.adapters.db.tables import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False, autoincrement=False)


def _column(name: str, kind: Any, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=nullable)


def upgrade() -> None:
    """Add the two tables, empty."""
    op.create_table(
        "generations",
        *(_text(name) for name in ("generation_id", "provider", "service", "owner")),
        _column("approved", sa.Boolean(), nullable=False),
        _column("asked", sa.JSON(), nullable=False),
        *(_text(name) for name in ("fingerprint", "state", "task_id")),
        _column("handle", sa.JSON()),
        *(_number(name) for name in ("submits", "tries", "looks", "renewals", "recalls")),
        *(_column(name, UtcDateTime()) for name in ("next_at", "submitted_at", "deadline_at")),
        _column("cancel_wanted", sa.Boolean(), nullable=False),
        _text("waits"),
        _column("progress", sa.Float()),
        _text("stage"),
        _column("queue_position", sa.Integer()),
        _column("parcels", sa.JSON(), nullable=False),
        _text("model_id"),
        _column("versions", sa.JSON(), nullable=False),
        *(_text(name) for name in ("job_id", "said")),
        *(_column(name, sa.JSON(), nullable=False) for name in ("told", "remarks")),
        _column("trouble", sa.JSON()),
        _text("worker"),
        _column("leased_until", UtcDateTime()),
        *(_column(name, UtcDateTime(), nullable=False) for name in ("created_at", "updated_at")),
        _number("version"),
        sa.PrimaryKeyConstraint("generation_id"),
    )
    for name, columns in {
        "ix_generations_arrival": ["created_at", "generation_id"],
        "ix_generations_due": ["next_at", "state"],
        "ix_generations_task": ["provider", "task_id"],
        "ix_generations_state": ["provider", "state"],
        "ix_generations_owner": ["owner"],
        "ix_generations_fingerprint": ["fingerprint"],
        "ix_generations_model_id": ["model_id"],
    }.items():
        op.create_index(name, "generations", columns)
    op.create_table(
        "provider_charges",
        _text("generation_id"),
        _number("submit"),
        *(_text(name) for name in ("provider", "owner", "unit")),
        _column("day", sa.Date(), nullable=False),
        *(_column(name, sa.BigInteger(), nullable=False) for name in ("estimated", "reserved")),
        _column("charged", sa.BigInteger()),
        sa.PrimaryKeyConstraint("generation_id", "submit"),
    )
    op.create_index("ix_provider_charges_day", "provider_charges", ["day", "unit"])
