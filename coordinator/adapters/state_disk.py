"""The port `Disk`: the file system below the state folder."""

import asyncio
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from coordinator.errors import Unavailable
from coordinator.ports_disk import Room

# Where `pictures_folder` keeps what cameras saw.
PICTURES = "pictures"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateDisk:
    """Implements `Disk`.

    Attributes:
        database: SQLite's file; None where the database is a server's.
        cache: a folder; None where nothing is kept.
    """

    folder: Path
    database: Path | None = None
    cache: Path | None = None

    async def free_bytes(self) -> int:
        """Return what is left: one call of the system, and at once."""
        return self._usage()[1]

    async def room(self) -> Room:
        """Return what is taken and what is left."""
        return await asyncio.to_thread(self._room)

    def _room(self) -> Room:
        total_bytes, free_bytes = self._usage()
        return Room(
            free_bytes=free_bytes,
            total_bytes=total_bytes,
            database_bytes=_database_bytes(self.database) if self.database is not None else None,
            cache_bytes=_folder_bytes(self.cache) if self.cache is not None else 0,
            pictures_bytes=_folder_bytes(self.folder / PICTURES),
        )

    def _usage(self) -> tuple[int, int]:
        """Return how many bytes the disk has, and how many are free."""
        try:
            usage = shutil.disk_usage(self.folder)
        except OSError as error:
            raise Unavailable(
                "storage_unusable", f"{self.folder} can't be looked at: {error.strerror}"
            ) from error
        return usage.total, usage.free


def _database_bytes(path: Path) -> int:
    beside = (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm")))
    return sum(each.stat().st_size for each in beside if each.exists())


def _folder_bytes(folder: Path) -> int:
    """Return the length of all files below; those that vanish meanwhile count for nothing."""
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(where, name)).st_size
            except FileNotFoundError:
                continue
    return total
