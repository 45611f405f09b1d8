"""A new SQLite database, as the migrations would make it: written down, so that none has to run.

A first start then needs no Alembic, which costs 11 MiB for as long as the process lives, and a good
part of a second. `python -m tests.golden.renew_database` writes it anew; a test compares it with
what the migrations make. Should it be older than they are, the rest of them run.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection

WRITTEN = Path(__file__).parent / "migrations" / "new.sql"


def begin(connection: Connection) -> None:
    """Make an empty SQLite database what `WRITTEN` says, within the transaction that runs."""
    for statement in _statements(WRITTEN.read_text()):
        connection.exec_driver_sql(statement)


def _statements(text: str) -> Iterator[str]:
    """Yield statement by statement; a trigger has several of them inside."""
    said = ""
    for line in text.splitlines(keepends=True):
        said += line
        if sqlite3.complete_statement(said):
            yield said
            said = ""
