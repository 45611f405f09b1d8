"""A place for what an audit rebuilds: a database of its own, beside memory, gone with the audit."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from coordinator.domain.history import Thing
from coordinator.domain.rebuilt import Told

# Lines about one thing mostly stand near each other: so many rows are not written and read again
# each time. More would hold up others for longer when they are written.
_HOT_ROWS_MAX = 500
_CACHE_KIB = 8192


class Scratch:
    """Implements `Rebuilt` on a temporary file; made by `scratch`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Take an empty database, which nobody else uses."""
        self._connection = connection
        self._hot: dict[Thing, Told] = {}
        connection.execute(
            "CREATE TABLE told (subject TEXT, id TEXT, number INTEGER, row TEXT, "
            "PRIMARY KEY (subject, id)) WITHOUT ROWID"
        )

    def get(self, thing: Thing) -> Told | None:
        """Return a thing's row."""
        told = self._hot.get(thing)
        return told if told is not None else self._cold(thing)

    def put(self, thing: Thing, told: Told) -> None:
        """Insert or replace a thing's row."""
        self._hot[thing] = told
        if len(self._hot) > _HOT_ROWS_MAX:
            self._cool()

    def pop(self, thing: Thing) -> Told | None:
        """Take a thing's row out."""
        told = self.get(thing)
        self._hot.pop(thing, None)
        self._connection.execute("DELETE FROM told WHERE subject = ? AND id = ?", thing)
        return told

    def in_order(self) -> Iterator[tuple[Thing, Told]]:
        """Yield all rows by subject and id."""
        self._cool()
        wanted = "SELECT subject, id, row, number FROM told ORDER BY subject, id"
        for subject, subject_id, row, number in self._connection.execute(wanted):
            yield (subject, subject_id), (json.loads(row), number)

    def _cold(self, thing: Thing) -> Told | None:
        wanted = "SELECT row, number FROM told WHERE subject = ? AND id = ?"
        found = self._connection.execute(wanted, thing).fetchone()
        return (json.loads(found[0]), found[1]) if found is not None else None

    def _cool(self) -> None:
        rows = [(*thing, number, json.dumps(row)) for thing, (row, number) in self._hot.items()]
        self._connection.executemany("INSERT OR REPLACE INTO told VALUES (?, ?, ?, ?)", rows)
        self._hot.clear()


@contextmanager
def scratch() -> Iterator[Scratch]:
    """Lend an empty scratch; its file has no name, so that no crash leaves it behind."""
    with closing(sqlite3.connect("", isolation_level=None, check_same_thread=False)) as connection:
        # Nothing in it has to survive anything.
        for pragma in ("journal_mode=OFF", "synchronous=OFF", f"cache_size=-{_CACHE_KIB}"):
            connection.execute(f"PRAGMA {pragma}")
        yield Scratch(connection)
