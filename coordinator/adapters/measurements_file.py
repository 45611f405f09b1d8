"""The port `Shelf` on one file, which nobody ever sees half of."""

import asyncio
import errno
import os
from contextlib import suppress
from pathlib import Path

from coordinator.errors import Unavailable


class MeasurementsFile:
    """Implements `Shelf`."""

    def __init__(self, path: Path) -> None:
        """Use this file."""
        self._path = path

    async def load(self) -> bytes | None:
        """See the port."""
        with suppress(OSError):
            return await asyncio.to_thread(self._path.read_bytes)
        return None

    async def save(self, data: bytes) -> None:
        """See the port."""
        try:
            await asyncio.to_thread(self._save, data)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            code = "disk_full" if full else "storage_unusable"
            raise Unavailable(code, f"{self._path} can't be written: {error.strerror}") from error

    def _save(self, data: bytes) -> None:
        draft = self._path.with_name(self._path.name + ".draft")
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
