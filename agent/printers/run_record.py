"""What another process needs to go on with a run exactly: a small file that only grows.

Theory. A firmware counts the lines that it admits and can be asked for the last number, so a host
that died knows how far its plate came if it knows which numbers were not the plate's. The plate's
first command has the number `first_number`; every numbered line that is said for another reason
(a probe, a pause, a barrier) is written here before its bytes leave. Then

    commands admitted = last number - first_number + 1 - own numbers up to it.

The beginning is fsynced, the rest is not: a killed process loses nothing that the kernel has. If
the machine itself went down (another kernel boot), own lines may be missing, and nothing is exact.
"""

import json
import os
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from agent.core.observation import RunState
from protocols.wire.vocabulary import RunId

_TURNING, _ASKING = ("M106", "M107", "M220", "M221"), ("M220", "M221")
_KERNEL_BOOT = Path("/proc/sys/kernel/random/boot_id")


def kernel_boot_id() -> str:
    """Return what changes when the machine restarts; empty where the kernel does not tell."""
    with suppress(OSError):
        return _KERNEL_BOOT.read_text().strip()
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What is known before the first line of a plate is said; `firmware` is its own name."""

    run_id: RunId
    sha256: str
    kernel_boot_id: str
    first_number: int
    firmware: str = ""


class RunRecord:
    """One run's record, in memory and, where it has a path, on the card.

    Attributes:
        paused: why a pause was asked for, None while none was; it lasts until `resumed`.
        resuming: the pause is being ended; the plate has not gone on yet.
        resumed_at: how many commands of the plate were said before the last pause that ended.
        stopping: why a stop was asked for, None while none was.
        ended: how the run ended, None while it has not.
        evidence: the end of the dialogue, where it ended badly.
        line, layer: where the plate was when that was noted last; behind by seconds.
        turning: own lines that turn fan, speed or flow, with their numbers.
        whole: everything that was to be written was.
    """

    def __init__(self, beginning: Beginning, path: Path | None) -> None:
        """Make a record in memory; `begin` and `load` are for callers."""
        self.beginning = beginning
        self.paused: str | None = None
        self.resuming = False
        self.resumed_at = -1
        self.stopping: str | None = None
        self.ended: tuple[RunState, str] | None = None
        self.evidence: tuple[str, ...] = ()
        self.line = self.layer = 0
        self.whole = True
        self.turning: list[tuple[int, str]] = []
        self._own = array("Q")  # ascending; a poll every 2 s makes many of them in a long print
        self._path = path
        self._file = -1

    @classmethod
    def begin(cls, path: Path | None, beginning: Beginning) -> Self:
        """Begin a record in place of the one before; it is on the card when this returns.

        Raises:
            OSError: it can't be written.
        """
        record = cls(beginning, path)
        if path is None:
            return record
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
        record._file = os.open(fresh, flags, 0o644)
        header = {name: getattr(beginning, name) for name in Beginning.__slots__}
        os.write(record._file, json.dumps(header).encode() + b"\n")
        os.fsync(record._file)
        fresh.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return record

    @classmethod
    def load(cls, path: Path | None) -> Self | None:
        """Return the record that an earlier process left, ready to go on; None without one."""
        if path is None:
            return None
        try:
            header, *entries = [json.loads(line) for line in path.read_bytes().splitlines()]
            record = cls(Beginning(**header), path)
            for entry in entries:
                record._apply(entry)
            record._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return record

    @property
    def exact(self) -> bool:
        """Whether its own lines are surely all known."""
        boot_id = self.beginning.kernel_boot_id
        return self.whole and boot_id != "" and boot_id == kernel_boot_id()

    def position_at(self, last_number: int) -> int | None:
        """Return how many commands of the plate a firmware that counts so far has admitted.

        None where no firmware can count so during this run: somebody else has spoken to it.
        """
        first = self.beginning.first_number
        position = last_number - first + 1
        position -= bisect_right(self._own, last_number)
        return position if last_number >= first - 1 and position >= 0 else None

    def may_be_plates(self, number: int) -> bool:
        """Whether a numbered line was the plate's: to show by, not to count by."""
        # What ends a run is its own line, so that what follows is nobody's.
        last = self._own[-1] if self._own else -1
        if self.ended is None:
            last = number
        own = bisect_right(self._own, number) > bisect_left(self._own, number)
        return self.beginning.first_number <= number <= last and not own

    def note_own(self, number: int, command: str) -> None:
        """Note a numbered line that is not the plate's, before it is said."""
        if number >= self.beginning.first_number:
            self._write({"own": number, "command": command})

    def note_adopted(self, next_number: int) -> None:
        """Note that lines from this number on never arrived, and are numbered anew."""
        self._write({"next": next_number})

    def note_paused(self, reason: str) -> None:
        """Note that the plate is to be held."""
        self._write({"paused": reason})

    def note_resuming(self) -> None:
        """Note that the pause is to end."""
        self._write({"resuming": True})

    def note_resumed(self, position: int) -> None:
        """Note that the plate goes on, from this many commands."""
        self._write({"resumed": position})

    def note_stopping(self, reason: str) -> None:
        """Note that no further line of the plate will be said."""
        self._write({"stopping": reason})

    def note_ended(self, state: RunState, reason: str, evidence: Sequence[str] = ()) -> None:
        """Note how the run ended."""
        self._write({"ended": state.value, "reason": reason, "evidence": list(evidence)})

    def note_line(self, line: int, layer: int) -> None:
        """Note how far the plate has come, for people."""
        self._write({"line": line, "layer": layer})

    def close(self) -> None:
        """Write no more."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _write(self, entry: dict[str, Any]) -> None:
        self._apply(entry)
        if self._file < 0:
            return
        data = json.dumps(entry).encode() + b"\n"
        try:
            complete = os.write(self._file, data) == len(data)
        except OSError:
            complete = False
        if not complete:
            # A record with a gap would lead another process astray: better none.
            self.whole = False
            self.close()
            if self._path is not None:
                with suppress(OSError):
                    self._path.unlink()

    def _apply(self, entry: dict[str, Any]) -> None:
        match entry:
            case {"own": int(number)}:
                at = bisect_left(self._own, number)
                if at == len(self._own) or self._own[at] != number:
                    self._own.insert(at, number)
                command = str(entry.get("command", ""))
                if command.startswith(_TURNING) and command not in _ASKING:
                    self.turning.append((number, command))
            case {"next": int(number)}:
                del self._own[bisect_left(self._own, number) :]
                self.turning = [each for each in self.turning if each[0] < number]
            case {"paused": str(reason)}:
                self.paused, self.resuming = reason, False
            case {"resuming": True}:
                self.resuming = True
            case {"resumed": int(position)}:
                self.paused, self.resuming, self.resumed_at = None, False, position
            case {"stopping": str(reason)}:
                self.stopping = reason
            case {"ended": str(state), "reason": str(reason)}:
                self.ended = (RunState(state), reason)
                self.evidence = tuple(map(str, entry.get("evidence", ())))
            case {"line": int(line), "layer": int(layer)}:
                self.line, self.layer = line, layer
            case _:
                raise ValueError(f"not an entry of a run's record: {entry}")
