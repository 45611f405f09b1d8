"""May this file run on this printer? Each rule gives findings with the line and the reason."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from protocols.gcode.dialects import MARLIN, Dialect
from protocols.gcode.survey import Extremes, Survey, survey

FORBIDDEN = {
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
) -> list[Finding]:
    """Return what speaks against a file, in the order of its lines."""
    return judge(survey(lines), limits, dialect)


def judge(found: Survey, limits: Limits, dialect: Dialect = MARLIN) -> list[Finding]:
    """Return what speaks against a file that was surveyed, in the order of its lines.

    Of one kind, only the first or the worst place is named.
    """
    if not found.line_count:
        return [Finding(0, "empty", Severity.REFUSE, "the file holds no command")]
    extremes = found.extremes
    findings = [
        *_lines(extremes, dialect),
        *_outside(extremes, limits),
        *_too_hot(extremes, limits),
    ]
    return sorted(dict.fromkeys(findings), key=lambda finding: finding.line)


def _lines(extremes: Extremes, dialect: Dialect) -> Iterator[Finding]:
    if extremes.unsendable is not None:
        line, words = extremes.unsendable
        yield Finding(line, "line", Severity.REFUSE, words)
    if extremes.strange is not None and not dialect.accepts_macros:
        line, text = extremes.strange
        yield Finding(line, "syntax", Severity.REFUSE, f"{text!r} is no command")
    for name, line in extremes.names.items():
        if name in FORBIDDEN:
            yield Finding(line, "forbidden", Severity.REFUSE, f"{name}: {FORBIDDEN[name]}")
        elif name[0] == "N":
            yield Finding(line, "numbered", Severity.REFUSE, "its lines have numbers already")


def _outside(extremes: Extremes, limits: Limits) -> Iterator[Finding]:
    # Only what is printed: travel to a purge line or a parking place beside the bed is usual.
    most = (limits.bed_x_mm, limits.bed_y_mm, limits.height_mm)
    margins = (limits.margin_mm, limits.margin_mm, 0.0)
    for axis, (letter, end, margin) in enumerate(zip("XYZ", most, margins, strict=True)):
        for value, line in (
            (extremes.low[axis], extremes.low_lines[axis]),
            (extremes.high[axis], extremes.high_lines[axis]),
        ):
            if line and not -margin <= value <= end + margin:
                words = f"it prints at {letter}{value:g}, outside 0 to {end:g} mm"
                yield Finding(line, "envelope", Severity.REFUSE, words)


def _too_hot(extremes: Extremes, limits: Limits) -> Iterator[Finding]:
    heaters = {
        "M104": ("nozzle", limits.tool_celsius_max),
        "M109": ("nozzle", limits.tool_celsius_max),
        "M140": ("bed", limits.bed_celsius_max),
        "M190": ("bed", limits.bed_celsius_max),
    }
    for name, (what, most) in heaters.items():
        celsius, line = extremes.celsius.get(name, (0.0, 0))
        if celsius > most:
            words = f"it heats the {what} to {celsius:g} °C, {most:g} °C at most"
            yield Finding(line, "temperature", Severity.REFUSE, words)
