"""Where a move leads and how long it takes.

Durations follow the trapezoid that a planner makes of a move: cruise at the feed rate, slow down
for a corner by as much as it turns, and pay for the ramps before and after it. A corner's loss is
charged to the move that leaves it, so that each duration is known when its move arrives.
"""

import math
from dataclasses import dataclass, field

from agent.simulator.planner import Position
from protocols.gcode.lines import Command

# The usual limits of a bed slinger: X, Y, Z, E in mm/s, and the print acceleration in mm/s².
_FEED_MM_S_MAX = (500.0, 500.0, 12.0, 120.0)
_ACCELERATION_MM_S2 = 1250.0
_AXES = "XYZE"
_HOMING_MM_S = (50.0, 50.0, 8.0)
_HOMING_BUMP_S = 1.0
_NO_DIRECTION = (0.0, 0.0, 0.0)


@dataclass(slots=True)
class Motion:
    """The modes, the position that the next move starts from, and the limits.

    Attributes:
        position: where the last accepted move ends, in mm.
        bounds_mm: software end stops of X, Y and Z, as pairs.
        homed: axes that have been homed; only these are held within their bounds.
        percent: what M220 makes of feed rates.
    """

    bed_mm: tuple[float, float, float]
    position: Position = (0.0, 0.0, 0.0, 0.0)
    relative: bool = False
    relative_e: bool = False
    inches: bool = False
    feed_mm_s: float = 25.0
    percent: float = 100.0
    acceleration_mm_s2: float = _ACCELERATION_MM_S2
    homed: frozenset[str] = frozenset()
    bounded: bool = True
    bounds_mm: list[tuple[float, float]] = field(init=False)
    _direction: tuple[float, float, float] = _NO_DIRECTION
    _speed_mm_s: float = 0.0

    def __post_init__(self) -> None:
        self.bounds_mm = [(0.0, size) for size in self.bed_mm]

    def move(self, command: Command, *, extrudes: bool) -> float:
        """Go where a G0 to G3 leads; return its seconds, negative where nothing moves.

        Args:
            command: the move.
            extrudes: whether the hotend is warm enough to push filament; otherwise E is taken
                over without motion.
        """
        words = command.words
        feed = words.get("F")
        if feed is not None and feed > 0:
            feed_mm_s = feed * self._unit() / 60.0
            if math.isfinite(feed_mm_s):
                self.feed_mm_s = feed_mm_s
        start = self.position
        end = self._target(command)
        if end is None:
            return -1.0
        self.position = end
        filament = end[3] - start[3] if extrudes else 0.0
        delta = (end[0] - start[0], end[1] - start[1], end[2] - start[2])
        length = math.sqrt(delta[0] * delta[0] + delta[1] * delta[1] + delta[2] * delta[2])
        if command.name in ("G2", "G3"):
            length = max(self._arc_length(command, delta), length)
        if length == 0 and filament == 0:
            return -1.0
        return self._duration(length, delta, filament)

    def shift(self, command: Command) -> None:
        """Call the present position by other coordinates, as G92 does."""
        position = list(self.position)
        for index, axis in enumerate(_AXES):
            value = command.words.get(axis)
            if value is None or not math.isfinite(value):
                continue
            value *= self._unit()
            if index < 3:
                low, high = self.bounds_mm[index]
                by = value - position[index]
                self.bounds_mm[index] = (low + by, high + by)
            position[index] = value
        x, y, z, e = position
        self.position = (x, y, z, e)

    def home(self, axes: str) -> float:
        """Send axes to their end stops; return the seconds it takes."""
        position = list(self.position)
        seconds = 0.0
        for axis in axes:
            index = _AXES.index(axis)
            low, high = self.bounds_mm[index]
            known = axis in self.homed
            way = position[index] - low if known else (high - low) / 2
            seconds += abs(way) / _HOMING_MM_S[index] + _HOMING_BUMP_S
            self.bounds_mm[index] = (0.0, self.bed_mm[index])
            position[index] = 0.0
        self.homed |= frozenset(axes)
        x, y, z, e = position
        self.stop((x, y, z, e))
        return seconds

    def stop(self, position: Position) -> None:
        """Stand still at a position."""
        self.position = position
        self._direction, self._speed_mm_s = _NO_DIRECTION, 0.0

    def _unit(self) -> float:
        return 25.4 if self.inches else 1.0

    def _target(self, command: Command) -> Position | None:
        """Return where the words lead, within the bounds; None without a word for an axis."""
        words = command.words
        end = list(self.position)
        unit = self._unit()
        named = False
        for index, axis in enumerate(_AXES):
            value = words.get(axis)
            if value is None:
                continue
            value *= unit
            if self.relative_e if index == 3 else self.relative:
                value += end[index]
            if not math.isfinite(value):
                continue
            if index < 3 and self.bounded and axis in self.homed:
                low, high = self.bounds_mm[index]
                value = min(max(value, low), high)
            end[index] = value
            named = True
        return (end[0], end[1], end[2], end[3]) if named else None

    def _arc_length(self, command: Command, delta: tuple[float, float, float]) -> float:
        """Return the length of a G2 or G3 given by its centre, 0 where that is missing."""
        centre_x = command.value("I", 0.0) or 0.0
        centre_y = command.value("J", 0.0) or 0.0
        radius = math.hypot(centre_x, centre_y)
        if radius == 0 or not math.isfinite(radius):
            return 0.0
        begin = math.atan2(-centre_y, -centre_x)
        finish = math.atan2(delta[1] - centre_y, delta[0] - centre_x)
        angle = (begin - finish if command.name == "G2" else finish - begin) % math.tau
        return math.hypot(radius * (angle or math.tau), delta[2])

    def _duration(self, length: float, delta: tuple[float, float, float], filament: float) -> float:
        way = length or abs(filament)
        feed = self.feed_mm_s * self.percent / 100.0
        feed = min(feed, _FEED_MM_S_MAX[0])
        if delta[2]:
            feed = min(feed, _FEED_MM_S_MAX[2] * way / abs(delta[2]))
        if filament:
            feed = min(feed, _FEED_MM_S_MAX[3] * way / abs(filament))
        feed = max(feed, 0.05)  # Marlin's minimum feed rate; a move always ends
        direction = (
            (delta[0] / length, delta[1] / length, delta[2] / length) if length else _NO_DIRECTION
        )
        last = self._direction
        cosine = direction[0] * last[0] + direction[1] * last[1] + direction[2] * last[2]
        corner = min(self._speed_mm_s, feed) * max(cosine, 0.0)
        acceleration = self.acceleration_mm_s2
        before = self._speed_mm_s
        braking_s = (before - corner) ** 2 / (2 * acceleration * before) if before else 0.0
        reached = min(feed, math.sqrt(corner * corner + 2 * acceleration * way))
        ramp_mm = (reached * reached - corner * corner) / (2 * acceleration)
        self._direction, self._speed_mm_s = direction, reached
        return braking_s + (reached - corner) / acceleration + max(way - ramp_mm, 0.0) / reached
