"""Plates on this machine: fetched over HTTP, checked, cached by their hash, evicted when old.

A file has its final name only once its hash is right and its bytes are on the card. What a broken
connection left is continued with a range request. The agent's token goes to the coordinator's own
origin and nowhere else.
"""

import asyncio
import errno
import hashlib
import os
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar
from urllib.parse import urljoin, urlsplit

from agent.errors import FileUnavailable
from agent.tls import context_of, trouble_in
from protocols.wire.to_agent import PlateReference

if TYPE_CHECKING:
    import aiohttp

Result = TypeVar("Result")

CHUNK_BYTES = 256 * 1024
CONNECT_S_MAX = 10.0
SILENCE_S_MAX = 30.0  # a coordinator that slices on the same Pi can be this slow

_SHA256 = re.compile(r"[0-9a-f]{64}")

# What fails for good: asking again for the same file gets the same answer.
_GONE = {404: "there is no such file", 410: "the file was deleted"}
_DENIED = {401: "it wants another token", 403: "it does not allow this agent"}


class FileStore:
    """The cache of plates. One fetch per hash at a time; any number of them side by side."""

    def __init__(
        self,
        folder: Path,
        *,
        coordinator_url: str,
        token: str = "",
        ca_file: Path | None = None,
        cache_bytes_max: int,
    ) -> None:
        """Use a folder of its own; nothing else may write there, but what is kept beside a plate.

        Such a file has the plate's name and an ending, and goes when the plate goes.

        Args:
            folder: where the files lie; made when needed.
            coordinator_url: what relative URLs are relative to, and who is shown the token.
            token: the agent's credential, empty for none.
            ca_file: authority of the coordinator's certificate; the system's for None.
            cache_bytes_max: above this, the files that were used longest ago are removed; those
                that are held stay.
        """
        self._folder = folder
        self._coordinator_url = coordinator_url
        self._token = token
        self._ca_file = ca_file
        self._cache_bytes_max = cache_bytes_max
        self._held: dict[str, str] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    def hold(self, owner: str, sha256: str | None) -> None:
        """Keep this file as long as the owner holds it; an owner holds one, or None."""
        if sha256 is None:
            self._held.pop(owner, None)
        else:
            self._held[owner] = sha256

    async def cached(self, sha256: str) -> Path | None:
        """Return the file where it is here and whole, else None."""
        path = self._folder / sha256
        return path if await asyncio.to_thread(_is_whole, path, sha256) else None

    async def fetch(self, plate: PlateReference) -> Path:
        """Return where the plate lies, fetched if it is not here yet.

        Raises:
            FileUnavailable: it can't be had now (`retry`), or never.
        """
        if not _SHA256.fullmatch(plate.sha256):
            raise FileUnavailable(f"{plate.sha256!r} is no SHA-256", retry=False)
        async with self._locks.setdefault(plate.sha256, asyncio.Lock()):
            if path := await self.cached(plate.sha256):
                os.utime(path)
                return path
            part = self._folder / f"{plate.sha256}.part"
            had = await self._on_card(plate, lambda: self._make_room(plate, part))
            if had < plate.size_bytes:
                await self._download(plate, part, had)
            return await self._on_card(plate, lambda: self._accept(plate, part, resumed=had > 0))

    async def _download(self, plate: PlateReference, part: Path, had: int) -> None:
        """Write the part file, or what is missing of it after the bytes it `had`."""
        async with self._response(plate, had) as response:
            resumed = response.status == 206 and _begins_at(response, had)
            if response.status == 206 and not resumed:
                raise FileUnavailable("the server sent another part of the file", retry=True)
            received = had if resumed else 0
            file = await self._on_card(plate, lambda: _opened(part, append=resumed))
            with file:
                async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                    received += len(chunk)
                    if received > plate.size_bytes:
                        raise FileUnavailable(
                            f"{plate.name} is longer than {plate.size_bytes} bytes", retry=False
                        )
                    await self._on_card(plate, partial(_write, file, chunk))

    @asynccontextmanager
    async def _response(
        self, plate: PlateReference, have: int
    ) -> "AsyncIterator[aiohttp.ClientResponse]":
        """Ask for the rest of the plate; an unusable answer is raised."""
        import aiohttp  # here, because it is the largest library and a run in a day needs it

        url = urljoin(self._coordinator_url.rstrip("/") + "/", plate.url)
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        is_ours = _origin(url) == _origin(self._coordinator_url)
        if self._token and is_ours:
            headers["Authorization"] = f"Bearer {self._token}"
        tls = context_of(self._ca_file if is_ours else None) if url[:6] == "https:" else True
        patience = aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_S_MAX, sock_read=SILENCE_S_MAX
        )
        try:
            async with (
                aiohttp.ClientSession(timeout=patience) as session,
                session.get(url, headers=headers, ssl=tls) as response,
            ):
                _judge_status(url, response.status)
                yield response
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
            raise FileUnavailable(f"{url!r} is no address of a file", retry=False) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            where = urlsplit(url).netloc
            reason = trouble_in(error, where) or str(error) or type(error).__name__
            raise FileUnavailable(f"{url} can't be fetched: {reason}", retry=True) from error

    def _accept(self, plate: PlateReference, part: Path, *, resumed: bool) -> Path:
        """Give a finished file its name, if it is what it should be."""
        if (size := part.stat().st_size) < plate.size_bytes:
            raise FileUnavailable(
                f"{plate.name} broke off after {size} of {plate.size_bytes} bytes", retry=True
            )
        if not _is_whole(part, plate.sha256):
            part.unlink()
            # What was left of an earlier attempt may be at fault; a file from one piece is not.
            raise FileUnavailable(f"{plate.name} has another hash than it should", retry=resumed)
        _sync(part)
        path = self._folder / plate.sha256
        part.rename(path)
        _sync(self._folder)
        return path

    def _make_room(self, plate: PlateReference, part: Path) -> int:
        """Remove the files that were used longest ago until this one fits the limit.

        Returns how many bytes of it are here already.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        held = {*self._held.values(), plate.sha256}
        others = [path for path in self._folder.iterdir() if path != part]
        total = plate.size_bytes + sum(path.stat().st_size for path in others)
        for path in sorted(others, key=lambda path: path.stat().st_mtime):
            if total <= self._cache_bytes_max:
                break
            if path.name.partition(".")[0] not in held and path.exists():
                for each in (path, *self._folder.glob(f"{path.name}.*")):
                    total -= each.stat().st_size
                    each.unlink()
        had = part.stat().st_size if part.exists() else 0
        if had > plate.size_bytes:
            part.unlink()
            had = 0
        return had

    async def _on_card(self, plate: PlateReference, work: Callable[[], Result]) -> Result:
        """Do blocking work on the card in a thread; say in words when there is no room."""
        try:
            return await asyncio.to_thread(work)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise FileUnavailable(
                    f"{self._folder} can't be used: {error.strerror}", retry=True
                ) from error
            with suppress(OSError):  # what is there of it only fills the card further
                os.unlink(self._folder / f"{plate.sha256}.part")
            raise FileUnavailable(
                f"no room in {self._folder} for {plate.name} ({plate.size_bytes} bytes): "
                "free some, or lower cache_bytes_max",
                retry=True,
            ) from error


def _opened(part: Path, *, append: bool) -> BinaryIO:
    return part.open("ab" if append else "wb", buffering=0)


def _write(file: BinaryIO, data: bytes) -> None:
    """Write all of it; an unbuffered file may take less at once."""
    while data:
        data = data[file.write(data) :]


def _sync(path: Path) -> None:
    """Make a file's bytes, or a directory's names, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _judge_status(url: str, status: int) -> None:
    if status in (200, 206):
        return
    if status in _GONE:
        raise FileUnavailable(f"{url}: {_GONE[status]}", retry=False)
    reason = _DENIED.get(status, f"it answered {status}")
    raise FileUnavailable(f"{url} can't be fetched: {reason}", retry=True)


def _begins_at(response: "aiohttp.ClientResponse", have: int) -> bool:
    return response.headers.get("Content-Range", "").startswith(f"bytes {have}-")


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, port


def _is_whole(path: Path, sha256: str) -> bool:
    """Whether a file is there and its bytes are the right ones; cards do rot."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except FileNotFoundError:
        return False
