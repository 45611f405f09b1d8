"""The port `Store` on SQLite.

SQLite takes one writer at a time. The lock here makes writers of this process wait in line, first
come first served, instead of racing with sleeps in between; readers never wait for writers.

What may wait for others or for the disk, the beginning and the commit of a write, is done in a
thread. Statements in between run on the loop: they take microseconds, a hop to a thread and back
many times as long.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path

from sqlalchemy import Engine

from coordinator.adapters.db import engines, schema
from coordinator.adapters.db.faults import told_plainly
from coordinator.adapters.db.scratch import scratch
from coordinator.adapters.db.unit import SqlUnit
from coordinator.domain.rebuilt import Rebuilt


class SqlStore:
    """A farm's database; made by `open_store`."""

    def __init__(self, path: Path, *, writer: Engine, reader: Engine) -> None:
        """Take the engines; the file must have this version's shape."""
        self._path = path
        self._writer = writer
        self._reader = reader
        self._turn = asyncio.Lock()
        self._seats = asyncio.Semaphore(engines.READERS_MAX)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[SqlUnit]:
        """Begin a transaction that no other writer overlaps; see the port."""
        with told_plainly(self._path):
            async with self._turn:
                with self._writer.connect() as connection:  # what was not committed is undone
                    await _whole(connection.begin)
                    yield SqlUnit(connection)
                    await _whole(connection.commit)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[SqlUnit]:
        """Begin a transaction that sees one state of things; see the port."""
        with told_plainly(self._path):
            async with self._seats:
                with self._reader.connect() as connection:
                    yield SqlUnit(connection)

    def scratch(self) -> AbstractContextManager[Rebuilt]:
        """Lend an empty place for what an audit rebuilds."""
        return scratch()


async def _whole(work: Callable[[], object]) -> None:
    """Do something in a thread, to its end even when cancelled: the connection is in its hands."""
    doing = asyncio.ensure_future(asyncio.to_thread(work))
    cancelled = False
    while not doing.done():
        try:
            await asyncio.wait({doing})
        except asyncio.CancelledError:
            cancelled = True
    doing.result()
    if cancelled:
        raise asyncio.CancelledError


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
        reader.dispose()
        writer.dispose()
