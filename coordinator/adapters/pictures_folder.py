"""The port `Pictures` on a folder: one file a printer, and one for each of the last runs.

On the disk, because those of 500 printers can take half a gigabyte. A file is renamed into place,
and not fsynced: one that a power cut tore is no picture, and is passed over.
"""

import asyncio
import errno
import os
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path

from coordinator.errors import Unavailable
from coordinator.ports_pictures import Picture
from protocols.pictures import picture_type
from protocols.wire.vocabulary import PrinterId, RunId

# A gigabyte at worst, and some hundred megabytes as a rule: some days of a large farm.
RUNS_MAX = 1000


class FolderPictures:
    """Implements `Pictures`; nobody else writes to its folder."""

    def __init__(self, folder: Path, *, runs_max: int = RUNS_MAX) -> None:
        """Use a folder, which is made when the first picture comes.

        Args:
            folder: where the files lie.
            runs_max: of how many runs the pictures stay.
        """
        self._printers, self._runs = folder / "printers", folder / "runs"
        self._runs_max = runs_max

    async def keep(
        self, printer_id: PrinterId, picture: Picture, *, run_id: RunId | None = None
    ) -> None:
        """See the port."""
        await asyncio.to_thread(self._keep, printer_id, picture, run_id)

    async def newest(self, printer_id: PrinterId) -> Picture | None:
        """See the port."""
        return await asyncio.to_thread(_read, self._printers / printer_id)

    async def of_run(self, run_id: RunId) -> Picture | None:
        """See the port."""
        return await asyncio.to_thread(_read, self._runs / run_id)

    async def seen_of(self, run_ids: Collection[RunId]) -> frozenset[RunId]:
        """See the port."""

        def look() -> frozenset[RunId]:
            return frozenset(run_id for run_id in run_ids if (self._runs / run_id).exists())

        return await asyncio.to_thread(look)

    def _keep(self, printer_id: PrinterId, picture: Picture, run_id: RunId | None) -> None:
        try:
            _write(self._printers / printer_id, picture)
            if run_id is not None:
                _write(self._runs / run_id, picture)
                self._forget_oldest()
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            code = "disk_full" if full else "storage_unusable"
            raise Unavailable(
                code, f"the picture of {printer_id} can't be kept: {error.strerror}"
            ) from error

    def _forget_oldest(self) -> None:
        # Ids are sortable by time.
        for name in sorted(_names(self._runs))[: -self._runs_max]:
            (self._runs / name).unlink(missing_ok=True)


def _names(folder: Path) -> Iterator[str]:
    return (entry.name for entry in os.scandir(folder) if not entry.name.endswith(".new"))


def _write(path: Path, picture: Picture) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(path.name + ".new")
    scratch.write_bytes(picture.data)
    taken_at_s = picture.taken_at.timestamp()
    os.utime(scratch, (taken_at_s, taken_at_s))
    scratch.replace(path)


def _read(path: Path) -> Picture | None:
    try:
        with path.open("rb") as file:
            taken_at = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
            data = file.read()
    except OSError:
        return None
    return Picture(data=data, taken_at=taken_at) if picture_type(data) else None
