"""Projects, models, versions; spools; what printers are to people, and what jobs ask of them.

Kind: pre (older code leaves the new tables and columns alone).
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from coordinator.adapters.db.tables import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False, autoincrement=False)


def _json(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.JSON(), nullable=False)


def _changing() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        _number("version"),
    )


def upgrade() -> None:
    """Add all of it; jobs of today are of no model, and not due; printers are in no group."""
    words, number, several = (sa.String(), ""), (sa.Integer(), "0"), (sa.JSON(), "[]")
    for table, name, (kind, usual) in (
        ("jobs", "model_id", words),
        ("jobs", "model_version", number),
        ("jobs", "printer_group", words),
        ("jobs", "printer_tags", several),
        ("printers", "spool_id", words),
        ("printers", "printer_group", words),
        ("printers", "tags", several),
        ("printers", "location", words),
        ("printers", "notes", words),
    ):
        op.add_column(table, sa.Column(name, kind, nullable=False, server_default=usual))
    op.add_column("jobs", sa.Column("due_at", UtcDateTime(), nullable=True))
    op.create_index("ix_jobs_model_id", "jobs", ["model_id"])
    _create_library()
    _create_spools()


def _create_library() -> None:
    op.create_table(
        "projects",
        *(_text(name) for name in ("project_id", "name", "description", "owner")),
        *_changing(),
        sa.PrimaryKeyConstraint("project_id"),
    )
    op.create_index("ix_projects_arrival", "projects", ["created_at", "project_id"])
    op.create_table(
        "models",
        *(_text(name) for name in ("model_id", "name", "description", "project_id", "owner")),
        _json("tags"),
        _number("latest"),
        *_changing(),
        sa.PrimaryKeyConstraint("model_id"),
    )
    op.create_index("ix_models_project_id", "models", ["project_id"])
    op.create_index("ix_models_arrival", "models", ["created_at", "model_id"])
    _create_versions()


def _create_versions() -> None:
    origin = ("kind", "generation_id", "provider", "service", "service_model", "prompt")
    source = ("url", "author", "licence", "cost", "tool")
    op.create_table(
        "model_versions",
        _text("model_id"),
        _number("number"),
        *(_text(name) for name in ("sha256", "file_name", "source_sha256", "language")),
        *(_number(name) for name in ("size_bytes", "triangles")),
        *(_json(name) for name in ("size_mm", "parameters", "remarks", "pictures")),
        *(_text(f"origin_{name}") for name in (*origin, *source)),
        sa.Column("origin_seed", sa.Integer(), nullable=True),
        _json("origin_parents"),
        _json("origin_facts"),
        _text("note"),
        _text("author"),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"], ["models.model_id"], deferrable=True, initially="DEFERRED"
        ),
        sa.PrimaryKeyConstraint("model_id", "number"),
    )
    op.create_index("ix_model_versions_sha256", "model_versions", ["sha256"])
    op.create_index(
        "ix_model_versions_origin_generation_id", "model_versions", ["origin_generation_id"]
    )


def _create_spools() -> None:
    op.create_table(
        "spools",
        *(_text(name) for name in ("spool_id", "material", "colour", "vendor")),
        sa.Column("weight_g", sa.Float(), nullable=False),
        sa.Column("remaining_g", sa.Float(), nullable=False),
        sa.Column("cost", sa.Float(), nullable=True),
        *(_text(name) for name in ("lot", "location", "notes")),
        sa.Column("printer_id", sa.String(), nullable=True),
        _number("tool"),
        *_changing(),
        sa.PrimaryKeyConstraint("spool_id"),
    )
    op.create_index("ix_spools_arrival", "spools", ["created_at", "spool_id"])
    op.create_index("ix_spools_printer_id", "spools", ["printer_id"])
    op.create_table(
        "maintenance",
        *(_text(name) for name in ("upkeep_id", "printer_id", "name")),
        sa.Column("every_h", sa.Float(), nullable=True),
        sa.Column("every_days", sa.Float(), nullable=True),
        sa.Column("since", UtcDateTime(), nullable=False),
        _text("done_by"),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        _number("version"),
        sa.PrimaryKeyConstraint("upkeep_id"),
    )
    op.create_index("ix_maintenance_printer_id", "maintenance", ["printer_id"])
