"""What a G-code stream leaves behind: position, units, feed rate, fan, targets.

Used to measure moves, to check them, and to put a printer back where a pause found it. It is
computed from the file when needed, never along the hot path of a print.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import dist

from protocols.gcode.arcs import arc_box, arc_middle, arc_mm
from protocols.gcode.lines import Command
from protocols.gcode.tuning import Knob, turned_by

_MOVES = frozenset({"G0", "G1", "G2", "G3"})
MM_PER_INCH = 25.4


@dataclass(frozen=True, slots=True)
class Move:
    """One move, in millimetres: where it ends, how far it goes, what it extrudes.

    Attributes:
        seconds: distance over feed rate; acceleration is not considered.
        box_mm: of an arc: least X and Y, greatest X and Y on its way.
    """

    x_mm: float
    y_mm: float
    z_mm: float
    extruded_mm: float
    travelled_mm: float
    seconds: float
    box_mm: tuple[float, float, float, float] | None = None


@dataclass(slots=True)
class ModalState:
    """The state after every command applied so far. Millimetres, Celsius, mm per minute."""

    x_mm: float = 0.0
    y_mm: float = 0.0
    z_mm: float = 0.0
    e_mm: float = 0.0
    feed_mm_per_minute: float = 1500.0
    absolute: bool = True
    absolute_e: bool = True
    inches: bool = False
    tool: int = 0
    fan: float = 0.0
    speed_percent: float | None = None  # None: the file leaves it to the machine
    speed_percent_kept: float | None = None  # for M220 R
    flow_percent: float | None = None
    tool_celsius: dict[int, float] = field(default_factory=dict)
    bed_celsius: float = 0.0

    def apply(self, command: Command) -> Move | None:
        """Take one command; returns the move that it makes, if it does."""
        name = command.name
        if name in _MOVES:
            return self._move(command)
        match name:
            case "G90" | "G91":
                self.absolute = self.absolute_e = name == "G90"
            case "M82" | "M83":
                self.absolute_e = name == "M82"
            case "G20" | "G21":
                self.inches = name == "G20"
            case "G92":
                self._set_position(command)
            case "G28":
                self._home(command)
            case "M106" | "M107" | "M220" | "M221":
                self._turn(command)
            case "M104" | "M109":
                tool = int(command.value("T", self.tool) or 0)
                self.tool_celsius[tool] = command.value("S", command.value("R", 0.0)) or 0.0
            case "G10" | "M568" if "S" in command.words:  # RepRapFirmware; else it retracts
                tool = int(command.value("P", self.tool) or 0)
                self.tool_celsius[tool] = command.value("S") or 0.0
            case "M140" | "M190":
                self.bed_celsius = command.value("S", command.value("R", 0.0)) or 0.0
            case _ if name[0] == "T":
                self.tool = int(float(name[1:]))
        return None

    def _turn(self, command: Command) -> None:
        if command.name == "M220" and "B" in command.words:
            self.speed_percent_kept = self.speed_percent
        match turned_by(command):
            case Knob.FAN, value:
                self.fan = value or 0.0
            case Knob.SPEED, value:
                self.speed_percent = self.speed_percent_kept if value is None else value
            case Knob.FLOW, value:
                self.flow_percent = value

    def _move(self, command: Command) -> Move:
        unit = MM_PER_INCH if self.inches else 1.0
        words = command.words
        start = (self.x_mm, self.y_mm, self.z_mm)
        base = (0.0, 0.0, 0.0) if self.absolute else start
        if (x := words.get("X")) is not None:
            self.x_mm = base[0] + x * unit
        if (y := words.get("Y")) is not None:
            self.y_mm = base[1] + y * unit
        if (z := words.get("Z")) is not None:
            self.z_mm = base[2] + z * unit
        extruded = 0.0
        if (e := words.get("E")) is not None:
            # What is added counts as it is written: a sum of all so far would round it.
            extruded = e * unit - (self.e_mm if self.absolute_e else 0.0)
            self.e_mm = e * unit + (0.0 if self.absolute_e else self.e_mm)
        if feed := words.get("F"):
            self.feed_mm_per_minute = feed * unit
        end = (self.x_mm, self.y_mm, self.z_mm)
        box = None
        if command.name in ("G2", "G3") and any(words.get(each) is not None for each in "IJR"):
            middle = ((words.get("I") or 0.0) * unit, (words.get("J") or 0.0) * unit)
            if radius := words.get("R"):
                middle = arc_middle(start, end, radius * unit, clockwise=command.name == "G2")
            clockwise = command.name == "G2"
            travelled = arc_mm(start, end, middle, clockwise=clockwise)
            around = bool(words.get("P"))  # whole circles besides
            box = arc_box(start, end, middle, clockwise=clockwise, whole=around)
        else:
            travelled = dist(start, end)
        speed = max(self.feed_mm_per_minute, 1.0) / 60
        seconds = (travelled or abs(extruded)) / speed
        return Move(self.x_mm, self.y_mm, self.z_mm, extruded, travelled, seconds, box)

    def _set_position(self, command: Command) -> None:
        unit = MM_PER_INCH if self.inches else 1.0
        axes = {letter: value for letter, value in command.words.items() if letter in "XYZE"}
        for letter in axes or "XYZE":
            value = (command.value(letter, 0.0) or 0.0) * unit
            setattr(self, f"{letter.lower()}_mm", value)

    def _home(self, command: Command) -> None:
        named = [letter for letter in "XYZ" if letter in command.words]
        for letter in named or "XYZ":
            setattr(self, f"{letter.lower()}_mm", 0.0)

    def restore_commands(self, *, cold: bool = False) -> list[str]:
        """Return what brings a printer back here: warm, over the place, then down to it.

        Args:
            cold: something has cooled down, so that heating takes its time.
        """
        return [
            *self._heating(cold),
            *([f"T{self.tool}"] if self.tool or len(self.tool_celsius) > 1 else []),
            "G21",
            "G90",
            f"G1 X{self.x_mm:.3f} Y{self.y_mm:.3f} F6000",
            f"G1 Z{self.z_mm:.3f} F600",
            f"G92 E{self.e_mm:.5f}",
            f"M106 S{self.fan:.0f}" if self.fan else "M107",
            *([f"M220 S{self.speed_percent:.0f}"] if self.speed_percent else []),
            *([f"M221 S{self.flow_percent:.0f}"] if self.flow_percent else []),
            f"G1 F{self.feed_mm_per_minute:.0f}",
            *(["G91"] if not self.absolute else []),
            "M82" if self.absolute_e else "M83",
            *(["G20"] if self.inches else []),
        ]

    def _heating(self, cold: bool) -> list[str]:
        tools = [(tool, heat) for tool, heat in sorted(self.tool_celsius.items()) if heat > 0]
        several = len(self.tool_celsius) > 1
        hot = [f"T{tool} S{heat:.0f}" if several else f"S{heat:.0f}" for tool, heat in tools]
        bed = f"S{self.bed_celsius:.0f}"
        heat = [f"M140 {bed}"] if self.bed_celsius > 0 else []
        heat += [f"M104 {words}" for words in hot]
        if cold:
            heat += [f"M190 {bed}"] if self.bed_celsius > 0 else []
            heat += [f"M109 {words}" for words in hot]
        return heat

    def at(self, axes: Mapping[str, float]) -> "ModalState":
        """Return the same state at another place: axis letter -> millimetres."""
        places = {f"{axis.lower()}_mm": value for axis, value in axes.items() if axis in "XYZE"}
        return replace(self, **places)  # type: ignore[arg-type]
