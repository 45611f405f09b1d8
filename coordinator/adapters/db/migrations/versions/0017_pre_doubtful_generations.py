"""Generations of whose present call an answer was lost.

Kind: pre (older code leaves the new column as it is by default).
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column(
        "generations",
        sa.Column("doubtful", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
