"""What of a file decides whether a printer may take it, each with its line.

Filled by whoever reads a file: `survey.py` here, line by line, and the scan of slicing, many lines
at once. `rules.py` judges it, so that both speak of the same things.
"""

import re
from dataclasses import dataclass, field
from math import inf

# No printer's language has more names; a file made to have them must not fill the memory.
NAMES_MAX = 1000

# Where a slicer marks a new layer: PrusaSlicer and its kin, Cura and ideaMaker, OrcaSlicer and
# Bambu Studio, Simplify3D.
LAYER_MARKS = (
    b";LAYER_CHANGE",
    b";LAYER:",
    b"; CHANGE_LAYER",
    *(b"; layer %d" % digit for digit in range(10)),
)

# What sets the heat of a tool, of the bed, of the chamber.
HEATING = frozenset({"M104", "M109", "M140", "M190", "M141", "M191"})

_WELL_FORMED = re.compile(r"G0*[0-3](?:\s*[A-Z]\s*[-+]?(?:\d+\.?\d*|\.\d+))*", re.IGNORECASE)


def well_formed(text: str) -> bool:
    """Whether a move, without comment, is nothing but letters with numbers."""
    return _WELL_FORMED.fullmatch(text) is not None


@dataclass(slots=True)
class Box:
    """Least and greatest X, Y and Z that is printed at, and the lines; lines are 0 while empty."""

    low: list[float] = field(default_factory=lambda: [inf] * 3)
    high: list[float] = field(default_factory=lambda: [-inf] * 3)
    low_lines: list[int] = field(default_factory=lambda: [0] * 3)
    high_lines: list[int] = field(default_factory=lambda: [0] * 3)

    def widen(self, place: tuple[float, float, float], line: int) -> None:
        """Take a place that is printed at."""
        for axis, value in enumerate(place):
            if value < self.low[axis]:
                self.low[axis], self.low_lines[axis] = value, line
            if value > self.high[axis]:
                self.high[axis], self.high_lines[axis] = value, line

    @property
    def empty(self) -> bool:
        """Whether nothing was printed."""
        return self.low[0] == inf


@dataclass(slots=True)
class Extremes:
    """How far a file goes.

    Attributes:
        part: what is printed from the first marked layer on; all of it where none is marked.
        start: what is printed before that: the nozzle is wiped and filled.
        marked: a layer is marked.
        highest: the greatest Z that any move goes to, and its line; 0 for none.
        coldest: the lowest target that a tool had while it extruded, and the line; None: none did.
        unhomed: the first absolute move of an axis that was not homed: line and axes.
        celsius: name of a heating command -> the hottest that it asks for.
        tools: number of a tool that is selected or heated -> its first line.
        names: name of every command but moves -> its first line; of numbered lines, only "N".
        macros: first words of what is no G-code, in capitals -> line.
        unsendable: what no firmware can be sent, first line and words; None without any.
        strange: what is no G-code, first line and text; None without any.
        malformed: the first move whose words are no letters with numbers, line and text.
        shifted: the first line that calls a place by another X, Y or Z (G92).
    """

    part: Box = field(default_factory=Box)
    start: Box = field(default_factory=Box)
    marked: bool = False
    highest: tuple[float, int] = (-inf, 0)
    coldest: tuple[float, int] | None = None
    unhomed: tuple[int, str] | None = None
    celsius: dict[str, tuple[float, int]] = field(default_factory=dict)
    tools: dict[int, int] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    macros: dict[str, int] = field(default_factory=dict)
    unsendable: tuple[int, str] | None = None
    strange: tuple[int, str] | None = None
    malformed: tuple[int, str] | None = None
    shifted: int = 0

    def begin_part(self) -> None:
        """The first layer is marked: what was printed so far was the start."""
        self.start, self.part, self.marked = self.part, Box(), True

    def called(self, name: str, line: int) -> None:
        """Take the name of a command."""
        if len(self.names) < NAMES_MAX:
            self.names.setdefault("N" if name[0] == "N" else name, line)

    def no_gcode(self, text: str, line: int) -> None:
        """Take a line that is no G-code; for some firmwares it is a macro."""
        self.strange = self.strange or (line, text)
        if len(self.macros) < NAMES_MAX:
            self.macros.setdefault(text.split(maxsplit=1)[0].upper()[:64], line)

    def heats(self, name: str, celsius: float, line: int) -> None:
        """Take what a heating command asks for."""
        if celsius > self.celsius.get(name, (0.0, 0))[0]:
            self.celsius[name] = (celsius, line)
