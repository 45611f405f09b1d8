"""An `ArtifactStore` in memory; staged files lie in a folder, as tools want paths."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

from coordinator.errors import NotFound


class FakeArtifacts:
    """Implements `coordinator.ports.ArtifactStore`."""

    def __init__(self, folder: Path) -> None:
        self.kept: dict[str, bytes] = {}
        self._folder = folder
        self._count = 0

    def _path(self, suffix: str) -> Path:
        self._count += 1
        return self._folder / f"file-{self._count}{suffix}"

    @asynccontextmanager
    async def stage(self, suffix: str = "") -> AsyncIterator["FakeStaged"]:
        staged = FakeStaged(self, self._path(suffix))
        try:
            yield staged
        finally:
            staged.path.unlink(missing_ok=True)

    async def size(self, sha256: str) -> int | None:
        data = self.kept.get(sha256)
        return None if data is None else len(data)

    async def stored(self) -> list[tuple[str, int]]:
        return [(name, len(data)) for name, data in self.kept.items()]

    async def read(self, sha256: str, *, start: int, stop: int) -> AsyncIterator[bytes]:
        yield self._data(sha256)[start:stop]

    @asynccontextmanager
    async def as_file(self, sha256: str, suffix: str = "") -> AsyncIterator[Path]:
        path = self._path(suffix)
        path.write_bytes(self._data(sha256))
        try:
            yield path
        finally:
            path.unlink()

    @asynccontextmanager
    async def scratch(self) -> AsyncIterator[Path]:
        path = self._path("")
        path.mkdir()
        try:
            yield path
        finally:
            shutil.rmtree(path)

    async def delete(self, sha256: str) -> None:
        self.kept.pop(sha256, None)

    def _data(self, sha256: str) -> bytes:
        if sha256 not in self.kept:
            raise NotFound("artifact", sha256)
        return self.kept[sha256]

    @property
    def left_behind(self) -> list[Path]:
        """Staged or lent files that nobody took away."""
        return list(self._folder.glob("file-*"))


class FakeStaged:
    """Implements `coordinator.ports.StagedFile`."""

    def __init__(self, store: FakeArtifacts, path: Path) -> None:
        self._store = store
        self._hash = sha256()
        self.path = path
        self.size_bytes = 0
        path.touch()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    async def write(self, chunk: bytes) -> None:
        self._hash.update(chunk)
        self.size_bytes += len(chunk)
        with self.path.open("ab") as file:
            file.write(chunk)

    async def keep(self) -> None:
        self._store.kept[self.sha256] = self.path.read_bytes()
