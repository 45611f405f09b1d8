"""Backups that the farm takes by itself, in a folder: whole ones only, and so many of them."""

import asyncio
import os
import re
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from coordinator.backup_files import read_backup, sync_folder
from coordinator.errors import NotFound, Refused, Unavailable
from coordinator.ports_disk import KeptBackup

# Nothing else in the folder is ours to count or to remove.
_NAME = re.compile(r"farmhand-(\d{8}T\d{6})Z\.tar")
_TIME = "%Y%m%dT%H%M%S"
_PART = ".part"
_PART_BYTES = 256 * 1024


@dataclass(slots=True, kw_only=True)
class BackupFolder:
    """A folder of backups.

    Attributes:
        every: how long the newest may be before another one is due.
        kept: how many stay; older ones go once a new one is whole.
    """

    folder: Path
    every: timedelta
    kept: int

    @property
    def place(self) -> str:
        """Where it is."""
        return str(self.folder)

    async def kept_backups(self) -> list[KeptBackup]:
        """Return the backups that are there, oldest first.

        Raises:
            Unavailable: nobody can look there.
        """
        try:
            found = await asyncio.to_thread(self._backups)
            return [await asyncio.to_thread(_told, at, path) for at, path in found]
        except OSError as error:
            raise Unavailable(
                "storage_unusable", f"{self.folder} can't be read: {error.strerror}"
            ) from error

    async def due(self, now: datetime) -> bool:
        """Whether it is time for another one."""
        found = await asyncio.to_thread(self._backups)
        return not found or now - found[-1][0] >= self.every

    async def put(self, parts: AsyncIterator[bytes], now: datetime) -> KeptBackup:
        """Write a backup, prove that it is whole, and let older ones go.

        Raises:
            Unavailable: the folder can't be written, or what was written is not what is read.
        """
        path = self.folder / f"farmhand-{now.astimezone(UTC).strftime(_TIME)}Z.tar"
        draft = path.with_name(path.name + _PART)
        try:
            handle = await asyncio.to_thread(self._begin, draft)
            with os.fdopen(handle, "wb") as file:
                async for part in parts:
                    await asyncio.to_thread(file.write, part)
                file.flush()
                await asyncio.to_thread(os.fsync, file.fileno())
            await asyncio.to_thread(self._finish, draft, path)
        except Refused as error:
            raise Unavailable("storage_unusable", f"the backup is not whole: {error}") from error
        except OSError as error:
            raise Unavailable(
                "storage_unusable",
                f"backups can't be written to {self.folder}: {error.strerror}",
            ) from error
        finally:
            draft.unlink(missing_ok=True)
        return await asyncio.to_thread(_told, now, path)

    async def read(self, name: str) -> AsyncGenerator[bytes, None]:
        """Yield one of them.

        Raises:
            NotFound: there is none of this name.
            Unavailable: it can't be read.
        """
        path = self.folder / name
        if not _NAME.fullmatch(name) or not await asyncio.to_thread(path.is_file):
            raise NotFound("backup", name)
        try:
            file = await asyncio.to_thread(path.open, "rb")
            with file:
                while part := await asyncio.to_thread(file.read, _PART_BYTES):
                    yield part
        except OSError as error:
            raise Unavailable(
                "storage_unusable", f"{path} can't be read: {error.strerror}"
            ) from error

    def _begin(self, draft: Path) -> int:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in self.folder.glob(f"farmhand-*{_PART}"):  # by a crash
            left.unlink(missing_ok=True)
        return os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)

    def _finish(self, draft: Path, path: Path) -> None:
        read_backup(draft, lambda _: None)
        draft.rename(path)
        sync_folder(self.folder)
        for _, old in self._backups()[: -self.kept]:
            old.unlink(missing_ok=True)

    def _backups(self) -> list[tuple[datetime, Path]]:
        """Return the backups that are there with their times, oldest first."""
        names = sorted(self.folder.iterdir()) if self.folder.is_dir() else []
        found = ((_NAME.fullmatch(path.name), path) for path in names)
        return [
            (datetime.strptime(match[1], _TIME).replace(tzinfo=UTC), path)
            for match, path in found
            if match is not None
        ]


def _told(made_at: datetime, path: Path) -> KeptBackup:
    return KeptBackup(name=path.name, made_at=made_at, size_bytes=path.stat().st_size)
