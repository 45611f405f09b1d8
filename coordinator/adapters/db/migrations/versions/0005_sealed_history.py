"""Old history may leave for an archive, behind a checkpoint; and it is found by its time.

Kind: pre (older code meets only the new tables, and leaves them alone).
"""

import sqlalchemy as sa
from alembic import op

from coordinator.adapters.db import guards

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add checkpoints and the rows kept for the newest; only what one covers may be removed."""
    op.create_table(
        "checkpoints",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("hash", "rows_sha256", "archive_sha256")
        ),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "checkpoint_rows",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("row", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "subject_id"),
    )
    op.create_index("ix_events_at", "events", ["at", "number"])
    for statement in guards.of_checkpoints(op.get_bind().dialect.name):
        op.execute(statement)
