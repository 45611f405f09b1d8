"""What printers did all day, and runs by their ends.

Kind: pre (older code meets only new tables and an index, and leaves them alone).
"""

import sqlalchemy as sa
from alembic import op

from coordinator.adapters.db.tables import UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False)


def upgrade() -> None:
    """Add the tables, empty: a farm's history is played into them once it runs."""
    op.create_table(
        "standings",
        _text("printer_id"),
        _text("status"),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("printer_id"),
    )
    op.create_table(
        "spells",
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=True),
        _text("printer_id"),
        _text("status"),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.Column("cleared", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_spells_until", "spells", ["until"])
    op.create_table(
        "played",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_runs_ended_at", "runs", ["ended_at", "run_id"])
