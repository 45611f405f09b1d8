"""A generation may make several models, and so several jobs.

Kind: pre (older code leaves the new column alone, and writes the first job where it stood).
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the list; of generations of today it is empty, and their one job counts."""
    column = sa.Column("job_ids", sa.JSON(), nullable=False, server_default="[]")
    op.add_column("generations", column)
