"""The port `Store` on a database that takes one writer at a time: SQLite, or PostgreSQL made to.

Writers of this process wait in line (`turns.py`) instead of racing with sleeps in between; readers
never wait for writers.

What may wait for others or for the disk, the beginning and the commit of a write, is done in a
thread. Statements in between run on the loop: they take microseconds, a hop to a thread and back
many times as long.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path

from coordinator.adapters.db import engines, schema
from coordinator.adapters.db.database import Database, SqliteFile
from coordinator.adapters.db.scratch import scratch
from coordinator.adapters.db.threads import whole
from coordinator.adapters.db.turns import Turns
from coordinator.adapters.db.unit import SqlUnit
from coordinator.domain.rebuilt import Rebuilt


class SqlStore:
    """A farm's database; made by `open_store` or `open_database`."""

    def __init__(self, database: Database) -> None:
        """Take a database that has this version's shape; nothing is opened yet."""
        self._database = database
        self._writer = database.writer()
        self._reader = database.reader()
        self._turns = Turns(self._writer, database.gather_s)
        self._seats = asyncio.Semaphore(engines.READERS_MAX)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[SqlUnit]:
        """Begin a transaction that no other writer overlaps; see the port."""
        with self._database.told_plainly():
            async with self._turns.one() as connection:
                yield SqlUnit(connection)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[SqlUnit]:
        """Begin a transaction that sees one state of things; see the port."""
        with self._database.told_plainly():
            async with self._seats:
                with self._reader.connect() as connection:
                    yield SqlUnit(connection)

    async def snapshot(self, to: Path) -> None:
        """Write all that is stored, as it is at one moment, to a new file; see the port."""
        with self._database.told_plainly():
            await whole(lambda: self._database.copy_to(to))

    def close(self) -> None:
        """Close all connections."""
        self._reader.dispose()
        self._writer.dispose()

    def scratch(self) -> AbstractContextManager[Rebuilt]:
        """Lend an empty place for what an audit rebuilds."""
        return scratch()


@asynccontextmanager
async def open_store(
    path: Path, *, patience_s: float = engines.PATIENCE_S
) -> AsyncIterator[SqlStore]:
    """Create a file with the database or bring it up to date, and lend it.

    Raises:
        StoreUnusable: damaged, locked by another program, or written by a newer version.
    """
    async with open_database(SqliteFile(path, patience_s)) as store:
        yield store


@asynccontextmanager
async def open_database(database: Database) -> AsyncIterator[SqlStore]:
    """Bring a database into this version's shape, and lend it.

    Raises:
        StoreUnusable: damaged, locked by another program, or written by a newer version.
    """
    await asyncio.to_thread(schema.migrate, database)
    store = SqlStore(database)
    try:
        yield store
    finally:
        store.close()
