"""Lists of jobs are read page by page; requests that must not be done twice leave a receipt.

Kind: pre (older code meets only a new table and indexes, and leaves them alone).
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the order of arrival, of all jobs and within a state, and the receipts."""
    op.create_index("ix_jobs_arrival", "jobs", ["created_at", "job_id"])
    op.create_index("ix_jobs_state_arrival", "jobs", ["state", "created_at", "job_id"])
    op.create_table(
        "receipts",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("fingerprint", "subject_id", "answer")
        ),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_receipts_at", "receipts", ["at"])
