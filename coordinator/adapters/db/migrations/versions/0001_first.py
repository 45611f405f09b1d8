"""The first shape: orders, what they became, who prints, what happened, what is to be said.

Kind: pre (run before the code that needs it; an empty database has no older code to meet).
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create all tables."""
    _orders()
    _plates()
    _printers()
    _runs()
    _history()


def _orders() -> None:
    op.create_table(
        "artifacts",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_table(
        "jobs",
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("model_sha256", sa.String(), nullable=True),
        sa.Column("copies", sa.Integer(), nullable=False),
        sa.Column("material", sa.String(), nullable=False),
        sa.Column("quality", sa.String(), nullable=False),
        sa.Column("printer_class", sa.String(), nullable=False),
        sa.Column("printer_id", sa.String(), nullable=True),
        sa.Column("overrides", sa.JSON(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("retries_max", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("job_id"),
    )
    op.create_index("ix_jobs_state", "jobs", ["state"])


def _plates() -> None:
    op.create_table(
        "plates",
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("printer_class", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("material", sa.String(), nullable=False),
        sa.Column("time_s", sa.Float(), nullable=True),
        sa.Column("filament_mm", sa.Float(), nullable=True),
        sa.Column("filament_g", sa.Float(), nullable=True),
        sa.Column("layer_count", sa.Integer(), nullable=True),
        sa.Column("line_count", sa.Integer(), nullable=True),
        sa.Column("engine", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job_id"], deferrable=True, initially="DEFERRED"),
        sa.PrimaryKeyConstraint("job_id", "printer_class"),
    )


def _printers() -> None:
    op.create_table(
        "agents",
        sa.Column("agent_id", sa.String(), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("boot_id", sa.String(), nullable=False),
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("journal_id", sa.String(), nullable=False),
        sa.Column("build", sa.String(), nullable=False),
        sa.Column("seen_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("agent_id"),
    )
    op.create_table(
        "printers",
        sa.Column("printer_id", sa.String(), nullable=False),
        sa.Column("agent_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("printer_class", sa.String(), nullable=False),
        sa.Column("driver", sa.String(), nullable=False),
        sa.Column("material", sa.String(), nullable=False),
        sa.Column("can_pause", sa.Boolean(), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("seen", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("foreign", sa.Boolean(), nullable=False),
        sa.Column("in_service", sa.Boolean(), nullable=False),
        sa.Column("bed_state", sa.String(), nullable=False),
        sa.Column("bed_journal_id", sa.String(), nullable=True),
        sa.Column("bed_occupation", sa.Integer(), nullable=False),
        sa.Column("bed_cleared", sa.Integer(), nullable=True),
        sa.Column("bed_changed_by", sa.String(), nullable=False),
        sa.Column("bed_changed_at", sa.DateTime(), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=True),
        sa.Column("journal_id", sa.String(), nullable=True),
        sa.Column("events_applied", sa.Integer(), nullable=False),
        sa.Column("quarantine", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("printer_id"),
    )
    op.create_index("ix_printers_agent_id", "printers", ["agent_id"])


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("printer_id", sa.String(), nullable=False),
        sa.Column("agent_id", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("plate_sha256", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("nonce", sa.String(), nullable=True),
        sa.Column("leased_at", sa.DateTime(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=True),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("layer", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["printer_id"], ["printers.printer_id"], deferrable=True, initially="DEFERRED"
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job_id"], deferrable=True, initially="DEFERRED"),
        sa.PrimaryKeyConstraint("run_id"),
        sa.UniqueConstraint("printer_id", "epoch"),
    )
    op.create_index("ix_runs_job_id", "runs", ["job_id"])
    op.create_index("ix_runs_printer_id", "runs", ["printer_id"])
    op.create_index("ix_runs_state", "runs", ["state"])


def _history() -> None:
    op.create_table(
        "events",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_subject_id", "events", ["subject_id"])
    op.create_table(
        "outbox",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("printer_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sqlite_autoincrement=True,
    )
    if op.get_bind().dialect.name != "sqlite":
        return  # no other database ever was without the next version's guards
    for act in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER events_refuse_{act.lower()} BEFORE {act} ON events "
            "BEGIN SELECT RAISE(ABORT, 'history is only appended to'); END"
        )
