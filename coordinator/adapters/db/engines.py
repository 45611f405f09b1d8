"""Connections to SQLite: one that writes, a few that read."""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event

# How long a writer waits for another program, a backup say, before it gives up.
PATIENCE_S = 5.0
READERS_MAX = 4
# Of each; the system has the file in memory as well, and a look there takes a microsecond.
READER_CACHE_KIB = 512
# How long who waits to write may join who writes, for one commit: an SD card takes as long for
# each, and nobody notices such a delay.
GATHER_S = 0.05

# FULL: a lease is said to its agent right after its commit. With NORMAL a power cut can take
# back the last commits, and the same epoch would then be given twice.
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")


def writer(path: Path, *, patience_s: float = PATIENCE_S) -> Engine:
    """Return the engine that writes: a single connection, whose transactions lock at once.

    A transaction that reads first and locks later fails with "database is locked" when somebody
    wrote in between, whatever the patience.
    """
    engine = _engine(path, patience_s, pool_size=1)
    _prepare(engine, _PRAGMAS, "BEGIN IMMEDIATE")
    return engine


def reader(path: Path, *, patience_s: float = PATIENCE_S) -> Engine:
    """Return the engine that reads: each transaction sees one state, and none can write."""
    engine = _engine(path, patience_s, pool_size=READERS_MAX)
    _prepare(engine, (*_PRAGMAS, "query_only=ON", f"cache_size=-{READER_CACHE_KIB}"), "BEGIN")
    return engine


def migrator(path: Path, *, patience_s: float = PATIENCE_S) -> Engine:
    """Return an engine for migrations, which run before anything else and need no loop."""
    engine = _engine(path, patience_s, pool_size=1)
    # A migration may have to rebuild a table that others refer to.
    pragmas = (*_PRAGMAS[:-1], "foreign_keys=OFF")
    _prepare(engine, pragmas, "BEGIN IMMEDIATE")
    return engine


def _engine(path: Path, patience_s: float, *, pool_size: int) -> Engine:
    # A connection is used by one thread at a time, but not always by the same: see `store.py`.
    return create_engine(
        f"sqlite:///{path}",
        connect_args={"timeout": patience_s, "check_same_thread": False},
        pool_size=pool_size,
        max_overflow=0,
        # The one that was used last knows most pages and statements; most often one will do.
        pool_use_lifo=True,
    )


def _prepare(engine: Engine, pragmas: tuple[str, ...], begin: str) -> None:
    """Take transactions out of Python's hands, which would begin them late, and set pragmas."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


def check(path: Path) -> str:
    """Return what SQLite finds wrong with a file, empty where it is sound.

    Reads the whole file: a second for some hundred megabytes, once a start.
    """
    with sqlite3.connect(path, timeout=PATIENCE_S) as connection:
        found = [row[0] for row in connection.execute("PRAGMA quick_check(1)")]
    connection.close()
    return "" if found == ["ok"] else " ".join("; ".join(found).split())
