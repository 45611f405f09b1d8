"""All rows of one database put into another, whichever each of them is.

A backup is always a file of SQLite's: so a farm may leave PostgreSQL for SQLite, and the other way
round, and needs no program but Farmhand. Both have this version's shape; rows are copied as they
are, the history's too, whose hashes would show a difference.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, delete, func, insert, inspect, select, text

from coordinator.adapters.db import schema

# By it the library knows all tables.
from coordinator.adapters.db import unit as _all_tables  # noqa: F401
from coordinator.adapters.db.database import Database, SqliteFile
from coordinator.adapters.db.shape import SQLModel
from coordinator.errors import StoreUnusable

_ROWS_AT_ONCE = 500
# Which migrations were applied: the same on both sides.
_NOT_COPIED = {"alembic_version"}


def copy_into_file(source: Connection, path: Path) -> None:
    """Put all rows that a transaction sees into a new file of SQLite's.

    Raises:
        StoreUnusable: there is a table that this version does not know.
    """
    _fill(source, SqliteFile(path))


def copy_from_file(path: Path, target: Database) -> None:
    """Put all rows of a file of SQLite's into a database that has none.

    Raises:
        StoreUnusable: it has some, or is of another version, or can't be used.
    """
    engine = SqliteFile(path).reader()
    try:
        with engine.connect() as source:
            _fill(source, target)
    finally:
        engine.dispose()


def _fill(source: Connection, target: Database) -> None:
    schema.migrate(target)
    engine = target.migrator()
    try:
        with target.told_plainly(), engine.begin() as connection:
            if _rows(connection, "artifacts", "jobs", "printers", "events"):
                raise StoreUnusable(f"the {target} is in use: name an empty one")
            unknown = set(inspect(source).get_table_names()) - _NOT_COPIED
            if unknown := unknown - SQLModel.metadata.tables.keys():
                raise StoreUnusable(f"the table {min(unknown)} is of no Farmhand that is known")
            with _unguarded(connection):
                _copy(source, connection)
    finally:
        engine.dispose()


def _rows(connection: Connection, *names: str) -> int:
    tables = (SQLModel.metadata.tables[name] for name in names)
    return sum(
        connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables
    )


def _copy(source: Connection, target: Connection) -> None:
    for table in SQLModel.metadata.sorted_tables:
        target.execute(delete(table))  # rows that migrations made
        found = source.execute(select(table).execution_options(yield_per=_ROWS_AT_ONCE))
        for page in found.mappings().partitions():
            target.execute(insert(table), [dict(row) for row in page])
        if target.dialect.name == "postgresql":
            _count_on(target, table.name)


def _count_on(target: Connection, table: str) -> None:
    """Have the server's counters go on behind what was copied."""
    for column in SQLModel.metadata.tables[table].primary_key.columns:
        where = {"table": table, "column": column.name}
        counter = target.execute(text("SELECT pg_get_serial_sequence(:table, :column)"), where)
        if (name := counter.scalar()) is not None:
            highest = select(func.coalesce(func.max(column), 0)).scalar_subquery()
            target.execute(select(func.setval(name, highest + 1, False)))


@contextmanager
def _unguarded(connection: Connection) -> Iterator[None]:
    """Take the triggers away that guard the history, for as long as it is put in as it is."""
    if connection.dialect.name == "postgresql":
        tables = [name for name in inspect(connection).get_table_names() if name not in _NOT_COPIED]
        for name in tables:
            connection.exec_driver_sql(f'ALTER TABLE "{name}" DISABLE TRIGGER USER')
        yield
        # Checks that wait for the commit must not find a table that is altered under them.
        connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
        for name in tables:
            connection.exec_driver_sql(f'ALTER TABLE "{name}" ENABLE TRIGGER USER')
        return
    found = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    triggers = found.all()
    for name, _ in triggers:
        connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
    yield
    for _, statement in triggers:
        connection.exec_driver_sql(statement)
