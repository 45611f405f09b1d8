"""What the store wants of a database, whichever it is: SQLite's file, or a PostgreSQL server."""

import sqlite3
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine

from coordinator.adapters.db import engines, faults


class Database(Protocol):
    """One database, and how it is spoken to."""

    @property
    def gather_s(self) -> float:
        """How long transactions that wait may join one that was begun; 0 for never."""

    def __str__(self) -> str:
        """What a person calls it; no secret."""

    def require_sound(self) -> None:
        """Look at what is there before anybody uses it.

        Raises:
            StoreUnusable: it is damaged.
        """

    def migrator(self) -> Engine:
        """Return an engine for migrations, of which one at a time is at it."""

    def writer(self) -> Engine:
        """Return the engine that writes: its transactions never overlap, whoever begins them."""

    def reader(self) -> Engine:
        """Return the engine that reads: each transaction sees one state, and none can write."""

    def copy_to(self, path: Path) -> None:
        """Write all of it, as it is at one moment, to a new file of SQLite's; others go on.

        Raises:
            Exception: as `told_plainly` tells.
        """

    def told_plainly(self) -> AbstractContextManager[None]:
        """Turn what the world did to it into one sentence; our own mistakes pass through.

        Raises:
            Unavailable: it does not answer now.
            StoreUnusable: damaged, or not to be opened.
        """


@dataclass(frozen=True)
class SqliteFile:
    """Implements `Database` on a file."""

    path: Path
    patience_s: float = engines.PATIENCE_S

    @property
    def gather_s(self) -> float:
        """As long as a slow disk takes for a commit."""
        return engines.GATHER_S

    def __str__(self) -> str:
        return f"file {self.path}"

    def require_sound(self) -> None:
        """Have SQLite read the whole file, if there is one."""
        if self.path.exists() and (found := engines.check(self.path)):
            raise faults.damaged(self.path, found)

    def migrator(self) -> Engine:
        """Return an engine for migrations."""
        return engines.migrator(self.path, patience_s=self.patience_s)

    def writer(self) -> Engine:
        """Return the engine that writes."""
        return engines.writer(self.path, patience_s=self.patience_s)

    def reader(self) -> Engine:
        """Return the engine that reads."""
        return engines.reader(self.path, patience_s=self.patience_s)

    def copy_to(self, path: Path) -> None:
        """Copy the file by SQLite's own means, the log beside it included.

        In one step, so that one moment is copied: between steps a writer would have it begin anew,
        for ever where many write. In WAL mode nobody waits for it.
        """
        with (
            closing(sqlite3.connect(self.path, timeout=self.patience_s)) as source,
            closing(sqlite3.connect(path)) as target,
        ):
            source.backup(target)

    def told_plainly(self) -> AbstractContextManager[None]:
        """Turn SQLite's complaints into sentences."""
        return faults.told_plainly(self.path)
