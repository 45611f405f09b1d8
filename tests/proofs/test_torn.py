"""A database that the power left: all that was committed is there, and it is sound."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

from tests.proofs.torn import tear


def test_what_was_committed_survives_every_tear_and_what_was_not_is_gone(tmp_path: Path) -> None:
    live, words = tmp_path / "live.sqlite3", set()
    with closing(sqlite3.connect(live, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA cache_size=5")  # what is not committed spills into the log
        connection.execute("CREATE TABLE t (number INTEGER PRIMARY KEY, text TEXT)")
        for number in range(40):
            connection.execute("INSERT INTO t VALUES (?, ?)", (number, "x" * 3000))
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        connection.execute("UPDATE t SET text = 'committed' WHERE number % 2")
        connection.execute("BEGIN")
        connection.execute("UPDATE t SET text = 'not committed' || hex(zeroblob(1000))")
        for seed in range(30):
            folder = tmp_path / str(seed)
            folder.mkdir()
            for file in tmp_path.glob("live.sqlite3*"):
                shutil.copy(file, folder)
            said = tear(folder / live.name, Random(seed))
            assert " of 0 bytes" not in said
            assert " 0 pages" not in said
            words.add(said.split(" of ")[0])
            with closing(sqlite3.connect(folder / live.name)) as torn:
                assert torn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
                found = [row[0] for row in torn.execute("SELECT text FROM t ORDER BY number")]
            assert found == ["committed" if number % 2 else "x" * 3000 for number in range(40)]
    assert words == {"some", "garbage in part", "all and zeros behind", "none"}
