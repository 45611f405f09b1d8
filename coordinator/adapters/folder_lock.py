"""One coordinator per folder: two would both believe that they are the truth."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from coordinator.errors import StoreUnusable


@contextmanager
def hold_folder(folder: Path) -> Iterator[None]:
    """Create the folder if need be and hold it; the kernel lets go when the process dies.

    Raises:
        StoreUnusable: another coordinator holds it, or it can't be written.
    """
    path = folder / "coordinator.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreUnusable(
            f"the folder {folder} can't be used ({error.strerror}): "
            "make it writable, or set state_dir to another"
        ) from error
    try:
        _take(lock, folder)
        with suppress(OSError):  # a full disk; the number is there to be told, the lock is held
            os.truncate(lock, 0)
            os.write(lock, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(lock)


def _take(lock: int, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.read(lock, 32).decode(errors="replace").strip() or "unknown"
        raise StoreUnusable(
            f"another coordinator (process {holder}) uses the folder {folder}: "
            "stop it, or set state_dir to another"
        ) from error
