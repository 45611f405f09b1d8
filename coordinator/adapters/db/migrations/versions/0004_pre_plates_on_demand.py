"""Plates that are wanted, or refused, before they are made; their cost, remarks and pictures;
and plates of several copies.

Kind: pre (run before the code that needs it). Older code would take a wanted plate for one that can
be printed: it must not run on this database any more.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; every plate of today is made."""
    state = sa.Column("state", sa.String(), nullable=False, server_default="made")
    op.add_column("plates", state)
    op.add_column("plates", sa.Column("reason", sa.String(), nullable=False, server_default=""))
    op.add_column("plates", sa.Column("cost", sa.Float(), nullable=True))
    op.add_column("plates", sa.Column("pictures", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("plates", sa.Column("remarks", sa.JSON(), nullable=False, server_default="[]"))
    for table, column in (("jobs", "copies_per_plate"), ("plates", "copies"), ("runs", "copies")):
        op.add_column(table, sa.Column(column, sa.Integer(), nullable=False, server_default="1"))
    op.create_index("ix_plates_state", "plates", ["state"])
