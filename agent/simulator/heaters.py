"""Heaters with thermal inertia, and the protection that watches them.

A heater is a first-order body: at full power it approaches `full_power_celsius` with its time
constant, without power it approaches the surroundings. The controller is ideal: full power below
the target, exactly the power that holds it at the target. So the temperature after any time has a
closed form, and nothing needs to tick.
"""

import math
from dataclasses import dataclass, field

POWER_MAX = 127  # what Marlin prints as `@:` at full duty


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What a heater is made of.

    Attributes:
        key: how temperature reports call it.
        heater_id: how error messages call it.
        full_power_celsius: where full power for ever would lead.
        time_constant_s: seconds in which 63 % of a difference is made up.
        fall_celsius_max: protection: this far below a target once reached is a runaway ...
        rise_celsius_min: ... and less than this gained in a period of heating up is a failure.
        period_s: how long either may last.
    """

    key: str
    heater_id: str
    full_power_celsius: float
    time_constant_s: float
    fall_celsius_max: float
    rise_celsius_min: float
    period_s: float


# A 40 W cartridge reaches 210 °C in about 110 s, a 24 V bed 60 °C in about two minutes.
HOTEND = Body(
    key="T",
    heater_id="E0",
    full_power_celsius=350.0,
    time_constant_s=130.0,
    fall_celsius_max=4.0,
    rise_celsius_min=2.0,
    period_s=40.0,
)
BED = Body(
    key="B",
    heater_id="bed",
    full_power_celsius=130.0,
    time_constant_s=300.0,
    fall_celsius_max=2.0,
    rise_celsius_min=2.0,
    period_s=60.0,
)


@dataclass(slots=True)
class Heater:
    """One heater and its sensor.

    Attributes:
        target_celsius: 0 means off.
        broken: no power reaches the body any more; the firmware does not know.
    """

    body: Body
    ambient_celsius: float
    celsius: float = field(init=False)
    target_celsius: float = 0.0
    broken: bool = False
    _at_s: float = 0.0
    _reached: bool = False
    _mark_s: float = 0.0
    _mark_celsius: float = 0.0

    def __post_init__(self) -> None:
        self.celsius = self.ambient_celsius

    def aim(self, target_celsius: float, now: float) -> None:
        """Set the target, 0 for off."""
        self.advance(now)
        if target_celsius != self.target_celsius:
            self.target_celsius = max(target_celsius, 0.0)
            self._reached = False
            self._mark(now)

    def advance(self, now: float) -> None:
        """Bring the temperature to `now`."""
        elapsed_s = now - self._at_s
        if elapsed_s <= 0:
            return
        self._at_s = now
        heated = self.target_celsius > self.celsius and not self.broken
        goal = self.body.full_power_celsius if heated else self.ambient_celsius
        moved = goal + (self.celsius - goal) * math.exp(-elapsed_s / self.body.time_constant_s)
        if self.broken:
            self.celsius = moved
        elif heated:
            self.celsius = min(moved, self.target_celsius)
        else:
            self.celsius = max(moved, self.target_celsius)

    def power(self) -> int:
        """Return the duty that the controller asks for, 0 to POWER_MAX."""
        if self.target_celsius <= 0 or self.celsius > self.target_celsius:
            return 0
        if self.celsius < self.target_celsius:
            return POWER_MAX
        span = self.body.full_power_celsius - self.ambient_celsius
        return round(POWER_MAX * max(self.celsius - self.ambient_celsius, 0.0) / span)

    def report(self) -> str:
        """Return `T:21.00 /0.00`."""
        return f"{self.body.key}:{self.celsius:.2f} /{self.target_celsius:.2f}"

    def failure(self, now: float) -> str:
        """Return what the protection says of a broken heater, in its words, or nothing."""
        self.advance(now)
        if self.target_celsius <= 0:
            return ""
        if self.celsius >= self.target_celsius - self.body.fall_celsius_max:
            self._reached = True
            self._mark(now)
        elif now - self._mark_s >= self.body.period_s:
            if self._reached:
                return "Thermal Runaway"
            if self.celsius < self._mark_celsius + self.body.rise_celsius_min:
                return "Heating failed"
            self._mark(now)
        return ""

    def _mark(self, now: float) -> None:
        self._mark_s = now
        self._mark_celsius = self.celsius
