"""Where measurements outlive the process."""

from typing import Protocol


class Shelf(Protocol):
    """One file's worth of bytes; what is lost of it is only the last minutes of charts."""

    async def load(self) -> bytes | None:
        """Return what was saved last, None where nothing was, or it can't be read."""

    async def save(self, data: bytes) -> None:
        """Replace it, whole or not at all.

        Raises:
            Unavailable: the disk is full.
        """
