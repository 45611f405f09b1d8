"""May this file run on this printer? One table of rules, for the agent and for slicing alike.

A farm says by rule what is to come of a breach (`Severity`); `RULES` has what holds where it says
nothing. Whoever read the file (`survey.py`, or the scan of slicing) hands in what it found.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from protocols.gcode.commands import ALTERING, FORBIDDEN, FORBIDDEN_MACROS, known
from protocols.gcode.dialects import KLIPPER, MARLIN, REPRAPFIRMWARE, Dialect
from protocols.gcode.extremes import Box, Extremes
from protocols.gcode.headers import Header
from protocols.gcode.survey import survey

# Rounding in slicers' numbers, three digits behind the point.
TOLERANCE_MM = 0.01


class Severity(StrEnum):
    """Whether a finding forbids the print."""

    REFUSE = "refuse"
    WARN = "warn"
    IGNORE = "ignore"


# What a breach comes to unless a farm says otherwise.
RULES: Mapping[str, Severity] = MappingProxyType(
    {
        "empty": Severity.REFUSE,  # no command at all
        "nothing": Severity.REFUSE,  # no move extrudes
        "line": Severity.REFUSE,  # too long, or of characters that no firmware is sent
        "numbered": Severity.REFUSE,  # made for a host that numbers nothing
        "syntax": Severity.REFUSE,  # no command, or a move without numbers
        "dialect": Severity.WARN,  # a command, or a flavour, that the firmware does not know
        "forbidden": Severity.REFUSE,  # firmware, stored settings, SD card, power, halt
        "altering": Severity.WARN,  # changes how the machine is tuned until it is restarted
        "shifted": Severity.WARN,  # calls places by other numbers, so that bounds say little
        "envelope": Severity.REFUSE,  # prints beside the bed or above the ceiling
        "start": Severity.WARN,  # wipes the nozzle far beside the bed
        "height": Severity.REFUSE,  # drives above the ceiling
        "temperature": Severity.REFUSE,  # heats beyond what nozzle or bed bear
        "cold": Severity.REFUSE,  # extrudes with a nozzle that is off or hardly warm
        "unhomed": Severity.REFUSE,  # moves where it can't know the place
        "tool": Severity.REFUSE,  # a tool that the printer does not have
        "nozzle": Severity.REFUSE,  # sliced for another nozzle
        "material": Severity.WARN,  # sliced for another material
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a printer can do, in millimetres and degrees Celsius.

    Attributes:
        origin_x_mm, origin_y_mm: the bed's front left corner; deltas count from its middle.
        margin_mm: how far beside the bed, in X and Y, the nozzle may be wiped before the first
            layer, and anything be printed where no layer is marked: purge lines at Y-3 are usual.
        extrude_celsius_min: what a nozzle has to be set to before it extrudes; 0: anything goes.
        tools: how many it has; 0: not known.
        nozzle_mm: diameter; 0: not known.
        material: what is loaded, as `PLA`; empty: not known.
    """

    bed_x_mm: float
    bed_y_mm: float
    height_mm: float
    origin_x_mm: float = 0.0
    origin_y_mm: float = 0.0
    tool_celsius_max: float = 300.0
    bed_celsius_max: float = 120.0
    margin_mm: float = 5.0
    extrude_celsius_min: float = 150.0
    tools: int = 0
    nozzle_mm: float = 0.0
    material: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong; `line` is the file's, 1 the first, 0 the whole."""

    line: int
    rule: str
    severity: Severity
    words: str


class Found(Protocol):
    """What a file was found to be."""

    @property
    def line_count(self) -> int:
        """Commands that go to a printer."""

    @property
    def extremes(self) -> Extremes:
        """How far it goes."""

    @property
    def header(self) -> Header:
        """What its slicer says."""


def check_program(
    lines: Iterable[bytes],
    limits: Limits,
    dialect: Dialect = MARLIN,
    policy: Mapping[str, Severity] = RULES,
) -> list[Finding]:
    """Return what speaks against a file; see `judge`."""
    return judge(survey(lines), limits, dialect, policy)


def judge(
    found: Found,
    limits: Limits,
    dialect: Dialect = MARLIN,
    policy: Mapping[str, Severity] = RULES,
) -> list[Finding]:
    """Return what speaks against a file, in the order of its lines.

    Of one kind, only the first or the worst place is named.

    Args:
        policy: rule -> what a breach comes to; rules left out are taken from `RULES`.
    """
    extremes = found.extremes
    if not found.line_count:
        breaches: Iterable[_Breach] = [_Breach(0, "empty", "the file holds no command")]
    else:
        breaches = [
            *_lines(extremes, dialect),
            *_commands(extremes, dialect),
            *_outside(extremes, limits),
            *_too_hot(extremes, limits),
            *_state(extremes, limits, dialect),
            *_made_for_another(found.header, limits, dialect),
        ]
    findings = [
        Finding(breach.line, breach.rule, severity, breach.words)
        for breach in dict.fromkeys(breaches)
        if (severity := policy.get(breach.rule, RULES[breach.rule])) is not Severity.IGNORE
    ]
    return sorted(findings, key=lambda finding: finding.line)


@dataclass(frozen=True, slots=True)
class _Breach:
    line: int
    rule: str
    words: str


def _lines(extremes: Extremes, dialect: Dialect) -> Iterator[_Breach]:
    if extremes.unsendable is not None:
        yield _Breach(extremes.unsendable[0], "line", extremes.unsendable[1])
    if extremes.strange is not None and not dialect.accepts_macros:
        line, text = extremes.strange
        yield _Breach(line, "syntax", f"{text[:80]!r} is no command")
    if extremes.malformed is not None:
        line, text = extremes.malformed
        yield _Breach(line, "syntax", f"{text[:80]!r} is no move: each letter needs a number")
    if extremes.part.empty:
        yield _Breach(0, "nothing", "it prints nothing")


def _commands(extremes: Extremes, dialect: Dialect) -> Iterator[_Breach]:
    strangers = 0
    for name, line in extremes.names.items():
        if name == "N":
            yield _Breach(line, "numbered", "its lines have numbers already")
        elif name in FORBIDDEN:
            yield _Breach(line, "forbidden", f"{name}: {FORBIDDEN[name]}")
        elif name in ALTERING:
            yield _Breach(line, "altering", f"{name} changes {ALTERING[name]}")
        elif not strangers and not known(name, dialect):
            strangers = line
            yield _Breach(line, "dialect", f"{name} is no command of {dialect.name} firmware")
    if dialect.accepts_macros:
        for name, line in extremes.macros.items():
            if name in FORBIDDEN_MACROS:
                yield _Breach(line, "forbidden", f"{name}: {FORBIDDEN_MACROS[name]}")


def _outside(extremes: Extremes, limits: Limits) -> Iterator[_Breach]:
    # Only what is printed: travel to a purge line or a parking place beside the bed is usual.
    margin = TOLERANCE_MM if extremes.marked else limits.margin_mm
    for rule, box, beside in (
        ("envelope", extremes.part, margin),
        ("start", extremes.start, limits.margin_mm),
    ):
        for line, value, letter, (start, end) in _beyond(box, limits, beside):
            words = f"it prints at {letter}{value:g}, outside {start:g} to {end:g} mm"
            yield _Breach(line, rule, words)
    highest, line = extremes.highest
    if highest > limits.height_mm + TOLERANCE_MM:
        words = f"it drives to Z{highest:g}, {limits.height_mm:g} mm at most"
        yield _Breach(line, "height", words)
    if extremes.shifted:
        words = "it gives another name to a place (G92), so that bounds say little"
        yield _Breach(extremes.shifted, "shifted", words)


def _beyond(
    box: Box, limits: Limits, beside_mm: float
) -> Iterator[tuple[int, float, str, tuple[float, float]]]:
    """Yield line, value, axis and range of each side where a box goes too far."""
    starts = (limits.origin_x_mm, limits.origin_y_mm, 0.0)
    sizes = (limits.bed_x_mm, limits.bed_y_mm, limits.height_mm)
    margins = (beside_mm, beside_mm, TOLERANCE_MM)
    for axis, letter in enumerate("XYZ"):
        start, end = starts[axis], starts[axis] + sizes[axis]
        if box.low[axis] < start - margins[axis]:
            yield box.low_lines[axis], box.low[axis], letter, (start, end)
        if box.high[axis] > end + margins[axis]:
            yield box.high_lines[axis], box.high[axis], letter, (start, end)


def _too_hot(extremes: Extremes, limits: Limits) -> Iterator[_Breach]:
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
            yield _Breach(line, "temperature", words)


def _state(extremes: Extremes, limits: Limits, dialect: Dialect) -> Iterator[_Breach]:
    # A macro may have homed and heated; what it did nobody here can know.
    unknown_from = min(extremes.macros.values(), default=0) if dialect.accepts_macros else 0
    if extremes.coldest is not None:
        celsius, line = extremes.coldest
        if celsius < limits.extrude_celsius_min and not 0 < unknown_from < line:
            words = f"it extrudes with a nozzle set to {celsius:g} °C"
            yield _Breach(line, "cold", words)
    if extremes.unhomed is not None:
        line, axes = extremes.unhomed
        if not 0 < unknown_from < line:
            yield _Breach(line, "unhomed", f"it moves {', '.join(axes)} before homing")
    for tool, line in sorted(extremes.tools.items()):
        if tool < 0 or (limits.tools and tool >= limits.tools):
            words = f"it uses tool T{tool}, and the printer has {limits.tools}"
            yield _Breach(line, "tool", words)
            break


# What slicers call a flavour, where it is not one that every firmware reads -> who reads it.
_FLAVOURS: Mapping[str, frozenset[Dialect]] = {
    "klipper": frozenset((KLIPPER,)),
    "reprapfirmware": frozenset((REPRAPFIRMWARE,)),
    "rapid": frozenset((REPRAPFIRMWARE,)),
    **dict.fromkeys(
        ("mach3", "machinekit", "makerware", "sailfish", "griffin", "ultigcode"), frozenset()
    ),
}


def _made_for_another(header: Header, limits: Limits, dialect: Dialect) -> Iterator[_Breach]:
    flavour = header.flavour.lower()
    if dialect not in _FLAVOURS.get(flavour, (dialect,)):
        yield _Breach(0, "dialect", f"it was sliced for {flavour}, not for {dialect.name}")
    wanted = header.nozzle_mm
    if limits.nozzle_mm and wanted and abs(wanted - limits.nozzle_mm) > TOLERANCE_MM:
        words = f"it was sliced for a nozzle of {wanted:g} mm, and there is {limits.nozzle_mm:g} mm"
        yield _Breach(0, "nozzle", words)
    material = header.material
    if limits.material and material and material.upper() != limits.material.upper():
        words = f"it was sliced for {material}, and there is {limits.material}"
        yield _Breach(0, "material", words)
