"""The history becomes a chain: each line is bound to the one before it, and holds what changed.

Kind: pre. Older code can't append to the new shape: it must be stopped first.

The lines that were there are taken over as they are, and bound; what the tables hold is told as
found right after the migrations (`schema.py`).
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC
from typing import Any

import sqlalchemy as sa
from alembic import op

from coordinator.adapters.db import guards
from coordinator.domain.history import NO_HASH, Line, digest, encoded, moment

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_LINES_AT_ONCE = 1000


def upgrade() -> None:
    """Create the new tables, take the old lines over, and let the database guard them."""
    if op.get_bind().dialect.name == "sqlite":
        for act in ("update", "delete"):
            op.execute(f"DROP TRIGGER events_refuse_{act}")
    op.drop_index("ix_events_subject_id", "events")
    op.rename_table("events", "events_before")
    op.create_table(
        "history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    texts = ("at", "actor", "origin", "cause", "subject", "subject_id", "name")
    op.create_table(
        "events",
        sa.Column("number", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in texts),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("facts", "changes", "hash")),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_events_subject_id", "events", ["subject_id"])
    op.execute(f"INSERT INTO history (id, number, hash) VALUES (1, 0, '{NO_HASH}')")
    for statement in guards.of_history(op.get_bind().dialect.name):
        op.execute(statement)
    _take_over(op.get_bind())
    op.drop_table("events_before")


def _take_over(bind: sa.Connection) -> None:
    """Copy the old lines in their order, numbered without gaps, and bind them."""
    events = sa.Table("events", sa.MetaData(), autoload_with=bind)
    before = sa.Table("events_before", sa.MetaData(), autoload_with=bind)
    wanted = sa.select(before).order_by(before.c.number).limit(_LINES_AT_ONCE)
    number, last, hashed = 0, 0, NO_HASH
    while found := bind.execute(wanted.where(before.c.number > last)).mappings().all():
        rows = []
        for row in found:
            number += 1
            line = _line(number, row)
            hashed = digest(hashed, line)
            rows.append(asdict(line) | {"hash": hashed})
        bind.execute(sa.insert(events), rows)
        last = found[-1]["number"]


def _line(number: int, row: Mapping[Any, Any]) -> Line:
    return Line(
        number=number,
        at=moment(row["at"].replace(tzinfo=UTC)),
        actor=row["actor"],
        origin="",
        cause=row["cause"],
        subject=row["subject"],
        subject_id=row["subject_id"],
        name=row["name"],
        facts=encoded(row["facts"]),
        changes=encoded({}),
    )
