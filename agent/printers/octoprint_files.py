"""The files of runs on an OctoPrint: stored, checked, copied, cleaned, and their histories."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

from octorest import OctoRest

from agent.errors import DriverUnavailable, NotPossible, PlateRefused
from agent.printers import host_folder
from agent.printers.driver import PlateFile
from agent.printers.octoprint_rest import NotFound, OwnError, Rest, sha1_of
from agent.printers.octoprint_states import LOCAL


class OctoPrintFiles:
    """Our folder on one OctoPrint. See `agent.printers.print_host.PrintHost`."""

    def __init__(self, rest: Rest, kept_bytes_max: int) -> None:
        """Ask through its API; keep so much of plates there."""
        self._rest = rest
        self._kept_bytes_max = kept_bytes_max
        self._hashes: dict[str, str] = {}

    async def store(self, plate: PlateFile) -> None:
        """Have the plate lie in our folder, and OctoPrint's hash of it be ours."""
        path = host_folder.plate_path(plate.sha256)
        if await self._is_stored(plate, path):
            return
        sent = await self._rest.upload(plate.path, path)
        self._hashes = {plate.sha256: sent}
        if not await self._is_stored(plate, path):
            raise PlateRefused("OctoPrint keeps other bytes than it was sent: does a plugin edit?")

    async def _is_stored(self, plate: PlateFile, path: str) -> bool:
        info = await self._rest.call(lambda client: info_of(client, path))
        if info is None:
            return False
        if plate.sha256 not in self._hashes:
            try:
                sha1 = await asyncio.to_thread(sha1_of, plate.path)
            except OSError as error:
                raise DriverUnavailable(f"the plate's file can't be read: {error}") from error
            self._hashes = {plate.sha256: sha1}
        return bool(info.get("hash") == self._hashes[plate.sha256])

    async def clean(self, *, jobs: Collection[str], plates: Collection[str]) -> None:
        """See the contract."""

        def tidy(client: OctoRest) -> None:
            try:
                folder = client.files(f"{LOCAL}/{host_folder.FOLDER}", recursive=True)
            except NotFound:
                return
            files = list(_stored(folder.get("children", ())))
            bytes_max = self._kept_bytes_max
            for path in host_folder.surplus(files, jobs=jobs, plates=plates, bytes_max=bytes_max):
                try:
                    client.delete(f"{LOCAL}/{path}")
                except NotPossible:
                    continue  # a person prints it, or removed it

        await self._rest.call(tidy)

    async def prepare(self, plate: PlateFile, job: str) -> str:
        """Make the run's own copy of the plate; returns the prints in its history."""
        await self.store(plate)
        stored = host_folder.plate_path(plate.sha256)

        def copy(client: OctoRest) -> str:
            if info_of(client, job) is not None:
                client.delete(f"{LOCAL}/{job}")  # a start before this one was refused
            client.copy(stored, job)
            return mark_of(info_of(client, job))

        return await self._rest.call(copy)

    async def forget(self, job: str) -> None:
        """Remove the run's file, so that a start that is still on its way finds nothing."""

        def remove(client: OctoRest) -> None:
            try:
                client.delete(f"{LOCAL}/{job}")
            except NotFound:
                return

        await self._rest.call(remove)


def info_of(client: OctoRest, path: str) -> Mapping[str, Any] | None:
    """Return what OctoPrint knows of a file or folder, None where there is none."""
    try:
        found: Mapping[str, Any] = client.files_info(LOCAL, path)
    except NotFound:
        return None
    except OwnError:
        # OctoPrint 1.11 answers 500 where the folder is missing.
        folder, _, _ = path.rpartition("/")
        if folder and info_of(client, folder) is None:
            return None
        raise
    return found


def mark_of(info: Mapping[str, Any] | None) -> str:
    """Return how often a file was printed to its end and how often not."""
    prints = (info or {}).get("prints") or {}
    return f"{int(prints.get('success', 0))} {int(prints.get('failure', 0))}"


def _stored(entries: Collection[Mapping[str, Any]]) -> list[host_folder.Stored]:
    found: list[host_folder.Stored] = []
    for entry in entries:
        if entry.get("type") == "folder":
            found += _stored(entry.get("children", ()))
        else:
            size, date_s = entry.get("size") or 0, entry.get("date") or 0.0
            found.append(
                host_folder.Stored(path=entry["path"], size_bytes=int(size), date_s=float(date_s))
            )
    return found
