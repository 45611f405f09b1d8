"""A G-code file as commands: byte offsets, layers, time. Opens nothing, holds no file.

Times come from the slicer's total where the file names one (`estimated printing time`, `;TIME:`),
spread over the file in proportion to its moves; else from the moves alone.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from protocols.gcode.lines import parse, strip_comment
from protocols.gcode.modal import ModalState

# One time mark per so many commands: a second or so of printing, 16 bytes of memory.
COMMANDS_PER_MARK = 64

_PRUSA_TIME = re.compile(
    rb"; estimated printing time \(normal mode\) = (?:(\d+)d )?(?:(\d+)h )?(?:(\d+)m )?(\d+)s"
)
_CURA_TIME = re.compile(rb";TIME:(\d+)")


@dataclass(frozen=True, slots=True)
class ProgramLine:
    """One command of a file.

    Attributes:
        number: the file's line, 1 the first.
        offset: byte offset of that line in the file.
        command: without comment and blanks around it.
    """

    number: int
    offset: int
    command: str


def read_program(lines: Iterable[bytes]) -> Iterator[ProgramLine]:
    """Yield a file's commands; `lines` is a binary file, or its lines with their ends."""
    offset = 0
    for number, line in enumerate(lines, start=1):
        if line[:1] not in b";\r\n":
            command = _sendable(strip_comment(line.decode("utf-8", "replace")))
            if command:
                yield ProgramLine(number, offset, command)
        offset += len(line)


def _sendable(command: str) -> str:
    """Return the command; text for the display loses what a serial line can't carry."""
    if command[:4] not in ("M117", "M118"):
        return command
    return command.encode("ascii", "replace").decode().replace("*", "?")[:60].strip()


@dataclass(frozen=True, slots=True)
class Survey:
    """What one pass over a file found. Positions are counts of commands accepted so far."""

    line_count: int
    total_s: float
    marks_s: tuple[float, ...]
    layer_starts: tuple[int, ...]

    @property
    def layer_count(self) -> int:
        """Layers in all; 0 when the file has none."""
        return len(self.layer_starts)

    def layer_at(self, position: int) -> int:
        """Return the layer under way at a position, 1 the first, 0 before it."""
        return bisect_right(self.layer_starts, position)

    def elapsed_at(self, position: int) -> float:
        """Return the estimated seconds from the beginning to a position."""
        if position >= self.line_count:
            return self.total_s
        mark, rest = divmod(position, COMMANDS_PER_MARK)
        before = self.marks_s[mark]
        after = self.marks_s[mark + 1] if mark + 1 < len(self.marks_s) else self.total_s
        return before + (after - before) * rest / COMMANDS_PER_MARK

    def progress_at(self, position: int) -> float:
        """Return 0 to 1, by time where there is any, else by commands."""
        if self.total_s > 0:
            return min(1.0, self.elapsed_at(position) / self.total_s)
        return position / self.line_count if self.line_count else 1.0


class _Layers:
    """Where layers begin: by the slicer's comments, else by the heights that are printed on."""

    def __init__(self) -> None:
        self.marked: list[int] = []
        self.by_height: list[int] = []
        self._height = float("-inf")

    def comment(self, line: bytes, position: int) -> None:
        if line.startswith((b";LAYER_CHANGE", b";LAYER:")):
            self.marked.append(position)

    def printed_at(self, height: float, position: int) -> None:
        if height > self._height + 0.01:
            self._height = height
            self.by_height.append(position)


def survey(lines: Iterable[bytes]) -> Survey:
    """Read a whole file once and return its counts, layers and times."""
    state, layers = ModalState(), _Layers()
    told_s: float | None = None
    marks, elapsed_s, count = [0.0], 0.0, 0

    def watched() -> Iterator[bytes]:
        nonlocal told_s
        for line in lines:
            if line[:1] == b";":
                layers.comment(line, count)
                told_s = _told_time(line) or told_s
            yield line

    for item in read_program(watched()):
        command = parse(item.command)
        if command is not None:
            move = state.apply(command)
            if move is not None:
                elapsed_s += move.seconds
                if move.extruded_mm > 0 and move.travelled_mm > 0:
                    layers.printed_at(move.z_mm, count)
            elif command.name == "G4":
                elapsed_s += (command.value("S") or 0) + (command.value("P") or 0) / 1000
        count += 1
        if count % COMMANDS_PER_MARK == 0:
            marks.append(elapsed_s)
    scale = told_s / elapsed_s if told_s and elapsed_s else 1.0
    return Survey(
        line_count=count,
        total_s=elapsed_s * scale,
        marks_s=tuple(mark * scale for mark in marks),
        layer_starts=tuple(layers.marked or layers.by_height),
    )


def _told_time(line: bytes) -> float | None:
    if found := _PRUSA_TIME.match(line):
        days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60.0 + seconds
    found = _CURA_TIME.match(line)
    return float(found[1]) if found else None
