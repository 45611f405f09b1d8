"""The demo's proof: what the firmwares executed, held against the file that was sliced.

A simulated printer logs every command it executes as `<line number or ->`, a tab, the command.
Lines that begin with `#` are the board's own marks.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from protocols.gcode.lines import parse, strip_comment
from protocols.gcode.tuning import asks

# What a host says for itself before, between and after the lines of a file: handshake, line
# number, polls, the barrier at the end, M220 and M221 as questions. None of it moves or heats.
HOST_COMMANDS = frozenset({"M27", "M105", "M110", "M113", "M114", "M115", "M154", "M155", "M400"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Where log and file part: the number of the command, and both sides' word."""

    position: int
    expected: str | None
    executed: str | None


def commands_of_plate(lines: Iterable[str]) -> Iterator[str]:
    """Yield a G-code file's commands without comments and without what hosts say themselves."""
    for line in lines:
        command = strip_comment(line)
        if command and _counts(command):
            yield command


def commands_of_log(lines: Iterable[str]) -> Iterator[str]:
    """Yield what a firmware executed, without what the host said for itself."""
    for line in lines:
        number, tab, command = line.rstrip("\n").partition("\t")
        if tab and not number.startswith("#") and _counts(command):
            yield command


def difference(expected: Sequence[str], executed: Sequence[str]) -> Difference | None:
    """Return where two lists of commands part for the first time, or None where they are equal."""
    for position in range(max(len(expected), len(executed))):
        wanted = expected[position] if position < len(expected) else None
        done = executed[position] if position < len(executed) else None
        if wanted != done:
            return Difference(position=position, expected=wanted, executed=done)
    return None


def _counts(command: str) -> bool:
    parsed = parse(command)
    return parsed is None or not (parsed.name in HOST_COMMANDS or asks(parsed))
