"""Fan, speed and flow: what turns them, and what firmwares tell of them.

Sources of what firmwares tell: Marlin 2.1 (M220.cpp, M221.cpp, fans.cpp with REPORT_FAN_CHANGE),
RepRapFirmware (GCodes2.cpp) and Smoothieware (Robot.cpp, Extruder.cpp).
"""

import re
from enum import StrEnum

from protocols.gcode.lines import Command

FAN_FULL = 255.0


class Knob(StrEnum):
    """What can be turned while a plate is printed."""

    FAN = "fan"
    SPEED = "speed"
    FLOW = "flow"


_TOLD = (
    (Knob.FAN, re.compile(r"^(?:echo:)?\s*M106 P0 S(\d+)$")),
    (Knob.SPEED, re.compile(r"^FR:(\d+)%$|^Speed factor(?::| at)\s*([\d.]+)\s*%$")),
    (Knob.FLOW, re.compile(r"^(?:echo:)?\s*E0 Flow: (\d+)%$|^Flow rate at\s*([\d.]+)\s*%$")),
)


def turned_by(command: Command) -> tuple[Knob, float | None] | None:
    """Return what a command turns, and to what: the fan from 0 to 255, speed and flow in percent.

    None for a value: to what was kept before (M220 R). Other fans and other extruders than the
    first are not meant.
    """
    name, words = command.name, command.words
    if name in ("M106", "M107") and not command.value("P") and "T" not in words:
        return Knob.FAN, 0.0 if name == "M107" else command.value("S", FAN_FULL)
    if name == "M220" and ("S" in words or "R" in words):
        return Knob.SPEED, command.value("S")
    if name == "M221" and command.value("S") is not None and not command.value("T"):
        return Knob.FLOW, command.value("S")
    return None


def told_in(text: str) -> tuple[Knob, float] | None:
    """Return what a firmware's line tells: the fan from 0 to 255, speed and flow in percent."""
    for knob, pattern in _TOLD:
        if found := pattern.match(text):
            return knob, float(next(filter(None, found.groups())))
    return None


def asks(command: Command) -> bool:
    """Whether it only asks how speed or flow stand, of firmwares that answer that."""
    return command.name in ("M220", "M221") and not command.words
