"""What Moonraker's and Klipper's words mean: one table, and the views made with it.

Klipper's own states: `klippy_state` of `server.info` (moonraker.readthedocs.io, "Query Server
Info"). A print's states: `print_stats.state` (www.klipper3d.org, "Status reference").
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from agent.printers.print_host import HostView, number, ratio
from protocols.gcode.rules import Limits
from protocols.wire.vocabulary import PrinterState, Temperature, Tuning

_S = PrinterState
MOVES = "its head moves though no file is printed"

# Klipper's state, and where that is `ready` the print's -> (our state, what a person should know).
STATES: Mapping[str, tuple[PrinterState, str]] = MappingProxyType(
    {
        "disconnected": (_S.OFFLINE, "Klipper is not running, or Moonraker can't find it"),
        "startup": (_S.OFFLINE, "Klipper is starting"),
        "error": (_S.HALTED, "Klipper could not start"),
        "shutdown": (_S.HALTED, "Klipper shut down"),
        "ready standby": (_S.IDLE, ""),
        "ready printing": (_S.PRINTING, ""),
        "ready paused": (_S.PAUSED, ""),
        "ready complete": (_S.IDLE, ""),
        "ready cancelled": (_S.IDLE, ""),
        "ready error": (_S.IDLE, ""),  # of that print only; the printer takes another
    }
)

# What is asked for: fields that change often and that nobody reads would cost both sides.
FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "print_stats": ("state", "filename", "message"),
        "virtual_sdcard": ("progress", "file_position"),
        "display_status": ("progress",),
        "idle_timeout": ("state",),
        "gcode_move": ("speed_factor", "extrude_factor"),
        "fan": ("speed", "rpm"),
        "webhooks": ("state", "state_message"),
    }
)
HEATER_FIELDS = ("temperature", "target")
_CHAMBERS = ("heater_generic chamber", "temperature_sensor chamber", "temperature_fan chamber")


def heater_name(item: str) -> str:
    """Return what we call an object of Klipper's, empty where it is no heater of a printer."""
    if item == "heater_bed":
        return "bed"
    if item in _CHAMBERS:
        return "chamber"
    number = item.removeprefix("extruder")
    if number != item and (number.isdigit() or not number):
        return f"tool{int(number or 0)}"
    return ""


def objects_to_watch(known: Iterable[str]) -> dict[str, list[str]]:
    """Return what to subscribe to, of the objects that this Klipper has."""
    names = set(known)
    watched = {name: list(fields) for name, fields in FIELDS.items() if name in names}
    return watched | {name: list(HEATER_FIELDS) for name in sorted(names) if heater_name(name)}


def state_of(klippy: str, status: Mapping[str, Any]) -> tuple[PrinterState, str]:
    """Return our state, and words where a person should know more.

    Args:
        klippy: `klippy_state`.
        status: the last of every object that is watched.
    """
    stats = status.get("print_stats") or {}
    key = f"ready {stats.get('state', 'standby')}" if klippy == "ready" else klippy
    state, words = STATES.get(key, (_S.OFFLINE, f"Klipper calls its state {key!r}"))
    if state is _S.IDLE and (status.get("idle_timeout") or {}).get("state") == "Printing":
        # Somebody jogs it, or the end of a print is still being carried out.
        return _S.ATTENTION, MOVES
    if state is _S.HALTED and (said := _first_line(status)):
        return state, f"{words}: {said}"
    return state, words


def _first_line(status: Mapping[str, Any]) -> str:
    """Return what Klipper says of itself; what follows its first line is general advice."""
    lines = str((status.get("webhooks") or {}).get("state_message") or "").strip().splitlines()
    return lines[0] if lines else ""


def temperatures_of(status: Mapping[str, Any]) -> dict[str, Temperature]:
    """Return the readings of all heaters that tell one."""
    found: dict[str, Temperature] = {}
    for item, value in status.items():
        name = heater_name(item)
        if name and isinstance(value.get("temperature"), int | float):
            target = value.get("target")
            found[name] = Temperature(float(value["temperature"]), number(target))
    return found


def tuning_of(status: Mapping[str, Any]) -> Tuning:
    """Return fan, speed and flow, where this Klipper has such a fan and tells."""
    fan, move = status.get("fan") or {}, status.get("gcode_move") or {}
    rpm = number(fan.get("rpm"))
    return Tuning(
        fan_ratio=ratio(fan.get("speed")),
        speed_ratio=ratio(move.get("speed_factor")),
        flow_ratio=ratio(move.get("extrude_factor")),
        fan_rpm=None if rpm is None else round(rpm, 3),
    )


def view_of(klippy: str, status: Mapping[str, Any], before: HostView) -> HostView:
    """Return what is to be seen; readings stay while Klipper is gone.

    Motion ends a moment after the file: until it has, a print that was seen is still at it.
    """
    state, words = state_of(klippy, status)
    stats = status.get("print_stats") or {}
    job = str(stats.get("filename") or "")
    ended = stats.get("state") in ("complete", "cancelled", "error")
    if words == MOVES and ended and before.state is _S.PRINTING and before.job == job:
        state, words = _S.PRINTING, ""
    card = status.get("virtual_sdcard") or {}
    progress = (status.get("display_status") or {}).get("progress", card.get("progress"))
    position = card.get("file_position")
    return HostView(
        state=state,
        job=job,
        words=words,
        temperatures=temperatures_of(status) or before.temperatures,
        completion=number(progress),
        tuning=tuning_of(status) if status else before.tuning,
        file_bytes=int(position) if isinstance(position, int | float) else None,
    )


def limits_of(toolhead: Mapping[str, Any]) -> Limits | None:
    """Return the size that `toolhead` tells, None where it tells none.

    The head goes somewhat beyond a bed whose corner is the origin; where the origin lies far
    inside, it is the middle, as on a delta.
    """
    low, high = toolhead.get("axis_minimum"), toolhead.get("axis_maximum")
    if not low or not high:
        return None
    x_mm, y_mm, height_mm = (float(value) for value in high[:3])
    centred = min(float(low[0]), float(low[1])) < -max(x_mm, y_mm) / 2
    origin_x_mm, origin_y_mm = (float(low[0]), float(low[1])) if centred else (0.0, 0.0)
    return Limits(
        bed_x_mm=x_mm - origin_x_mm,
        bed_y_mm=y_mm - origin_y_mm,
        height_mm=height_mm,
        origin_x_mm=origin_x_mm,
        origin_y_mm=origin_y_mm,
    )
