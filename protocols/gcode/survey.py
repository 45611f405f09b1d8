"""What one pass over a file of G-code finds: where its commands are, its layers, times, extremes.

The pass keeps nothing per line: a mark for every 64 commands takes 20 bytes, so that a file of
100 MB costs some 2 MB. Positions are counts of commands that went to the printer.

Times come from the slicer where the file names them (headers.py, M73),
spread between its words in proportion to the moves; else from the moves alone.
"""

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from math import hypot, inf, nan

from protocols.errors import InvalidLine
from protocols.gcode.arcs import Place, arc_box, arc_mm
from protocols.gcode.extremes import HEATING, LAYER_MARKS, Extremes, well_formed
from protocols.gcode.headers import Header, HeaderReader
from protocols.gcode.lines import Command, encode, parse
from protocols.gcode.modal import ModalState, Move
from protocols.gcode.program import command_in, pause_in
from protocols.gcode.turnings import Turnings

# One mark per so many commands: a second or so of printing.
COMMANDS_PER_MARK = 64
# Of any eleven commands in a row, eight stand in two of these.
COMMANDS_PER_BEAT = 4
MARKS_PER_SNAPSHOT = 256

# Nine digits of line number, so that a line which passes here passes anywhere in a print.
_LONGEST_NUMBER = 999_999_999
_SHORT_BYTES = 70  # with that number and a checksum it still is a line

_PLAIN_MOVE = re.compile(
    rb"G([0-3])(?: F([\d.]+))?(?: X(-?[\d.]+))?(?: Y(-?[\d.]+))?(?: Z(-?[\d.]+))?"
    rb"(?: I(-?[\d.]+))?(?: J(-?[\d.]+))?(?: E(-?[\d.]+))?(?: F([\d.]+))? ?(?:\r?\n|;)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What was found. Lengths in millimetres, times in seconds.

    Attributes:
        line_count: commands that go to a printer.
        total_s: estimated time of the whole.
        marks_s, offsets: elapsed time, and byte offset of the next line, after each 64 commands.
        briskest_s: of each 64 commands, the least time that a group of 4 takes at its feed rate.
        layer_starts, layer_heights_mm: position and Z of each layer; Z is nan where it is unknown.
        pauses: positions before which the host has to pause -> why.
        snapshots: what the file has set, after each 16,384 commands.
        header: what the slicer says of the file, thumbnails included.
        turnings: where the file turns fan, speed and flow.
    """

    line_count: int
    total_s: float
    marks_s: "array[float]"
    offsets: "array[int]"
    briskest_s: "array[float]"
    layer_starts: "array[int]"
    layer_heights_mm: "array[float]"
    pauses: Mapping[int, str]
    snapshots: tuple[ModalState, ...]
    extremes: Extremes
    header: Header
    turnings: Turnings

    @property
    def tools(self) -> frozenset[int]:
        """Numbers of the tools that are selected or heated."""
        return frozenset(self.extremes.tools)

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

    def eleven_s(self, first: int, last: int) -> float:
        """Return a time that any 11 commands between two positions take at least, 0 if unknown.

        By their own feed rates: acceleration only makes them slower.
        """
        marks = self.briskest_s[max(first, 0) // COMMANDS_PER_MARK : last // COMMANDS_PER_MARK + 1]
        return 2 * min(marks, default=0.0)

    def nearest(self, position: int) -> tuple[int, int]:
        """Return a byte offset to read from, and how many commands to skip from there."""
        mark, rest = divmod(min(position, self.line_count), COMMANDS_PER_MARK)
        return self.offsets[mark], rest

    def state_near(self, position: int) -> tuple[ModalState, int]:
        """Return what the file has set at a position up to this one, and that position."""
        every = COMMANDS_PER_MARK * MARKS_PER_SNAPSHOT
        number = min(position // every, len(self.snapshots) - 1)
        return _copy(self.snapshots[number]), number * every


def survey(lines: Iterable[bytes]) -> Survey:
    """Read a whole file once; `lines` is a binary file, or its lines with their ends."""
    surveyor = _Surveyor()
    surveyor.read(lines)
    return surveyor.found()


class _Surveyor:
    """The pass. Plain moves, nearly all of a file, are followed without building values."""

    def __init__(self) -> None:
        self.state = ModalState()
        self.extremes = Extremes()
        self.count = self.number = 0
        self.elapsed_s = 0.0
        self.marks_s, self.offsets = array("d", [0.0]), array("Q", [0])
        self.briskest_s = array("f")
        self._beat_s, self._briskest_s = 0.0, inf
        self.snapshots = [ModalState()]
        self.pauses: dict[int, str] = {}
        self.turnings = Turnings()
        self.unhomed = set("XYZ")
        self.celsius = 0.0  # what the tool in use is set to
        self.coldest = inf
        self.highest = -inf
        self.printed_z = nan  # the height printed at last; nan: a layer has just begun
        self._top_mm = -inf
        self._marked: list[int] = []
        self._marked_mm: list[float] = []
        self._by_height: list[int] = []
        self._by_height_mm: list[float] = []
        self._header = HeaderReader()
        self._remaining: list[tuple[float, float]] = []  # own time, what M73 says is left

    def read(self, lines: Iterable[bytes]) -> None:
        match_plain, state = _PLAIN_MOVE.match, self.state
        offset = 0
        for self.number, line in enumerate(lines, start=1):
            offset += len(line)
            plain = match_plain(line) if len(line) <= _SHORT_BYTES else None
            if plain is None or not state.absolute or state.inches or not self._follow(plain):
                if line[:1] == b";":
                    self._comment(line, offset - len(line))
                    continue
                if not (command := command_in(line)):
                    self._no_command(line)
                    continue
                self._take(command)
            self.count += 1
            if not self.count % COMMANDS_PER_BEAT:
                self._briskest_s = min(self._briskest_s, self.elapsed_s - self._beat_s)
                self._beat_s = self.elapsed_s
                if not self.count % COMMANDS_PER_MARK:
                    self._mark(offset)

    def _follow(self, plain: "re.Match[bytes]") -> bool:
        """Take a move in absolute millimetres; False: it has to be looked at properly."""
        kind, feed_first, x, y, z, i, j, e, feed_last = plain.groups()
        state = self.state
        if self.unhomed:
            return False
        try:
            if feed_last or feed_first:
                feed = float(feed_last or feed_first)
                if not feed:
                    return False
                state.feed_mm_per_minute = feed
            old_x, old_y, old_z = state.x_mm, state.y_mm, state.z_mm
            new_x = float(x) if x else old_x
            new_y = float(y) if y else old_y
            new_z = float(z) if z else old_z
            extruded, new_e = 0.0, state.e_mm
            if e:
                new_e = float(e)
                if state.absolute_e:
                    extruded = new_e - state.e_mm
                else:
                    extruded, new_e = new_e, state.e_mm + new_e
            middle = (float(i or 0), float(j or 0)) if i or j else None
        except ValueError:
            return False
        if middle is not None and kind in b"23":
            start, end = (old_x, old_y, old_z), (new_x, new_y, new_z)
            travelled = arc_mm(start, end, middle, clockwise=kind == b"2")
            if extruded > 0 and travelled:
                self._bulge(start, end, middle, clockwise=kind == b"2")
        elif z:
            travelled = hypot(new_x - old_x, new_y - old_y, new_z - old_z)
        else:
            travelled = hypot(new_x - old_x, new_y - old_y)
        state.x_mm, state.y_mm, state.z_mm = new_x, new_y, new_z
        state.e_mm = new_e
        self.elapsed_s += (travelled or abs(extruded)) * 60 / state.feed_mm_per_minute
        if new_z > self.highest:
            self._rises(new_z)
        if extruded > 0:
            if self.celsius < self.coldest:
                self._extrudes()
            if travelled:
                low, high = self.extremes.part.low, self.extremes.part.high
                if not (
                    low[0] <= new_x <= high[0]
                    and low[1] <= new_y <= high[1]
                    and low[0] <= old_x <= high[0]
                    and low[1] <= old_y <= high[1]
                    and new_z == self.printed_z
                ):
                    self.extremes.part.widen((old_x, old_y, old_z), self.number)
                    self._printed(new_x, new_y, new_z)
        return True

    def _rises(self, z_mm: float) -> None:
        self.highest = z_mm
        self.extremes.highest = (z_mm, self.number)

    def _extrudes(self) -> None:
        self.coldest = self.celsius
        self.extremes.coldest = (self.celsius, self.number)

    def _bulge(
        self, start: Place, end: Place, middle: tuple[float, float], *, clockwise: bool
    ) -> None:
        x, y, radius = start[0] + middle[0], start[1] + middle[1], hypot(*middle)
        low, high = self.extremes.part.low, self.extremes.part.high
        inside = low[0] <= x - radius and x + radius <= high[0]
        if not (inside and low[1] <= y - radius and y + radius <= high[1]):
            self._printed_within(arc_box(start, end, middle, clockwise=clockwise), end[2])

    def _printed_within(self, box: tuple[float, float, float, float], z_mm: float) -> None:
        self.extremes.part.widen((box[0], box[1], z_mm), self.number)
        self.extremes.part.widen((box[2], box[3], z_mm), self.number)

    def _printed(self, x_mm: float, y_mm: float, z_mm: float) -> None:
        self.extremes.part.widen((x_mm, y_mm, z_mm), self.number)
        if self.printed_z != self.printed_z and self._marked:  # nan: the first of a marked layer
            self._marked_mm[-1] = z_mm
        self.printed_z = z_mm
        if z_mm > self._top_mm + 0.01:
            self._top_mm = z_mm
            self._by_height.append(self.count)
            self._by_height_mm.append(z_mm)

    def _comment(self, line: bytes, offset: int) -> None:
        if line.startswith(LAYER_MARKS):
            if not self._marked:
                self.extremes.begin_part()
            self._marked.append(self.count)
            self._marked_mm.append(nan)
            self.printed_z = nan
        else:
            self._header.take(line, offset)

    def _no_command(self, line: bytes) -> None:
        if (why := pause_in(line)) is not None:
            self.pauses.setdefault(self.count, why)

    def _take(self, text: str) -> None:
        extremes = self.extremes
        try:
            encode(_LONGEST_NUMBER, text)
        except InvalidLine as problem:
            extremes.unsendable = extremes.unsendable or (self.number, str(problem))
        command = parse(text)
        if command is None:
            extremes.no_gcode(text, self.number)
            return
        start = (self.state.x_mm, self.state.y_mm, self.state.z_mm)
        move = self.state.apply(command)
        if move is not None:
            if not well_formed(text):
                extremes.malformed = extremes.malformed or (self.number, text)
            self._unhomed(command)
            self._moved(move, start)
            return
        extremes.called(command.name, self.number)
        self.turnings.note(command, self.state, self.count + 1)
        if command.name == "G4":
            self.elapsed_s += (command.value("S") or 0) + (command.value("P") or 0) / 1000
        elif command.name == "M73" and (left := command.value("R")) is not None:
            self._remaining.append((self.elapsed_s, left * 60))
        elif command.name == "G28":
            self.unhomed -= set("XYZ").intersection(command.words) or set("XYZ")
        elif command.name == "G92":
            if command.words.keys() & set("XYZ"):
                extremes.shifted = extremes.shifted or self.number
        else:
            self._heats_or_selects(command)

    def _unhomed(self, command: Command) -> None:
        axes = {axis for axis in self.unhomed if command.value(axis) is not None}
        if axes and self.state.absolute:
            self.extremes.unhomed = (self.number, "".join(sorted(axes)))
            self.unhomed = set()  # one is enough

    def _moved(self, move: Move, start: Place) -> None:
        self.elapsed_s += move.seconds
        if move.z_mm > self.highest:
            self._rises(move.z_mm)
        if move.extruded_mm > 0:
            if self.celsius < self.coldest:
                self._extrudes()
            if move.travelled_mm > 0:
                self.extremes.part.widen(start, self.number)
                if move.box_mm is not None:
                    self._printed_within(move.box_mm, move.z_mm)
                self._printed(move.x_mm, move.y_mm, move.z_mm)

    def _heats_or_selects(self, command: Command) -> None:
        name, extremes, state = command.name, self.extremes, self.state
        if name in HEATING:
            celsius = max(command.value("S") or 0.0, command.value("R") or 0.0)
            extremes.heats(name, celsius, self.number)
            if name in ("M104", "M109"):
                tool = int(command.value("T", state.tool) or 0)
                extremes.tools.setdefault(tool, self.number)
        elif name[0] == "T":
            extremes.tools.setdefault(state.tool, self.number)
        self.celsius = state.tool_celsius.get(state.tool, 0.0)

    def _mark(self, offset: int) -> None:
        self.marks_s.append(self.elapsed_s)
        self.offsets.append(offset)
        self.briskest_s.append(self._briskest_s)
        self._briskest_s = inf
        if not self.count % (COMMANDS_PER_MARK * MARKS_PER_SNAPSHOT):
            self.snapshots.append(_copy(self.state))

    def found(self) -> Survey:
        """Return all of it."""
        header = self._header.found()
        told = _told_time(self.elapsed_s, header.total_s, self._remaining)
        marked = bool(self._marked)
        heights = self._marked_mm if marked else self._by_height_mm
        return Survey(
            line_count=self.count,
            total_s=told(self.elapsed_s),
            marks_s=array("d", map(told, self.marks_s)),
            offsets=self.offsets,
            briskest_s=self.briskest_s,
            layer_starts=array("Q", self._marked if marked else self._by_height),
            layer_heights_mm=array("d", heights),
            pauses=self.pauses,
            snapshots=tuple(self.snapshots),
            extremes=self.extremes,
            header=header,
            turnings=self.turnings,
        )


def _copy(state: ModalState) -> ModalState:
    return replace(state, tool_celsius=dict(state.tool_celsius))


def _told_time(
    own_s: float, told_s: float | None, remaining: list[tuple[float, float]]
) -> Callable[[float], float]:
    """Return what turns own elapsed time into the slicer's, growing all the way.

    Args:
        own_s: own time of the whole.
        told_s: the slicer's, None where it does not tell.
        remaining: own times and what the slicer said was left then.
    """
    total_s = told_s or (remaining[0][0] + remaining[0][1] if remaining else own_s)
    points = [(0.0, 0.0)]
    for own, left_s in remaining:
        # It tells whole minutes, so only the first command of each minute is near the truth.
        elapsed_s = total_s - left_s
        if own > points[-1][0] and points[-1][1] < elapsed_s < total_s:
            points.append((own, elapsed_s))
    if own_s > points[-1][0]:
        points.append((own_s, total_s))
    owns = [own for own, _ in points]

    def told(own: float) -> float:
        after = min(max(bisect_right(owns, own), 1), len(points) - 1)
        (own_low, told_low), (own_high, told_high) = points[after - 1], points[after]
        return told_low + (told_high - told_low) * (own - own_low) / (own_high - own_low)

    return told if len(points) > 1 else lambda own: own
