"""The rows that lines of history amount to, kept while it is read.

A farm's history outgrows memory; whoever reads a long one brings a store of their own for this.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeAlias

from coordinator.domain.history import Row, Thing, encoded

# A row as lines tell it, with the number of the last of them.
Told: TypeAlias = tuple[Row, int]


class Rebuilt(Protocol):
    """Rows by thing."""

    def get(self, thing: Thing) -> Told | None:
        """Return a thing's row, None where no line told of it."""

    def put(self, thing: Thing, told: Told) -> None:
        """Insert or replace a thing's row."""

    def pop(self, thing: Thing) -> Told | None:
        """Take a thing's row out, None where there is none."""

    def in_order(self) -> Iterator[tuple[Thing, Told]]:
        """Yield all rows by subject and id; nothing may be changed meanwhile."""


class RebuiltInMemory:
    """Implements `Rebuilt` for histories that are not long."""

    def __init__(self) -> None:
        """Begin with nothing told."""
        self._rows: dict[Thing, Told] = {}

    def get(self, thing: Thing) -> Told | None:
        """Return a thing's row."""
        return self._rows.get(thing)

    def put(self, thing: Thing, told: Told) -> None:
        """Insert or replace a thing's row."""
        self._rows[thing] = told

    def pop(self, thing: Thing) -> Told | None:
        """Take a thing's row out."""
        return self._rows.pop(thing, None)

    def in_order(self) -> Iterator[tuple[Thing, Told]]:
        """Yield all rows by subject and id."""
        yield from sorted(self._rows.items())


def rows_digest(rows: Iterable[tuple[Thing, Told]]) -> str:
    """Return the hash of rows, which come by subject and id.

    SHA-256 over one line a row: a JSON array of subject, id and the last line's number, then the
    row as history writes changes.
    """
    hashed = hashlib.sha256()
    for (subject, subject_id), (row, number) in rows:
        array = json.dumps([subject, subject_id, number], separators=(",", ":"))
        hashed.update(f"{array}{encoded(row)}\n".encode("ascii"))
    return hashed.hexdigest()
