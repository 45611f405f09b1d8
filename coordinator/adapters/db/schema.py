"""Bring a database to this version's shape, before anybody uses it."""

import logging
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from coordinator.adapters.db import beginning
from coordinator.adapters.db.database import Database
from coordinator.adapters.db.found import tell_found
from coordinator.errors import StoreUnusable, Unavailable

_MIGRATIONS = Path(__file__).with_name("migrations")


def migrate(database: Database) -> None:
    """Create the database or bring it up to date; all of it, or nothing.

    Raises:
        StoreUnusable: damaged, locked, or written by a newer version.
    """
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        with database.told_plainly():
            database.require_sound()
            engine = database.migrator()
            try:
                with engine.begin() as connection:
                    _upgrade(database, connection)
            finally:
                engine.dispose()
    except Unavailable as error:
        raise StoreUnusable(error.message) from error


def apply(connection: Connection, upto: str = "head") -> None:
    """Run the migrations that a database lacks, up to one of them."""
    # Late: it costs 11 MiB and a moment, which a start without migrations need not spend.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, upto)


def _upgrade(database: Database, connection: Connection) -> None:
    have, known = _version(connection), _known_versions()
    if have == known[-1]:
        return
    if have is None and inspect(connection).get_table_names():
        raise StoreUnusable(
            f"the {database} is another program's: use another state_dir or database_url"
        )
    if have is not None and have not in known:
        raise StoreUnusable(
            f"the {database} was written by a newer version of Farmhand ({have}): "
            "upgrade Farmhand, or use another state_dir or database_url"
        )
    is_new = have is None
    if is_new and connection.dialect.name == "sqlite":
        beginning.begin(connection)
        have = _version(connection)
    if have != known[-1]:
        apply(connection)
    if connection.dialect.name == "postgresql":
        _widen(connection)
    if not is_new:
        tell_found(connection, origin=f"upgrade {have} to {known[-1]}")


def _widen(connection: Connection) -> None:
    """Make room for large numbers: to migrations an integer is what SQLite takes for one."""
    narrow = text(
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = current_schema() AND data_type = 'integer'"
    )
    for table, column in connection.execute(narrow).all():
        connection.exec_driver_sql(f'ALTER TABLE "{table}" ALTER COLUMN "{column}" TYPE bigint')


def _known_versions() -> list[str]:
    """Return the numbers that this version's migrations begin their names with, in order."""
    return sorted(path.name.split("_")[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"))


def _version(connection: Connection) -> str | None:
    """Return the newest migration that was applied, None for an empty file."""
    if "alembic_version" not in inspect(connection).get_table_names():
        return None
    version: str | None = connection.execute(
        text("SELECT version_num FROM alembic_version")
    ).scalar()
    return version
