"""What a command can wait for.

A command that takes time is a generator of waits; the firmware resumes it when each is over.
`poll` may say things, as the temperatures that a firmware prints while it heats.
"""

import math
from collections.abc import Iterator
from typing import Protocol

from agent.simulator.heaters import Heater
from agent.simulator.machine import Machine

_RESIDENCY_S = 10.0  # how long a temperature must hold before M109 and M190 believe it
_WINDOW_CELSIUS = 1.0
_REPORT_S = 1.0


class Wait(Protocol):
    """One thing that has to happen first.

    Attributes:
        busy: what the keepalive calls it.
        breakable: whether M108 or a person at the printer ends it.
    """

    busy: str
    breakable: bool

    def poll(self, machine: Machine, now: float) -> bool:
        """Return whether it is over."""

    def deadline(self, machine: Machine) -> float:
        """Return when `poll` should be asked again, at the latest."""


Waits = Iterator[Wait]


class Room:
    """A free block in the planner."""

    busy = "processing"
    breakable = False

    def poll(self, machine: Machine, now: float) -> bool:
        """Return whether a move fits in."""
        return not machine.planner.full

    def deadline(self, machine: Machine) -> float:
        """Return when the next block ends."""
        return machine.planner.next_free_s()


class Standstill:
    """The end of all motion."""

    busy = "processing"
    breakable = False

    def poll(self, machine: Machine, now: float) -> bool:
        """Return whether the planner is empty."""
        return machine.planner.empty

    def deadline(self, machine: Machine) -> float:
        """Return when the last block ends."""
        return machine.planner.empty_s()


class Until:
    """A point in time."""

    busy = "processing"
    breakable = False

    def __init__(self, at_s: float) -> None:
        self._at_s = at_s

    def poll(self, machine: Machine, now: float) -> bool:
        """Return whether it has come."""
        return now >= self._at_s

    def deadline(self, machine: Machine) -> float:
        """Return the point itself."""
        return self._at_s


class Person:
    """Somebody at the printer, for a limited time or for ever."""

    busy = "paused for user"
    breakable = True

    def __init__(self, until_s: float = math.inf) -> None:
        self._until_s = until_s

    def poll(self, machine: Machine, now: float) -> bool:
        """Return whether patience has run out."""
        return now >= self._until_s

    def deadline(self, machine: Machine) -> float:
        """Return when it will."""
        return self._until_s


class Warm:
    """A heater at its target, and staying there for a while."""

    busy = "processing"
    breakable = True

    def __init__(self, heater: Heater, *, cools: bool, now: float) -> None:
        self._heater = heater
        self._cools = cools
        self._since_s: float | None = None
        self._report_s = now

    def poll(self, machine: Machine, now: float) -> bool:
        """Return whether the temperature has held; report it on the way."""
        heater = self._heater
        heater.advance(now)
        over = heater.celsius - heater.target_celsius
        if heater.target_celsius <= 0 or (over > _WINDOW_CELSIUS and not self._cools):
            return True
        if abs(over) > _WINDOW_CELSIUS:
            self._since_s = None
        elif self._since_s is None:
            self._since_s = now
        held_s = 0.0 if self._since_s is None else now - self._since_s
        if held_s >= _RESIDENCY_S:
            return True
        if now >= self._report_s:
            left = "?" if self._since_s is None else str(math.ceil(_RESIDENCY_S - held_s))
            machine.say(f" {machine.temperatures(now)} W:{left}")
            self._report_s = now + max(_REPORT_S, machine.board.report_interval_s_min)
        return False

    def deadline(self, machine: Machine) -> float:
        """Return when to look again: no later than the next report."""
        if self._since_s is None:
            return self._report_s
        return min(self._report_s, self._since_s + _RESIDENCY_S)
