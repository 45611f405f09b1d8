"""Where jobs were moved to in the queue; since when printers are what they are.

Kind: pre (older code leaves the new columns alone, and serves jobs as if none was moved).
"""

import sqlalchemy as sa
from alembic import op

from coordinator.adapters.db.tables import UtcDateTime

revision = "0015"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, empty: nobody moved a job yet, and nobody wrote down since when."""
    for table, name in (("jobs", "place_at"), ("jobs", "place_due_at"), ("printers", "since")):
        op.add_column(table, sa.Column(name, UtcDateTime(), nullable=True))
