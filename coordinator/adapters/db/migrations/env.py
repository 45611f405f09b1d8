"""Runs migrations on the connection that `schema.migrate` hands over."""

from alembic import context

from coordinator.adapters.db.shape import SQLModel

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    # SQLite would commit the first step when the second begins its own transaction.
    transaction_per_migration=False,
)
context.run_migrations()
