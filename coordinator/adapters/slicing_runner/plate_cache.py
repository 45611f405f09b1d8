"""The folder where slicing keeps plates for the next time, kept small; what lies in it is its own.

Slicing takes whatever is missing or half gone there for a miss, so that anything may be removed.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateCache:
    """Where it is, and how much may lie there."""

    folder: Path
    bytes_max: int

    def trim(self) -> int:
        """Remove what was not touched for longest until the rest fits; return the bytes left."""
        found = sorted(self._files())
        left = sum(size_bytes for _, size_bytes, _ in found)
        for _, size_bytes, path in found:
            if left <= self.bytes_max:
                break
            path.unlink(missing_ok=True)
            left -= size_bytes
        return left

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        for path in self.folder.rglob("*"):
            with suppress(FileNotFoundError):  # slicing tidies up as well
                if path.is_file():
                    seen = path.stat()
                    yield seen.st_mtime, seen.st_size, path
