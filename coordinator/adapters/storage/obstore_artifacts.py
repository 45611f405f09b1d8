"""The port `ArtifactStore` on a folder, through obstore.

Reading, sizes and deleting go through obstore, so that a bucket can take the folder's place. Two
things go past it, for its local store offers neither: files are staged in the folder itself and
renamed into place, so that a large file is written once and survives a power cut (obstore copies
and does not fsync); and tools get the file's own path instead of a copy.
"""

import asyncio
import errno
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import cached_property
from hashlib import sha256 as sha256_of
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from coordinator.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from obstore.store import LocalStore

CHUNK_BYTES = 256 * 1024
_STAGING = ".staging"
_READ_ONLY = 0o444
_SHA256 = re.compile("[0-9a-f]{64}")


class FolderArtifacts:
    """Immutable files by sha256 below a folder; made by `open_artifacts`."""

    def __init__(self, folder: Path) -> None:
        """Take a folder that exists and that nobody else writes to."""
        self._folder = folder

    @cached_property
    def _store(self) -> "LocalStore":
        # Late, here and below: it costs 5 MiB, and a farm that only looks on reads no files.
        from obstore.store import LocalStore

        return LocalStore(prefix=self._folder)

    @asynccontextmanager
    async def stage(self, suffix: str = "") -> AsyncIterator["StagedArtifact"]:
        """Begin a file; gone at the end of the block unless kept.

        Raises:
            Unavailable: the disk is full.
        """
        staged = await asyncio.to_thread(StagedArtifact, self._folder, suffix)
        try:
            yield staged
        finally:
            await asyncio.to_thread(staged.discard)

    async def size(self, sha256: str) -> int | None:
        """Return the length in bytes, or None where there is no such artifact."""
        from obstore import head_async

        try:
            return (await head_async(self._store, _key(sha256)))["size"]
        except (FileNotFoundError, NotFound):
            return None

    async def stored(self) -> list[tuple[str, int]]:
        """Return the hash and the length in bytes of all that is kept, in any order."""
        from obstore import list as listed

        found: list[tuple[str, int]] = []
        async for page in listed(self._store):
            names = ((each["path"].rpartition("/")[2], each["size"]) for each in page)
            # What lies there uninvited, half a file of a crash say, is no artifact.
            found += [(name, size) for name, size in names if _SHA256.fullmatch(name)]
        return found

    async def read(self, sha256: str, *, start: int, stop: int) -> AsyncIterator[bytes]:
        """Yield the bytes from `start` up to `stop`, in chunks.

        Raises:
            NotFound: there is no such artifact.
        """
        if stop <= start:
            return  # obstore refuses an empty range
        from obstore import get_async

        try:
            found = await get_async(self._store, _key(sha256), options={"range": (start, stop)})
        except FileNotFoundError as error:
            raise NotFound("artifact", sha256) from error
        async for chunk in found.stream(min_chunk_size=CHUNK_BYTES):
            yield bytes(chunk)

    @asynccontextmanager
    async def as_file(self, sha256: str, suffix: str = "") -> AsyncIterator[Path]:
        """Lend the artifact as a file with this suffix; read only.

        Raises:
            NotFound: there is no such artifact.
        """
        path = self._folder / _key(sha256)
        if not path.is_file():
            raise NotFound("artifact", sha256)
        if not suffix:
            yield path
            return
        async with self.scratch() as lent:
            named = lent / f"artifact{suffix}"
            named.symlink_to(path.resolve())
            yield named

    @asynccontextmanager
    async def scratch(self) -> AsyncIterator[Path]:
        """Lend an empty folder, gone with all in it at the end of its block.

        Raises:
            Unavailable: the disk is full or read only.
        """
        try:
            lent = Path(tempfile.mkdtemp(dir=self._folder / _STAGING))
        except OSError as error:
            raise _full(self._folder, error) from error
        try:
            yield lent
        finally:
            await asyncio.to_thread(shutil.rmtree, lent, ignore_errors=True)

    async def delete(self, sha256: str) -> None:
        """Remove it; nothing happens where it is not there."""
        from obstore import delete_async

        with suppress(FileNotFoundError, NotFound):
            await delete_async(self._store, _key(sha256))


class StagedArtifact:
    """The port `StagedFile`: a file that lies in the staging folder until it is kept."""

    def __init__(self, folder: Path, suffix: str) -> None:
        """Create the file.

        Raises:
            Unavailable: the disk is full or read only.
        """
        self._folder = folder
        self._hash = sha256_of()
        self._size_bytes = 0
        try:
            handle, name = tempfile.mkstemp(suffix=suffix, dir=folder / _STAGING)
        except OSError as error:
            raise _full(folder, error) from error
        self._path = Path(name)
        self._file: BinaryIO = os.fdopen(handle, "wb", buffering=0)

    @property
    def path(self) -> Path:
        """Where it lies until it is kept."""
        return self._path

    @property
    def sha256(self) -> str:
        """The hash of what was written so far."""
        return self._hash.hexdigest()

    @property
    def size_bytes(self) -> int:
        """How much was written so far."""
        return self._size_bytes

    async def write(self, chunk: bytes) -> None:
        """Append.

        Raises:
            Unavailable: the disk is full.
        """
        await asyncio.to_thread(self._append, chunk)

    async def keep(self) -> None:
        """Put it into the store under its hash, durably.

        Raises:
            Unavailable: the disk is full.
        """
        await asyncio.to_thread(self._keep)

    def discard(self) -> None:
        """Remove what was not kept."""
        self._file.close()
        self._path.unlink(missing_ok=True)

    def _append(self, chunk: bytes) -> None:
        rest = memoryview(chunk)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise _full(self._folder, error) from error
        self._hash.update(chunk)
        self._size_bytes += len(chunk)

    def _keep(self) -> None:
        target = self._folder / _key(self.sha256)
        try:
            os.fchmod(self._file.fileno(), _READ_ONLY)
            os.fsync(self._file.fileno())
            if not target.parent.is_dir():
                target.parent.mkdir(exist_ok=True)
                _sync_folder(self._folder)
            # A second name, not a new one: who holds the staged path can go on reading there.
            with suppress(FileExistsError):
                os.link(self._path, target)
            _sync_folder(target.parent)
        except OSError as error:
            raise _full(self._folder, error) from error


@asynccontextmanager
async def open_artifacts(folder: Path) -> AsyncIterator[FolderArtifacts]:
    """Create the folder if need be, remove what an earlier process left half done, and lend it.

    Raises:
        Unavailable: the folder can't be made or written.
    """
    staging = folder / _STAGING
    try:
        await asyncio.to_thread(shutil.rmtree, staging, ignore_errors=True)
        staging.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _full(folder, error) from error
    yield FolderArtifacts(folder)


def _key(sha256: str) -> str:
    """Return the place of an artifact; folders of 1/256 each keep listings short.

    Raises:
        NotFound: what was given is no hash, a path that leads elsewhere perhaps.
    """
    if not _SHA256.fullmatch(sha256):
        raise NotFound("artifact", sha256)
    return f"{sha256[:2]}/{sha256}"


def _sync_folder(folder: Path) -> None:
    """Make names in a folder durable: a file that is fsynced may still lose its name."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _full(folder: Path, error: OSError) -> Unavailable:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return Unavailable("disk_full", f"the disk of {folder} is full: make room and try again")
    return Unavailable(
        "storage_unusable", f"{folder} can't be written ({error.strerror}): check its permissions"
    )
