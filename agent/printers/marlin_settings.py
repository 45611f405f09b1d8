"""The settings of one printer on a serial line, validated by hand: the agent stays light."""

import os
from collections.abc import Mapping, Set
from dataclasses import MISSING, dataclass, fields
from typing import Any, Self

from agent.core.watch import RULES
from agent.errors import SettingsInvalid
from protocols.gcode.lines import LINE_BYTES_MAX
from protocols.gcode.rules import RULES as PLATE_RULES
from protocols.gcode.rules import Limits, Severity
from protocols.gcode.timing import WINDOW_BYTES_MAX

WINDOW_LINES_MAX = 16
FLOW_CONTROLLED_BYTES = 4096
ON_ERROR = ("pause", "stop", "ignore")


@dataclass(frozen=True, slots=True, kw_only=True)
class MarlinSerialSettings:
    """How to reach a printer and what it can do.

    Attributes:
        port: a device path, best one below /dev/serial/by-id, or `socket://host:port` for a
            printer that speaks G-code over TCP, or `rfc2217://host:port` for a serial server.
        baud_rate: of the serial line; 0: it is found out, and remembered.
        window: lines that the board surely takes unaccepted; 0: what it tells, 1 on a board that
            does not tell.
        window_bytes: and so many bytes; 0: those of the lines of `window` where that is set, much
            on a link with flow control of its own (network, native USB), else what the smallest
            receive buffer in use holds.
        shorten: the plate's moves are said without redundant zeros, and without blanks where the
            firmware is known to need none: for links that are slow.
        meatpack: lines are said packed, where the firmware says that it unpacks them. Once this is
            turned off again, restart the printer: only what may pack tells a firmware to cease.
        quick_stop: a stop lets the firmware drop the moves that it has planned (M410), where it
            would else end them; the position is lost with them, and some boards need a homing.
        stop_on: rules of `agent.core.watch` (`heater_stalled`, `thermal_runaway`, `resends`,
            `temperature_silence`, `planner_starved`, `head_out_of_place`) that stop a run when they
            are broken, `resends` as an alarm only; else they only tell.
        on_error: what an error ends that is neither about transmission nor fatal: "pause" holds the
            run for a person, "stop" ends it, "ignore" only tells.
        origin_x_mm, origin_y_mm: the bed's front left corner; a delta counts from its middle.
        margin_mm: how far beside the bed may be printed (purge lines).
        tools, nozzle_mm: how many tools there are, and their diameter; 0: not known.
        extrude_celsius_min: a plate that extrudes with a colder nozzle is refused; 0: none is.
        allow: rules of `protocols.gcode.rules` that refuse no plate here (`unhomed`, `cold`, ...).
    """

    port: str
    baud_rate: int = 0
    window: int = 0
    window_bytes: int = 0
    shorten: bool = False
    meatpack: bool = False
    quick_stop: bool = False
    stop_on: tuple[str, ...] = ()
    on_error: str = "pause"
    bed_x_mm: float = 220.0
    bed_y_mm: float = 220.0
    height_mm: float = 250.0
    origin_x_mm: float = 0.0
    origin_y_mm: float = 0.0
    tool_celsius_max: float = 300.0
    bed_celsius_max: float = 120.0
    margin_mm: float = 5.0
    tools: int = 0
    nozzle_mm: float = 0.0
    extrude_celsius_min: float = 150.0
    allow: tuple[str, ...] = ()

    @property
    def bytes_max(self) -> int:
        """Bytes that may be on the wire unaccepted."""
        controlled = self.port.startswith("socket:") or "ttyACM" in os.path.realpath(self.port)
        if self.window_bytes or controlled:
            return self.window_bytes or FLOW_CONTROLLED_BYTES
        return max(WINDOW_BYTES_MAX, self.window * LINE_BYTES_MAX)

    @property
    def limits(self) -> Limits:
        """What plates are checked against."""
        names = {field.name for field in fields(Limits)} - {"material"}
        return Limits(**{name: getattr(self, name) for name in names})

    @property
    def policy(self) -> Mapping[str, Severity]:
        """What comes of a breach: little, of rules that `allow` names or that harm no machine."""
        return dict.fromkeys(("nothing", *self.allow), Severity.WARN)

    @classmethod
    def parse(cls, table: Mapping[str, Any]) -> Self:
        """Return the settings in a table of a configuration file.

        Raises:
            SettingsInvalid: naming the key.
        """
        known = {field.name: field for field in fields(cls)}
        for key in table:
            if key not in known:
                raise SettingsInvalid(f"{key!r} is no setting; known: {', '.join(known)}")
        values: dict[str, Any] = {}
        for name, field in known.items():
            if name not in table:
                if field.default is MISSING:
                    raise SettingsInvalid(f"{name!r} is missing")
                continue
            values[name] = _checked(name, table[name], field.type)
        settings = cls(**values)
        if settings.window > WINDOW_LINES_MAX:
            raise SettingsInvalid(f"'window' is {settings.window}, {WINDOW_LINES_MAX} at most")
        return settings


# What may be listed in a setting that is a list.
_LISTS: Mapping[str, Set[str]] = {"stop_on": RULES, "allow": PLATE_RULES.keys()}
_MAY_BE_0 = frozenset(
    (
        "baud_rate",
        "margin_mm",
        "window",
        "window_bytes",
        "tools",
        "nozzle_mm",
        "extrude_celsius_min",
    )
)


def _checked(name: str, value: Any, wanted: Any) -> Any:
    if name == "on_error" and value not in ON_ERROR:
        raise SettingsInvalid(f"'on_error' is one of {', '.join(ON_ERROR)}, not {value!r}")
    if wanted is str:
        if isinstance(value, str) and value:
            return value
        raise SettingsInvalid(f"{name!r} must be text, not {value!r}")
    if (known := _LISTS.get(name)) is not None:
        if isinstance(value, list | tuple) and set(value) <= known:
            return tuple(value)
        raise SettingsInvalid(f"{name!r} is a list of {', '.join(sorted(known))}, not {value!r}")
    if wanted is bool:
        if isinstance(value, bool):
            return value
        raise SettingsInvalid(f"{name!r} must be true or false, not {value!r}")
    kinds = (int,) if wanted is int else (int, float)
    low = 0 if name in _MAY_BE_0 else 1e-9
    if isinstance(value, bool) or not isinstance(value, kinds) or value < low:
        raise SettingsInvalid(f"{name!r} must be a positive number, not {value!r}")
    return value
