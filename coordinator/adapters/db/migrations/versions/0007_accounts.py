"""Accounts: users, passwords, keys, sessions, families of tokens; whose a job is, and approval.

Kind: pre (run before the code that needs it; older code leaves the new tables and columns alone).
"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False)


def _time(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(), nullable=nullable)


def _of_user() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["user_id"], ["users.user_id"], deferrable=True, initially="DEFERRED"
    )


def upgrade() -> None:
    """Add all of it; jobs of today are approved, and nobody wrote down whose they are."""
    op.add_column("jobs", sa.Column("owner", sa.String(), nullable=False, server_default=""))
    op.add_column(
        "jobs", sa.Column("approved", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.create_index("ix_jobs_owner", "jobs", ["owner"])
    op.create_table(
        "users",
        *(_text(name) for name in ("user_id", "name", "role", "state", "subject")),
        sa.Column("jobs_open_max", sa.Integer(), nullable=True),
        sa.Column("grams_per_month", sa.Float(), nullable=True),
        _time("created_at"),
        sa.PrimaryKeyConstraint("user_id"),
    )
    op.create_index("ix_users_name", "users", ["name"], unique=True)
    op.create_index("ix_users_subject", "users", ["subject"])
    op.create_table(
        "passwords",
        _text("user_id"),
        _text("hashed"),
        _of_user(),
        sa.PrimaryKeyConstraint("user_id"),
    )
    _create_credentials()


def _create_credentials() -> None:
    op.create_table(
        "api_keys",
        *(_text(name) for name in ("key_id", "user_id", "name")),
        sa.Column("scopes", sa.JSON(), nullable=False),
        _text("secret_sha256"),
        _time("created_at"),
        _time("expires_at", nullable=True),
        _time("revoked_at", nullable=True),
        _of_user(),
        sa.PrimaryKeyConstraint("key_id"),
    )
    op.create_table(
        "api_key_uses", _text("key_id"), _time("used_at"), sa.PrimaryKeyConstraint("key_id")
    )
    op.create_table(
        "sessions",
        *(_text(name) for name in ("session_id", "user_id", "secret_sha256")),
        _time("created_at"),
        _time("seen_at"),
        _text("address"),
        _text("browser"),
        _of_user(),
        sa.PrimaryKeyConstraint("session_id"),
    )
    op.create_index("ix_sessions_secret_sha256", "sessions", ["secret_sha256"], unique=True)
    op.create_table(
        "token_families",
        *(_text(name) for name in ("family_id", "user_id", "secret_sha256")),
        _time("created_at"),
        _time("renewed_at"),
        _of_user(),
        sa.PrimaryKeyConstraint("family_id"),
    )
    for table in ("api_keys", "sessions", "token_families"):
        op.create_index(f"ix_{table}_user_id", table, ["user_id"])
