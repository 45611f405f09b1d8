"""A G-code file as the commands that go to a printer, one by one. Opens nothing, holds no file.

Whatever pauses a print until a person comes (`M0`, `M600`, `@pause`) is for the host and no
command here: a firmware that got it would block, and its host with it. `survey.py` says where they
stand.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from protocols.gcode.lines import parse, strip_comment

PAUSES = {
    "M0": "the plate waits for somebody",
    "M1": "the plate waits for somebody",
    "M25": "the plate asks for a pause",
    "M226": "the plate asks for a pause",
    "M600": "the plate asks for another filament",
}
_PAUSE_WORDS = ("@pause",)
_TIME_LIMITS = re.compile(r"(?:[SP][\d.]+\s*)+", re.IGNORECASE)


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
        if command := command_in(line):
            yield ProgramLine(number, offset, command)
        offset += len(line)


def command_in(line: bytes) -> str:
    """Return the command in a line of a file as it goes to a printer, empty where none does."""
    first = line[:1]
    if first == b"G" and b";" not in line and b"(" not in line:
        return line.decode("utf-8", "replace").strip()
    if first in b";\r\n":
        return ""
    command = strip_comment(line.decode("utf-8", "replace"))
    if command[:1] in "Mm@" and (command[:1] == "@" or pause_in(line) is not None):
        return ""
    return _sendable(command)


def pause_in(line: bytes) -> str | None:
    """Return why a line asks its host for a pause, in words for a person; None: it does not."""
    text = strip_comment(line.decode("utf-8", "replace"))
    if text[:1] == "@":
        return "the plate asks for a pause" if text.lower().split()[0] in _PAUSE_WORDS else None
    if text[:1] not in "Mm":
        return None
    command = parse(text)
    if command is None or command.name not in PAUSES:
        return None
    if command.name in ("M0", "M1") and command.text and not _TIME_LIMITS.fullmatch(command.text):
        return command.text
    return PAUSES[command.name]


def _sendable(command: str) -> str:
    """Return the command; text for the display loses what a serial line can't carry."""
    if command[:4] not in ("M117", "M118"):
        return command
    return command.encode("ascii", "replace").decode().replace("*", "?")[:60].strip()
