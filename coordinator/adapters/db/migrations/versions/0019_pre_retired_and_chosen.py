"""Printers and agents that are retired; settings that people changed.

Kind: pre (older code leaves the new columns and the new table alone).
"""

import sqlalchemy as sa
from alembic import op

from coordinator.adapters.db.tables import UtcDateTime

revision = "0019"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the table, empty: nobody retired or chose anything yet."""
    for table in ("printers", "agents"):
        op.add_column(table, sa.Column("retired_at", UtcDateTime(), nullable=True))
    op.create_table(
        "chosen_settings",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("chosen_by", sa.String(), nullable=False),
        sa.Column("chosen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
