"""Runs migrations on the connection that `schema.migrate` hands over."""

from alembic import context

from coordinator.adapters.db.shape import Shape

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Shape.metadata,
    render_as_batch=True,
    # SQLite would commit the first step when the second begins its own transaction.
    transaction_per_migration=False,
)
context.run_migrations()
