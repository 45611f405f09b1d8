"""What Home Assistant may ask of a printer: one table.

It shows no key: whoever may write below `press` at the broker is Home Assistant. So what can't be
taken back, spoils a part, or has a machine move or heat, is there only where the farm's settings
arm it by name.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

Armed = Literal[
    "cancel", "clear", "emergency_stop", "heat", "tune", "move", "service", "material", "update"
]
ARMED: frozenset[str] = frozenset(get_args(Armed))

ACTOR = "homeassistant"

# Asked of an agent, and armed by this name too; all else is asked of printers.
UPDATE = "update"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One thing to ask.

    Attributes:
        armed: what the settings must name for it; empty where nothing.
        command: what the printer's agent must be able to do for it; empty where nothing.
        line: G-code that is said, with the value in it; empty where it is another kind of thing.
        low, high: what the value may be, where it is a number; 0 and 0 where it is none.
    """

    armed: str = ""
    command: str = ""
    line: str = ""
    low: float = 0.0
    high: float = 0.0


# The limits are those of entities; what the printer bears is its profile's and its driver's to say.
VERBS: Mapping[str, Verb] = MappingProxyType(
    {
        "pause": Verb(),
        "resume": Verb(),
        "picture": Verb(command="picture"),
        "cancel": Verb(armed="cancel"),
        "clear": Verb(armed="clear"),
        "emergency_stop": Verb(armed="emergency_stop", command="emergency_stop"),
        "nozzle": Verb(armed="heat", command="send", line="M104 S{value:.0f}", high=300),
        "nozzle_2": Verb(armed="heat", command="send", line="M104 T1 S{value:.0f}", high=300),
        "nozzle_3": Verb(armed="heat", command="send", line="M104 T2 S{value:.0f}", high=300),
        "nozzle_4": Verb(armed="heat", command="send", line="M104 T3 S{value:.0f}", high=300),
        "chamber": Verb(armed="heat", command="send", line="M141 S{value:.0f}", high=100),
        "bed": Verb(armed="heat", command="send", line="M140 S{value:.0f}", high=120),
        "fan": Verb(armed="tune", command="send", line="M106 S{value:.0f}", high=100),
        "speed": Verb(armed="tune", command="send", line="M220 S{value:.0f}", low=10, high=300),
        "flow": Verb(armed="tune", command="send", line="M221 S{value:.0f}", low=50, high=150),
        "home": Verb(armed="move", command="send", line="G28"),
        "service": Verb(armed="service"),
        "material": Verb(armed="material"),
    }
)

# A fan is set from 0 to 255, and shown in percent.
_FAN_MAX = 255


def verbs_of(
    *, can_pause: bool, commands: Collection[str], armed: Collection[str]
) -> frozenset[str]:
    """Return what may be asked of a printer whose agent knows these commands."""
    return frozenset(
        name
        for name, verb in VERBS.items()
        if (not verb.armed or verb.armed in armed)
        and (not verb.command or verb.command in commands)
        and (can_pause or name not in ("pause", "resume"))
    )


def line_of(name: str, payload: str) -> str:
    """Return the line of G-code that a verb amounts to.

    Raises:
        ValueError: the payload is no number, or out of range; the text says so.
    """
    verb = VERBS[name]
    if not verb.high:
        return verb.line
    try:
        value = float(payload)
    except ValueError:
        raise ValueError(f"{name} wants a number, not {payload[:40]!r}") from None
    if not verb.low <= value <= verb.high:
        raise ValueError(f"{name} is {verb.low:.0f} to {verb.high:.0f}, not {payload[:40]}")
    return verb.line.format(value=value * _FAN_MAX / 100 if name == "fan" else value)
