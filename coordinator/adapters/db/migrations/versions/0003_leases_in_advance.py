"""Printers that empty their own beds, and the leases that they hold in advance.

Kind: pre (run before the code that needs it; older code leaves the new columns alone).
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; every printer of today is emptied by people."""
    policy = sa.Column("bed_policy", sa.String(), nullable=False, server_default="attended")
    op.add_column("printers", policy)
    staged = sa.Column("staged", sa.JSON(), nullable=False, server_default="[]")
    op.add_column("printers", staged)
