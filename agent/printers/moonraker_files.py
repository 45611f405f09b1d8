"""Our folder on a Moonraker, and its history of prints."""

from collections.abc import Collection, Mapping
from typing import Any

import aiohttp

from agent.errors import AnswerLost, DriverUnavailable, NotPossible, PlateRefused
from agent.printers import host_folder
from agent.printers.driver import PlateFile
from agent.printers.moonraker_socket import Link

ROOT = "gcodes"
JOBS_LOOKED_AT = 50  # the last ones; a driver asks for no other than its last run


class MoonrakerFiles:
    """One Moonraker's. See `agent.printers.print_host.PrintHost`."""

    def __init__(self, link: Link, kept_bytes_max: int) -> None:
        """Ask over a link; keep so much of plates there."""
        self._link = link
        self._kept_bytes_max = kept_bytes_max
        self._whole = ""  # hash of the plate that was read back last

    async def store(self, plate: PlateFile) -> None:
        """Have the plate lie in our folder, as it is.

        Moonraker tells no hash of what it keeps, so that is read back, once by each process: its
        object processing edits files, and several Moonrakers on one machine share a folder for
        what arrives, where files of the same second get the same name.
        """
        path = host_folder.plate_path(plate.sha256)
        if await self._size_of(path) == _size(plate) and await self._is_whole(plate, path):
            return
        await self._bring(plate, path)
        self._whole = plate.sha256

    async def _bring(self, plate: PlateFile, path: str) -> None:
        """Upload the plate, and read back what came of it."""
        await self._upload(plate, path)
        if await self._size_of(path) != _size(plate):
            raise PlateRefused("Moonraker keeps other bytes than it was sent: is it told to edit?")
        if await self._hash_of(path) != plate.sha256:
            raise DriverUnavailable("the plate was damaged on its way")

    async def _hash_of(self, path: str) -> str:
        return await self._link.sha256_of(f"/server/files/{_rooted(path)}")

    async def _is_whole(self, plate: PlateFile, path: str) -> bool:
        if plate.sha256 != self._whole:
            if await self._hash_of(path) != plate.sha256:
                return False
            self._whole = plate.sha256
        return True

    async def _upload(self, plate: PlateFile, path: str) -> None:
        folder, _, name = path.rpartition("/")
        form = aiohttp.FormData()
        for field, value in (("root", ROOT), ("path", folder), ("checksum", plate.sha256)):
            form.add_field(field, value)
        try:
            opened = plate.path.open("rb")
        except OSError as error:
            raise DriverUnavailable(f"the plate's file can't be read: {error}") from error
        with opened:
            form.add_field("file", opened, filename=name, content_type="application/octet-stream")
            status, words = await self._link.post("/server/files/upload", form)
        if status in (401, 403):
            raise NotPossible(f"it refuses the API key, or the file ({status} {words})")
        if status == 422:
            raise DriverUnavailable("the plate was damaged on its way")
        if status >= 500:
            raise AnswerLost(f"Moonraker could not store the plate ({status} {words})")
        if status >= 400:
            raise NotPossible(f"Moonraker does not take the plate ({status} {words})")

    async def _size_of(self, path: str) -> int | None:
        folder, _, _ = path.rpartition("/")
        return {file.path: file.size_bytes for file in await self._list(folder)}.get(path)

    async def _list(self, folder: str) -> list[host_folder.Stored]:
        """Return the files of a folder, none where there is no such folder."""
        try:
            found = await self._link.ask("server.files.get_directory", {"path": _rooted(folder)})
        except NotPossible as refusal:
            if "does not exist" in str(refusal):
                return []
            raise
        return [
            host_folder.Stored(
                path=f"{folder}/{file['filename']}",
                size_bytes=int(file["size"]),
                date_s=float(file["modified"]),
            )
            for file in found.get("files", ())
        ]

    async def clean(self, *, jobs: Collection[str], plates: Collection[str]) -> None:
        """See the contract."""
        files = await self._list(host_folder.FOLDER) + await self._list(host_folder.PLATES)
        bytes_max = self._kept_bytes_max
        for path in host_folder.surplus(files, jobs=jobs, plates=plates, bytes_max=bytes_max):
            try:
                await self._link.call("server.files.delete_file", {"path": _rooted(path)})
            except NotPossible:
                continue  # a person prints it, or removed it

    async def prepare(self, plate: PlateFile, job: str) -> None:
        """Bring the plate under the run's own name.

        It is sent once more, not copied there: for a copy Moonraker waits for the kernel to tell of
        the file, which it does not where the folder is new, and then takes no file any more.
        """
        await self._bring(plate, job)

    async def forget(self, job: str) -> None:
        """Remove the run's file, so that a start that is still on its way finds nothing."""
        if await self._size_of(job) is not None:
            await self._link.call("server.files.delete_file", {"path": _rooted(job)})

    async def first_print(self, job: str) -> Mapping[str, Any] | None:
        """Return what the history tells of a file's first print, None where it has none.

        A person may have printed the file again since.
        """
        question = {"limit": JOBS_LOOKED_AT, "order": "desc"}
        try:
            told = await self._link.ask("server.history.list", question)
        except NotPossible:
            return None  # a Moonraker without a history
        prints = [entry for entry in told.get("jobs", ()) if entry.get("filename") == job]
        return prints[-1] if prints else None


def _size(plate: PlateFile) -> int:
    try:
        return plate.path.stat().st_size
    except OSError as error:
        raise DriverUnavailable(f"the plate's file can't be read: {error}") from error


def _rooted(path: str) -> str:
    return f"{ROOT}/{path}"
