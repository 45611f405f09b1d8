"""What SQLite complains about, as errors that say what to do."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from coordinator.errors import StoreUnusable, Unavailable

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DISK = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
_FORBIDDEN = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM)


@contextmanager
def told_plainly(path: Path) -> Iterator[None]:
    """Turn what the world did to the database into one sentence; our own mistakes pass through.

    Raises:
        Unavailable: locked by another program, or no room on the disk.
        StoreUnusable: damaged, or not to be opened.
    """
    try:
        yield
    except DBAPIError as error:
        if told := _sentence(error.orig, path):
            raise told from error
        raise
    except sqlite3.Error as error:
        if told := _sentence(error, path):
            raise told from error
        raise


def _sentence(error: BaseException | None, path: Path) -> Unavailable | StoreUnusable | None:
    # The low byte is the kind of fault, what lies above tells its variants apart.
    kind = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if kind in _LOCKED:
        return Unavailable(
            "store_locked",
            f"another program holds the database {path}: close it (a backup, a database browser) "
            "and try again",
        )
    if kind in _DISK:
        return Unavailable(
            "disk_full", f"the database {path} can't be written ({error}): make room on its disk"
        )
    if kind in _DAMAGED:
        return damaged(path, str(error))
    if kind in _FORBIDDEN:
        return StoreUnusable(
            f"the database {path} can't be opened for writing ({error}): "
            "check owner and permissions of the file and its folder"
        )
    return None


def damaged(path: Path, what: str) -> StoreUnusable:
    """Return the error for a file that is no sound database."""
    return StoreUnusable(
        f"the database {path} is damaged ({what}): put a backup in its place, "
        "or move it away to begin with an empty farm"
    )
