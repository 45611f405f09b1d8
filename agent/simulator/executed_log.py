"""The log of executed commands: what the printer really did, in order.

One line each: `<line number or ->`, a tab, the command without number, checksum and comment. Lines
that begin with `#` are marks of the board itself: `#boot`, `#reset CAUSE`, `#halted REASON`,
`#fault NAME`, and `#note TEXT` by whoever stands beside it. Tests hold this log against the file
that was to be printed.
"""

from pathlib import Path


class ExecutedLog:
    """Collects in memory; the shell carries it to a file."""

    def __init__(self) -> None:
        self.commands = 0
        self._lines: list[str] = []

    def command(self, number: int | None, text: str) -> None:
        """Note a command that has been executed."""
        self.commands += 1
        self._lines.append(f"-\t{text}\n" if number is None else f"{number}\t{text}\n")

    def mark(self, text: str) -> None:
        """Note what happened to the board itself, or was done at it."""
        self._lines.append(f"#{text}\n")

    def take(self) -> bytes:
        """Return what was noted since the last time, and forget it."""
        if not self._lines:
            return b""
        text = "".join(self._lines)
        self._lines.clear()
        return text.encode("latin-1", "replace")


class LogFile:
    """A file that only grows."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)

    def write(self, data: bytes) -> None:
        """Hand bytes to the operating system."""
        self._file.write(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
