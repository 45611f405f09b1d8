"""Where a plate turns fan, speed and flow, in as little memory as that takes."""

from array import array
from bisect import bisect_right
from dataclasses import dataclass, field
from math import isnan, nan

from protocols.gcode.lines import Command
from protocols.gcode.modal import ModalState
from protocols.gcode.tuning import Knob, turned_by


@dataclass(slots=True)
class Turned:
    """Where a plate turns one knob.

    Attributes:
        at: after how many of its commands; ascending.
        values: to what, as the command has it; nan: back to what it was before the plate.
    """

    at: "array[int]" = field(default_factory=lambda: array("Q"))
    values: "array[float]" = field(default_factory=lambda: array("f"))

    def note(self, position: int, value: float | None) -> None:
        """Note what it is after so many commands; the same as before is left out."""
        told = nan if value is None else value
        if self.values and (self.values[-1] == told or (isnan(self.values[-1]) and isnan(told))):
            return
        self.at.append(position)
        self.values.append(told)

    def before(self, position: int) -> tuple[int, float | None] | None:
        """Return where it was turned last, so many commands done, and to what; None: not yet."""
        index = bisect_right(self.at, position) - 1
        if index < 0:
            return None
        value = self.values[index]
        return self.at[index], None if isnan(value) else round(value, 3)


@dataclass(frozen=True, slots=True)
class Turnings:
    """All knobs of a plate: the fan from 0 to 255, speed and flow in percent."""

    fan: Turned = field(default_factory=Turned)
    speed: Turned = field(default_factory=Turned)
    flow: Turned = field(default_factory=Turned)

    def of(self, knob: Knob) -> Turned:
        """Return where one knob is turned."""
        turned: Turned = getattr(self, knob)
        return turned

    def note(self, command: Command, state: ModalState, position: int) -> None:
        """Note what a command has turned, if it has.

        Args:
            state: after it.
            position: how many commands there were, with this one.
        """
        match turned_by(command):
            case Knob.FAN, _:
                self.fan.note(position, state.fan)
            case Knob.SPEED, _:
                self.speed.note(position, state.speed_percent)
            case Knob.FLOW, _:
                self.flow.note(position, state.flow_percent)
