"""Fills the extremes of a file from its blocks; means line by line what `survey.py` means."""

from math import inf

import numpy as np

from protocols.errors import InvalidLine
from protocols.gcode.extremes import HEATING, NAMES_MAX, Box, Extremes, well_formed
from protocols.gcode.lines import Command, encode, parse, strip_comment
from protocols.gcode.modal import ModalState
from protocols.gcode.program import command_in
from slicing.blocks import Block, Floats, Ints
from slicing.motion import Event, Motion

# Nine digits of line number, so that a line which passes here passes anywhere in a print.
_LONGEST_NUMBER = 999_999_999

_N = ord("N")
# How RepRapFirmware's files set a tool's heat.
_SETS_TOOL = ("G10", "M568")


class Extents:
    """Takes a file's blocks one after the other.

    Attributes:
        extremes: what was found so far.
        strange: how many lines went to the printer that are no G-code.
    """

    def __init__(self) -> None:
        """Begin with nothing found."""
        self.extremes = Extremes()
        self.strange = 0
        self._state = ModalState()
        self._unhomed = set("XYZ")
        self._seen: set[float] = set()

    def read_odd(self, block: Block) -> list[Event]:
        """Return the commands of a block's odd lines that are G-code; takes note of the others."""
        found: list[Event] = []
        extremes = self.extremes
        for index in block.odd.tolist():
            text, line = command_in(block.text(index)), block.line + index
            if not text:
                continue
            try:
                encode(_LONGEST_NUMBER, text)
            except InvalidLine as problem:
                extremes.unsendable = extremes.unsendable or (line, str(problem))
            command = parse(text)
            if command is None:
                extremes.no_gcode(text, line)
                self.strange += 1
                continue
            if command.name in ("G0", "G1", "G2", "G3") and not well_formed(text):
                extremes.malformed = extremes.malformed or (line, text)
            found.append((index, command))
        return found

    def take(self, block: Block, motion: Motion, marks: Ints) -> None:
        """Take a block.

        Args:
            marks: indices of the lines that mark a layer.
        """
        self._names(block, motion)
        laid = motion.laid
        if len(marks) and not self.extremes.marked:
            before = int(np.searchsorted(laid, marks[0]))
            self._widen(block, motion, laid[:before])
            self.extremes.begin_part()
            laid = laid[before:]
        self._widen(block, motion, laid)
        self._rises(block, motion)
        if self._unhomed:
            self._homing(block, motion)
        if motion.shifts and not self.extremes.shifted:
            self.extremes.shifted = block.line + motion.shifts[0]
        self._heat(block, motion)

    def _names(self, block: Block, motion: Motion) -> None:
        """Take the first line of every command that is no move."""
        if len(self._seen) > NAMES_MAX:
            return
        letters, numbers = block.letters, block.numbers
        others = motion.others
        keys = letters[others] * 1e9 + np.where(letters[others] == _N, 0, numbers[others])
        for key, index in zip(keys.tolist(), others.tolist(), strict=True):
            if key not in self._seen:
                self._seen.add(key)
                command = parse(strip_comment(block.text(index).decode("latin-1")))
                assert command is not None
                self.extremes.called(command.name, block.line + index)

    def _widen(self, block: Block, motion: Motion, laid: Ints) -> None:
        """Take what some moves lay down."""
        if not len(laid):
            return
        box, ends = self.extremes.part, laid + 1
        for axis, places in enumerate(motion.places):
            start, end = places[laid], places[ends]
            _lower(box, axis, np.minimum(start, end), laid, block.line)
            _raise(box, axis, np.maximum(start, end), laid, block.line)
        arcs = motion.arcs
        if len(arcs.lines):
            drawn = np.isin(arcs.lines, laid)
            if drawn.any():
                for axis in (0, 1):
                    _lower(box, axis, arcs.low[axis][drawn], arcs.lines[drawn], block.line)
                    _raise(box, axis, arcs.high[axis][drawn], arcs.lines[drawn], block.line)

    def _rises(self, block: Block, motion: Motion) -> None:
        heights = motion.places[2, 1:]
        if heights.max(initial=-inf) > self.extremes.highest[0]:
            lines = np.flatnonzero(motion.moves)
            if len(lines):
                first = int(lines[np.argmax(heights[lines])])
                if heights[first] > self.extremes.highest[0]:
                    self.extremes.highest = (float(heights[first]), block.line + first)

    def _homing(self, block: Block, motion: Motion) -> None:
        begin = 0
        homing = [(index, command) for index, command in motion.events if command.name == "G28"]
        for index, command in [*homing, (len(block.starts), None)]:
            firsts: dict[str, int] = {}
            for axis in self._unhomed:
                at = motion.axes[axis]
                at = at[(at >= begin) & (at < index) & motion.absolute[at]]
                if len(at):
                    firsts[axis] = int(at[0])
            if firsts:
                first = min(firsts.values())
                axes = sorted(axis for axis, line in firsts.items() if line == first)
                self.extremes.unhomed = (block.line + first, "".join(axes))
                self._unhomed = set()  # one is enough
                return
            if command is not None:
                self._unhomed -= set("XYZ").intersection(command.words) or set("XYZ")
            begin = index

    def _heat(self, block: Block, motion: Motion) -> None:
        """Take targets and tools, and how cold it extrudes between their changes."""
        extruding = np.flatnonzero(motion.extruded > 0)
        begin = 0
        for index, command in motion.events:
            if command.name[0] == "T" or command.name in HEATING or command.name in _SETS_TOOL:
                self._extrudes(block, extruding, begin, index)
                self._change(command, block.line + index)
                begin = index
        self._extrudes(block, extruding, begin, len(block.starts))

    def _extrudes(self, block: Block, extruding: Ints, begin: int, end: int) -> None:
        celsius = self._state.tool_celsius.get(self._state.tool, 0.0)
        coldest = self.extremes.coldest
        if coldest is None or celsius < coldest[0]:
            at = int(np.searchsorted(extruding, begin))
            if at < len(extruding) and extruding[at] < end:
                self.extremes.coldest = (celsius, block.line + int(extruding[at]))

    def _change(self, command: Command, line: int) -> None:
        name, state, extremes = command.name, self._state, self.extremes
        state.apply(command)
        if name in HEATING:
            celsius = max(command.value("S") or 0.0, command.value("R") or 0.0)
            extremes.heats(name, celsius, line)
            if name in ("M104", "M109"):
                extremes.tools.setdefault(int(command.value("T", state.tool) or 0), line)
        elif name[0] == "T":
            extremes.tools.setdefault(state.tool, line)


def _lower(box: Box, axis: int, values: Floats, lines: Ints, line: int) -> None:
    least = int(np.argmin(values))
    if values[least] < box.low[axis]:
        box.low[axis], box.low_lines[axis] = float(values[least]), line + int(lines[least])


def _raise(box: Box, axis: int, values: Floats, lines: Ints, line: int) -> None:
    most = int(np.argmax(values))
    if values[most] > box.high[axis]:
        box.high[axis], box.high_lines[axis] = float(values[most]), line + int(lines[most])
