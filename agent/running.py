"""Which agent runs with a state folder, and how far its draining is: a file that it keeps locked.

The lock is the kernel's, so that it ends with the process, however that ends; the file is for other
processes of the same user to read. First line: the process. Second: what draining waits for.
"""

import fcntl
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

FILE = "agent.running"
DRAINED = "drained"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """An agent that runs; `waits_for` is empty while it is not being drained."""

    pid: int
    waits_for: str = ""


class Lock:
    """Held by the agent that runs, from its making until `release` or its death.

    A card that is full, or read-only, is no reason not to print: then nobody can find this agent.
    """

    def __init__(self, state_dir: Path) -> None:
        """Take it, in a folder that is there."""
        self._descriptor = -1
        self._noted = ""
        with suppress(OSError):
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            self._descriptor = os.open(state_dir / FILE, flags, 0o644)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._write("")

    def note(self, waits_for: str) -> None:
        """Tell what draining waits for."""
        if waits_for != self._noted:
            with suppress(OSError):
                self._write(waits_for)

    def release(self) -> None:
        """Nobody runs here any more."""
        with suppress(OSError):
            os.close(self._descriptor)

    def _write(self, waits_for: str) -> None:
        self._noted = waits_for
        data = f"{os.getpid()}\n{waits_for}\n".encode()
        os.pwrite(self._descriptor, data, 0)
        os.ftruncate(self._descriptor, len(data))


def look(state_dir: Path) -> tuple[Running | None, str]:
    """Return the agent that runs with a folder, and what the last one there noted last.

    Raises:
        OSError: the file is not ours to read.
    """
    try:
        descriptor = os.open(state_dir / FILE, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None, ""
    with os.fdopen(descriptor, encoding="utf-8", errors="replace") as file:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            runs = True
        else:
            runs = False
        pid, waits_for = [*file.read().split("\n"), "", ""][:2]
    if not runs or not pid.isdigit():
        return None, waits_for
    return Running(pid=int(pid), waits_for=waits_for), waits_for
