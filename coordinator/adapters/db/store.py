"""The port `Store` on SQLite.

SQLite takes one writer at a time. The lock here makes writers of this process wait in line, first
come first served, instead of racing with sleeps in between; readers never wait for writers.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from coordinator.adapters.db import engines, schema
from coordinator.adapters.db.faults import told_plainly
from coordinator.adapters.db.unit import SqlUnit


class SqlStore:
    """A farm's database; made by `open_store`."""

    def __init__(self, path: Path, *, writer: AsyncEngine, reader: AsyncEngine) -> None:
        """Take the engines; the file must have this version's shape."""
        self._path = path
        self._writer = writer
        self._reader = reader
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[SqlUnit]:
        """Begin a transaction that no other writer overlaps; see the port."""
        with told_plainly(self._path):
            async with self._turn, self._writer.begin() as connection:
                yield SqlUnit(connection)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[SqlUnit]:
        """Begin a transaction that sees one state of things; see the port."""
        with told_plainly(self._path):
            async with self._reader.connect() as connection:
                yield SqlUnit(connection)


@asynccontextmanager
async def open_store(
    path: Path, *, patience_s: float = engines.PATIENCE_S
) -> AsyncIterator[SqlStore]:
    """Create the database or bring it up to date, and lend it.

    Raises:
        StoreUnusable: damaged, locked by another program, or written by a newer version.
    """
    await asyncio.to_thread(schema.migrate, path, patience_s=patience_s)
    writer = engines.writer(path, patience_s=patience_s)
    reader = engines.reader(path, patience_s=patience_s)
    try:
        yield SqlStore(path, writer=writer, reader=reader)
    finally:
        await reader.dispose()
        await writer.dispose()
