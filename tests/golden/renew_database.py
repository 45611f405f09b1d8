"""Write down what the migrations make of a new SQLite file.

Whoever adds a migration runs `python -m tests.golden.renew_database`; nothing else writes it.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from coordinator.adapters.db import engines, schema
from coordinator.adapters.db.beginning import WRITTEN


def migrated(path: Path, upto: str = "head") -> None:
    """Make a database by its migrations alone."""
    engine = engines.migrator(path)
    with engine.begin() as connection:
        schema.apply(connection, upto)
    engine.dispose()


def dumped(path: Path) -> str:
    """Return all of a database as statements, without the transaction around them."""
    with closing(sqlite3.connect(path)) as connection:
        text = "\n".join(list(connection.iterdump())[1:-1])
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def main() -> None:
    """Write the file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "farm.sqlite3"
        migrated(path)
        WRITTEN.write_text(dumped(path))


if __name__ == "__main__":
    main()
