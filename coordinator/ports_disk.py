"""The disk that a coordinator lives on: see `ports.py`."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What is taken and what is left, in bytes.

    Attributes:
        database_bytes: with its log; None where the database is a server's.
        cache_bytes: plates that are kept for the next time the same is sliced.
    """

    free_bytes: int
    total_bytes: int
    database_bytes: int | None = None
    cache_bytes: int = 0


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
