"""May this file run on this printer? Each rule gives findings with the line and the reason."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from protocols.errors import InvalidLine
from protocols.gcode.dialects import MARLIN, Dialect
from protocols.gcode.lines import Command, encode, parse
from protocols.gcode.modal import ModalState, Move
from protocols.gcode.program import read_program

# Nine digits of line number, so that a line which passes here passes anywhere in a print.
_LONGEST_NUMBER = 999_999_999

FORBIDDEN = {
    "M0": "it waits for a person at the machine",
    "M1": "it waits for a person at the machine",
    "M28": "it writes to the SD card",
    "M29": "it writes to the SD card",
    "M110": "it breaks the numbering of lines",
    "M112": "it stops the machine",
    "M410": "it stops the machine",
    "M500": "it overwrites stored settings",
    "M502": "it discards stored settings",
    "M997": "it flashes the firmware",
    "M999": "it restarts the firmware",
}


class Severity(StrEnum):
    """Whether a finding forbids the print."""

    REFUSE = "refuse"
    WARN = "warn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a printer can do, in millimetres and degrees Celsius.

    `margin_mm` may be printed on beside the bed, in X and Y: purge lines at Y-3 are usual.
    """

    bed_x_mm: float
    bed_y_mm: float
    height_mm: float
    tool_celsius_max: float = 300.0
    bed_celsius_max: float = 120.0
    margin_mm: float = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong; `line` is the file's, 1 the first, 0 the whole."""

    line: int
    rule: str
    severity: Severity
    words: str


def check_program(
    lines: Iterable[bytes], limits: Limits, dialect: Dialect = MARLIN
) -> Iterator[Finding]:
    """Yield what speaks against a file, in the order of its lines."""
    state = ModalState()
    empty = True
    for item in read_program(lines):
        empty = False
        for rule, words in _line_problems(item.command, state, limits, dialect):
            yield Finding(item.number, rule, Severity.REFUSE, words)
    if empty:
        yield Finding(0, "empty", Severity.REFUSE, "the file holds no command")


def _line_problems(
    text: str, state: ModalState, limits: Limits, dialect: Dialect
) -> Iterator[tuple[str, str]]:
    try:
        encode(_LONGEST_NUMBER, text)
    except InvalidLine as problem:
        yield "line", str(problem)
        return
    command = parse(text)
    if command is None:
        if not dialect.accepts_macros:
            yield "syntax", f"{text!r} is no command"
        return
    if command.name in FORBIDDEN:
        yield "forbidden", f"{command.name}: {FORBIDDEN[command.name]}"
    move = state.apply(command)
    if move is not None:
        yield from _outside(move, limits)
    else:
        yield from _too_hot(command, limits)


def _outside(move: Move, limits: Limits) -> Iterator[tuple[str, str]]:
    # Only what is printed: travel to a purge line or a parking place beside the bed is usual.
    if move.extruded_mm <= 0 or move.travelled_mm == 0:
        return
    for axis, value, most, margin in (
        ("X", move.x_mm, limits.bed_x_mm, limits.margin_mm),
        ("Y", move.y_mm, limits.bed_y_mm, limits.margin_mm),
        ("Z", move.z_mm, limits.height_mm, 0.0),
    ):
        if not -margin <= value <= most + margin:
            yield "envelope", f"it prints at {axis}{value:g}, outside 0 to {most:g} mm"


def _too_hot(command: Command, limits: Limits) -> Iterator[tuple[str, str]]:
    what, most = {
        "M104": ("nozzle", limits.tool_celsius_max),
        "M109": ("nozzle", limits.tool_celsius_max),
        "M140": ("bed", limits.bed_celsius_max),
        "M190": ("bed", limits.bed_celsius_max),
    }.get(command.name, ("", 0.0))
    wanted = max(command.value("S") or 0.0, command.value("R") or 0.0)
    if what and wanted > most:
        yield "temperature", f"it heats the {what} to {wanted:g} °C, {most:g} °C at most"
