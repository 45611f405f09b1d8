"""Releases of the agent, and how they are rolled out.

Kind: pre (older code leaves the new tables alone).
"""

import sqlalchemy as sa
from alembic import op

from coordinator.adapters.db.tables import UtcDateTime

revision = "0021"
down_revision = "0019"
branch_labels = None
depends_on = None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _time(name: str) -> sa.Column[object]:
    return sa.Column(name, UtcDateTime(), nullable=False)


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "releases",
        _text("version"),
        _text("sha256"),
        _number("size_bytes"),
        _text("signature"),
        _text("key_name"),
        _number("protocol_min"),
        _number("protocol_max"),
        _text("words"),
        _text("added_by"),
        _time("added_at"),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_table(
        "rollouts",
        _text("rollout_id"),
        _text("version"),
        _text("state"),
        sa.Column("agents", sa.JSON(), nullable=False),
        sa.Column("soak_s", sa.Float(), nullable=False),
        sa.Column("start_s", sa.Float(), nullable=False),
        _number("troubles_max"),
        _text("words"),
        _text("made_by"),
        _time("made_at"),
        _time("changed_at"),
        sa.PrimaryKeyConstraint("rollout_id"),
    )
