"""What each G- and M-code does: one table, name -> handler.

A handler returns None when it is done at once, or the waits of a command that takes its time. What
is not in the table, nor among the accepted, is unknown to the firmware.
"""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

from agent.simulator.heaters import Heater
from agent.simulator.machine import Machine
from agent.simulator.profiles import OF_CARDS
from agent.simulator.waits import Person, Room, Standstill, Until, Waits, Warm
from protocols.gcode.lines import Command

Handler = Callable[[Machine, Command, float], Waits | None]

# Settings that change nothing that can be seen here, and what the firmware itself attends to.
ACCEPTED = frozenset(
    [
        "G17",
        "M17",
        "M18",
        "M73",
        "M75",
        "M76",
        "M77",
        "M78",
        "M84",
        "M85",
        "M92",
        "M105",
        "M108",
        "M110",
        "M112",
        "M201",
        "M203",
        "M205",
        "M206",
        "M207",
        "M208",
        "M209",
        "M250",
        "M301",
        "M304",
        "M410",
        "M413",
        "M420",
        "M500",
        "M501",
        "M502",
        "M503",
        "M851",
        "M862.3",
        "M876",
        "M900",
        "M999",
        "T0",
    ]
)


def _move(machine: Machine, command: Command, now: float) -> Waits | None:
    if machine.planner.full:
        return _move_with_room(machine, command)
    extrudes = machine.extrudes(now)
    if not extrudes and command.words.get("E") is not None:
        machine.say("echo: cold extrusion prevented")
    start = machine.motion.position
    duration_s = machine.motion.move(command, extrudes=extrudes)
    if duration_s >= 0:
        machine.lay(start, extrudes=extrudes)
        machine.planner.push(duration_s, machine.motion.position, now)
    return None


def _move_with_room(machine: Machine, command: Command) -> Waits:
    yield Room()
    _move(machine, command, machine.now)


def _dwell(machine: Machine, command: Command, now: float) -> Waits:
    seconds = (command.value("P", 0.0) or 0.0) / 1000 + (command.value("S", 0.0) or 0.0)
    yield Standstill()
    yield Until(machine.now + max(seconds, 0.0))


def _home(machine: Machine, command: Command, now: float) -> Waits:
    yield Standstill()
    axes = "".join(axis for axis in "XYZ" if axis in command.words) or "XYZ"
    yield Until(machine.now + machine.motion.home(axes))
    if "Z" in axes and machine.board.bed is not None:
        machine.board.bed.homed()
    machine.planner.reached = machine.motion.position
    machine.report_position()


def _level(machine: Machine, command: Command, now: float) -> Waits:
    yield Standstill()
    yield Until(machine.now + 30.0)
    machine.report_position()


def _finish(machine: Machine, command: Command, now: float) -> Waits:
    yield Standstill()


def _inches(machine: Machine, command: Command, now: float) -> None:
    machine.motion.inches = command.name == "G20"


def _absolute(machine: Machine, command: Command, now: float) -> None:
    machine.motion.relative = machine.motion.relative_e = command.name == "G91"


def _absolute_e(machine: Machine, command: Command, now: float) -> None:
    machine.motion.relative_e = command.name == "M83"


def _shift(machine: Machine, command: Command, now: float) -> None:
    machine.motion.shift(command)


def _heat(machine: Machine, command: Command, now: float) -> Waits | None:
    hot = command.name in ("M104", "M109")
    heater = machine.hotend if hot else machine.bed
    target = command.value("S", command.value("R"))
    if target is not None:
        heater.aim(min(target, heater.body.full_power_celsius - 30), now)
    if command.name in ("M104", "M140"):
        return None
    return _heated(heater, cools="R" in command.words, now=now)


def _heated(heater: Heater, *, cools: bool, now: float) -> Waits:
    yield Warm(heater, cools=cools, now=now)


def _autoreport(machine: Machine, command: Command, now: float) -> None:
    machine.autoreport_s = min(max(command.value("S", 0.0) or 0.0, 0.0), 60.0)
    machine.autoreport_at_s = now + machine.autoreport_s


def _keepalive(machine: Machine, command: Command, now: float) -> None:
    seconds = command.value("S")
    if seconds is None:
        machine.say(f"M113 S{machine.keepalive_s:.0f}")
    else:
        machine.keepalive_s = min(max(seconds, 0.0), 60.0)


def _fan(machine: Machine, command: Command, now: float) -> None:
    speed = command.value("S", 255.0) or 0.0
    machine.fan = 0 if command.name == "M107" else int(min(max(speed, 0.0), 255.0))


def _position(machine: Machine, command: Command, now: float) -> None:
    machine.report_position()


def _identify(machine: Machine, command: Command, now: float) -> None:
    board = machine.board
    machine.say(
        f"FIRMWARE_NAME:{board.profile.firmware_name} PROTOCOL_VERSION:1.0"
        f" MACHINE_TYPE:{board.name} EXTRUDER_COUNT:1"
    )
    for name, value in board.capabilities.items():
        machine.say(f"Cap:{name}:{value}")


def _message(machine: Machine, command: Command, now: float) -> None:
    machine.message = command.text


def _echo(machine: Machine, command: Command, now: float) -> None:
    machine.say(command.text)


def _person(machine: Machine, command: Command, now: float) -> Waits:
    yield Standstill()
    seconds = (command.value("P", 0.0) or 0.0) / 1000 + (command.value("S", 0.0) or 0.0)
    yield Person(machine.now + seconds if seconds > 0 else math.inf)


def _change_filament(machine: Machine, command: Command, now: float) -> Waits:
    yield Standstill()
    machine.say("//action:paused")
    machine.say("//action:prompt_begin Filament change")
    machine.say("//action:prompt_button Continue")
    machine.say("//action:prompt_show")
    yield Person()
    machine.say("//action:prompt_end")
    machine.say("//action:resumed")


def _acceleration(machine: Machine, command: Command, now: float) -> None:
    value = command.value("P", command.value("S"))
    if value is not None and 1.0 <= value <= 100_000.0:
        machine.motion.acceleration_mm_s2 = value


def _feed_percent(machine: Machine, command: Command, now: float) -> None:
    value = command.value("S")
    if value is None:
        machine.tell_tuning(f"FR:{machine.motion.percent:.0f}%")
    elif 1.0 <= value <= 999.0:
        machine.motion.percent = value


def _flow_percent(machine: Machine, command: Command, now: float) -> None:
    value = command.value("S")
    if value is None:
        machine.tell_tuning(f"echo:E0 Flow: {machine.flow_percent:.0f}%")
    elif 1.0 <= value <= 999.0:
        machine.flow_percent = value


def _end_stops(machine: Machine, command: Command, now: float) -> None:
    machine.motion.bounded = command.value("S", 1.0) != 0


def _cold_extrusion(machine: Machine, command: Command, now: float) -> None:
    machine.cold_extrusion = command.value("P", 0.0) == 1 or command.value("S", 170.0) == 0


def _of_card(machine: Machine, command: Command, now: float) -> None:
    card = machine.card
    assert card is not None, "without a slot these are unknown"
    match command.name:
        case "M20":
            for text in ("Begin file list", *card.names, "End file list"):
                machine.say(text)
        case "M21" | "M22":
            machine.say(card.insert(command.name == "M21"))
        case "M23":
            for text in card.select(command.text):
                machine.say(text)
        case "M24":
            card.start()
        case "M25":
            card.pause()
        case "M524":
            card.stop()
        case "M27" if (seconds := command.value("S")) is not None:
            card.report_s = min(max(seconds, 0.0), 60.0)
            card.report_at_s = now + card.report_s
        case "M27":
            machine.say(card.status)


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "G0": _move,
        "G1": _move,
        "G2": _move,
        "G3": _move,
        "G4": _dwell,
        "G20": _inches,
        "G21": _inches,
        "G28": _home,
        "G29": _level,
        "G90": _absolute,
        "G91": _absolute,
        "G92": _shift,
        **dict.fromkeys(OF_CARDS, _of_card),
        "M0": _person,
        "M1": _person,
        "M82": _absolute_e,
        "M83": _absolute_e,
        "M104": _heat,
        "M106": _fan,
        "M107": _fan,
        "M109": _heat,
        "M113": _keepalive,
        "M114": _position,
        "M115": _identify,
        "M117": _message,
        "M118": _echo,
        "M140": _heat,
        "M155": _autoreport,
        "M190": _heat,
        "M204": _acceleration,
        "M211": _end_stops,
        "M220": _feed_percent,
        "M221": _flow_percent,
        "M302": _cold_extrusion,
        "M400": _finish,
        "M600": _change_filament,
    }
)
