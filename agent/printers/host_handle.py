"""What a driver remembers of the job that it gave to a host, from before the start to the end.

Kept in a file of the printer's folder: after any restart it tells what the host called the run,
whether it was ever seen printing, and whether a stop was asked for.
"""

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from agent.printers.driver import RunState
from protocols.wire.vocabulary import RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle:
    """One run, as its host knows it.

    Attributes:
        job: what the host calls it.
        sha256: of its plate.
        mark: what the host's history said before the start; only the host's adapter reads it.
        began: it was seen printing.
        stopping: a stop was asked for.
        ended: how it ended; None while it has not, UNKNOWN once nobody can say.
        reason: why it ended so.
    """

    run_id: RunId
    job: str
    sha256: str = ""
    mark: str = ""
    began: bool = False
    stopping: bool = False
    ended: RunState | None = None
    reason: str = ""

    def end(self, state: RunState, reason: str = "") -> "Handle":
        """Return it ended; one that has ended stays as it was."""
        return self if self.ended is not None else replace(self, ended=state, reason=reason)


class HandleFile:
    """The file of one printer's handle."""

    def __init__(self, path: Path | None) -> None:
        """Keep it at a path; None: only in memory."""
        self._path = path

    def load(self) -> Handle | None:
        """Return what an earlier process left; None without, or where it can't be read."""
        if self._path is None:
            return None
        try:
            table: dict[str, Any] = json.loads(self._path.read_bytes())
            ended = table.pop("ended")
            return Handle(**table, ended=None if ended is None else RunState(ended))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def save(self, handle: Handle) -> None:
        """Write it; it is on the card when this returns. Blocks.

        Raises:
            OSError: it can't be written.
        """
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        with fresh.open("w") as file:
            json.dump(asdict(handle), file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
