"""The disk that a coordinator lives on: see `ports.py`."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What is taken and what is left, in bytes.

    Attributes:
        database_bytes: with its log; None where the database is a server's.
        cache_bytes: plates that are kept for the next time the same is sliced.
        pictures_bytes: what cameras saw of printers.
    """

    free_bytes: int
    total_bytes: int
    database_bytes: int | None = None
    cache_bytes: int = 0
    pictures_bytes: int = 0


class Disk(Protocol):
    """The disk of the state folder."""

    async def free_bytes(self) -> int:
        """Return what is left, quickly.

        Raises:
            Unavailable: it can't be looked at.
        """

    async def room(self) -> Room:
        """Return what is taken and what is left; looks at every file of the cache.

        Raises:
            Unavailable: it can't be looked at.
        """


class EndlessDisk:
    """Implements `Disk` where nobody looks at one."""

    async def free_bytes(self) -> int:
        """Return more than anybody needs."""
        return 2**50

    async def room(self) -> Room:
        """Return more than anybody needs."""
        return Room(free_bytes=2**50, total_bytes=2**50)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptBackup:
    """A backup that lies in the farm's folder of them."""

    name: str
    made_at: datetime
    size_bytes: int


class BackupShelf(Protocol):
    """Where the farm keeps backups of itself."""

    @property
    def place(self) -> str:
        """Where that is, for people."""

    async def kept_backups(self) -> Sequence[KeptBackup]:
        """Return the whole ones, oldest first.

        Raises:
            Unavailable: nobody can look there.
        """

    async def put(self, parts: AsyncIterator[bytes], now: datetime) -> KeptBackup:
        """Keep another one, proved to be whole; the oldest may go for it.

        Raises:
            Unavailable: it can't be written, or what was written is not what is read.
        """

    def read(self, name: str) -> AsyncGenerator[bytes, None]:
        """Yield one of them.

        Raises:
            NotFound: there is none of this name.
            Unavailable: it can't be read.
        """
