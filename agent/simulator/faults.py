"""Faults on demand: what can be made to go wrong, and when.

A fault is written `NAME` or `NAME:key=value:key=value`. Triggers, the same for all: `line=N` (at
the line numbered N), `after=N` (after N executed commands), `every=N`, `chance=P`; without a
trigger it strikes at the next occasion. `every` and `chance` strike for ever, others once.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from agent.errors import SettingsInvalid


class Occasion(Enum):
    """When a fault can strike."""

    RECEIVED = "as a line is read from the receive buffer"
    ANSWERED = "as an executed command is to be acknowledged"


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the table of faults: when it strikes, its options with defaults, what it does."""

    occasion: Occasion
    options: Mapping[str, float]
    what: str


FAULTS: Mapping[str, Kind] = MappingProxyType(
    {
        "corrupt": Kind(Occasion.RECEIVED, {}, "a bit of a line from the host flips"),
        "lose_ok": Kind(Occasion.ANSWERED, {}, "an ok is not sent"),
        "double_ok": Kind(Occasion.ANSWERED, {}, "an ok is sent twice"),
        "reset": Kind(Occasion.ANSWERED, {}, "the board restarts instead of sending an ok"),
        "silence": Kind(
            Occasion.ANSWERED, {"seconds": 30.0}, "the firmware neither reads nor answers"
        ),
        "thermal_runaway": Kind(
            Occasion.ANSWERED, {"bed": 0.0}, "the hotend (or with bed=1 the bed) heats no more"
        ),
        "runout": Kind(Occasion.ANSWERED, {}, "the filament ends; the printer waits for a person"),
        "usb_drop": Kind(
            Occasion.ANSWERED, {"seconds": 5.0}, "the port vanishes and returns; the board lives"
        ),
    }
)
_TRIGGERS = frozenset({"line", "after", "every", "chance"})


@dataclass(slots=True)
class Fault:
    """An armed fault."""

    name: str
    values: Mapping[str, float]
    seen: int = 0

    def option(self, key: str) -> float:
        """Return an option, or its default."""
        return self.values.get(key, FAULTS[self.name].options[key])

    def __str__(self) -> str:
        tail = ":".join(f"{key}={value:g}" for key, value in self.values.items())
        return f"{self.name}:{tail}" if tail else self.name


def parse_fault(spec: str) -> Fault:
    """Return the fault that a text describes.

    Raises:
        SettingsInvalid: there is no such fault, option or number.
    """
    name, _, tail = spec.strip().partition(":")
    if name not in FAULTS:
        raise SettingsInvalid(f"no fault {name!r}; there are {', '.join(FAULTS)}")
    values: dict[str, float] = {}
    for pair in filter(None, tail.split(":")):
        key, _, number = pair.partition("=")
        known = _TRIGGERS | FAULTS[name].options.keys()
        if key not in known:
            raise SettingsInvalid(f"fault {name} has no {key!r}; it has {', '.join(sorted(known))}")
        try:
            values[key] = float(number)
        except ValueError as error:
            raise SettingsInvalid(f"fault {name}: {key}={number!r} is no number") from error
        if not 0 <= values[key] < 1e12:
            raise SettingsInvalid(f"fault {name}: {key}={number} is out of range")
    if len(_TRIGGERS & values.keys()) > 1:
        raise SettingsInvalid(f"fault {name}: more than one of {', '.join(sorted(_TRIGGERS))}")
    return Fault(name, values)


class Faults:
    """The faults that are armed, and their luck."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.armed: list[Fault] = []

    def arm(self, fault: Fault) -> None:
        """Let a fault strike when its trigger says so."""
        self.armed.append(fault)

    def clear(self) -> None:
        """Disarm all."""
        self.armed.clear()

    def strike(self, occasion: Occasion, *, number: int | None, executed: int) -> list[Fault]:
        """Return what strikes now."""
        struck = [
            fault
            for fault in self.armed
            if FAULTS[fault.name].occasion is occasion and self._due(fault, number, executed)
        ]
        for fault in struck:
            if "every" not in fault.values and "chance" not in fault.values:
                self.armed.remove(fault)
        return struck

    def flip_bit(self, line: bytes) -> bytes:
        """Return the line with one bit of one byte changed, still one line."""
        damaged = bytearray(line)
        damaged[self._random.randrange(len(damaged))] ^= 1 << self._random.randrange(7)
        return bytes(damaged).translate(_NO_LINE_ENDS)

    def _due(self, fault: Fault, number: int | None, executed: int) -> bool:
        values = fault.values
        if "line" in values:
            return number == int(values["line"])
        if "after" in values:
            return executed >= values["after"]
        if "every" in values:
            fault.seen += 1
            return fault.seen % max(int(values["every"]), 1) == 0
        if "chance" in values:
            return self._random.random() < values["chance"]
        return True


_NO_LINE_ENDS = bytes.maketrans(b"\r\n\0", b"???")
