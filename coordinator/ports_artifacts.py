"""The store of artifacts, and files on their way into it: see `ports.py`."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol


class StagedFile(Protocol):
    """A file on its way into the store; gone at the end of its block unless kept."""

    @property
    def path(self) -> Path:
        """Where it lies until then."""

    @property
    def sha256(self) -> str:
        """The hash of what was written so far."""

    @property
    def size_bytes(self) -> int:
        """How much was written so far."""

    async def write(self, chunk: bytes) -> None:
        """Append.

        Raises:
            Unavailable: the disk is full.
        """

    async def keep(self) -> None:
        """Put it into the store under its hash, durably; keeping the same bytes twice is fine."""


class ArtifactStore(Protocol):
    """Immutable files by sha256."""

    def stage(self, suffix: str = "") -> AbstractAsyncContextManager[StagedFile]:
        """Begin a file; the suffix (`.stl`) helps tools that look at names."""

    async def size(self, sha256: str) -> int | None:
        """Return the length in bytes, or None where there is no such artifact."""

    async def stored(self) -> list[tuple[str, int]]:
        """Return the hash and the length in bytes of all that is kept, in any order."""

    def read(self, sha256: str, *, start: int, stop: int) -> AsyncIterator[bytes]:
        """Yield the bytes from `start` up to `stop`, in chunks."""

    def as_file(self, sha256: str, suffix: str = "") -> AbstractAsyncContextManager[Path]:
        """Lend the artifact as a local file, for tools that want a path; read only."""

    def scratch(self) -> AbstractAsyncContextManager[Path]:
        """Lend an empty folder for tools that write; gone with all in it at the end of its block.

        Raises:
            Unavailable: the disk is full.
        """

    async def delete(self, sha256: str) -> None:
        """Remove it; nothing happens where it is not there."""
