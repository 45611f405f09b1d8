"""An owner's open generations are counted with each request: an index that knows both.

Kind: pre (older code meets only another index).
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Have the index of owners know the state as well."""
    op.create_index("ix_generations_owner_state", "generations", ["owner", "state"])
    op.drop_index("ix_generations_owner", "generations")
