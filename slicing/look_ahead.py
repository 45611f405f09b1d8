"""How long G-code takes: the moves as a firmware plans them, with its acceleration and jerk.

Between two moves the speed is bounded by jerk; within one, by what its length allows to gain or
lose. The square of the speed at each junction is the least of what can be reached from either
side: `u[i] = min(limit[i], u[i-1] + 2 a d)` forwards, the same backwards. With `s` the sums of
`2 a d` that is `s + minimum.accumulate(limit - s)`, so that no loop over moves is needed.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from protocols.gcode.headers import Header
from protocols.gcode.lines import parse, strip_comment
from slicing.blocks import Block, Floats, Ints
from slicing.motion import Motion, held, words_of
from slicing.profiles import Printer
from slicing.scan import Scan, scan

# What firmwares come with, for what no profile tells: PrusaSlicer's defaults for Marlin.
_E_ACCELERATION_MM_S2 = 1500.0
_E_JERK_MM_S = 2.5
_Z_ACCELERATION_MM_S2 = 500.0
_Z_JERK_MM_S = 0.4
_FEED_MM_S = 25.0  # before the file says any
# A slicer's own figure counts within these shares of ours; CuraEngine's can be a placeholder.
_TRUSTED_SHARES = (0.5, 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """How a printer moves: millimetres and seconds."""

    acceleration_mm_s2: float
    jerk_mm_s: float
    speed_max_mm_s: float
    speed_z_max_mm_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """How long a print takes, heating left out.

    Attributes:
        time_s: of the whole.
        source: `slicer` where its own figure is used, else `planner`.
        planned_s: of the whole, by our planner.
        layers_s: when each layer ends, in shares of `time_s`.
    """

    time_s: float
    source: str
    planned_s: float
    layers_s: tuple[float, ...]


def machine_of(printer: Printer) -> Machine:
    """Return how a class of printers moves."""
    motion = printer.motion
    return Machine(
        acceleration_mm_s2=motion.acceleration_mm_s2,
        jerk_mm_s=motion.jerk_mm_s,
        speed_max_mm_s=motion.speed_max_mm_s,
        speed_z_max_mm_s=motion.speed_z_max_mm_s,
    )


def estimate(path: Path, machine: Machine) -> tuple[Scan, Estimate]:
    """Read a file once; return what it amounts to, and how long it takes."""
    planner = Planner(machine)
    found = scan(path, watcher=planner.take)
    return found, planner.conclude(found)


class Planner:
    """Takes a file's blocks one after the other; a watcher of `scan`."""

    def __init__(self, machine: Machine) -> None:
        """Begin at rest."""
        self._machine = machine
        self._feed_mm_s = _FEED_MM_S
        self._acceleration = machine.acceleration_mm_s2  # of moves that extrude
        self._travel_acceleration = machine.acceleration_mm_s2
        self._total_s = 0.0
        self._ends: list[tuple[int, float]] = []  # lines, and when each has been done

    def take(self, block: Block, motion: Motion) -> None:
        """Take a block. Its end counts as a stop, which adds some milliseconds in all."""
        lines, seconds = self._plan(block, motion)
        seconds, lines = self._with_dwells(block, motion, lines, seconds)
        sums = np.cumsum(seconds)
        # Of a block, sixteen points tell times to a fraction of a layer.
        points = np.linspace(0, len(sums) - 1, 16 if len(sums) else 0).astype(np.int64)
        self._ends += [
            (block.line + int(lines[point]), self._total_s + float(sums[point])) for point in points
        ]
        self._total_s += float(sums[-1]) if len(sums) else 0.0

    def conclude(self, found: Scan) -> Estimate:
        """Return the estimate for the file that was taken."""
        planned_s = round(self._total_s, 1)
        time_s, source = _trusted(found.header, planned_s)
        lines = [0, *(line for line, _ in self._ends)]
        times = [0.0, *(seconds for _, seconds in self._ends)]
        ends = [layer.line for layer in found.layers[1:]] + [found.lines + 1]
        factor = time_s / planned_s if planned_s else 1.0
        at = np.interp(ends, lines, times) * factor
        layers_s = tuple(round(float(each), 1) for each in at) if found.layers else ()
        return Estimate(time_s=time_s, source=source, planned_s=planned_s, layers_s=layers_s)

    def _plan(self, block: Block, motion: Motion) -> tuple[Ints, Floats]:
        """Return the moves of a block that take time, and their seconds."""
        machine = self._machine
        at, feeds = words_of(block, "F")
        feeds = np.maximum(
            feeds * (motion.unit[0] if len(motion.unit) == 1 else motion.unit[at]), 1
        )
        feeding = motion.moves[at]
        speeds = held(len(block.starts), at[feeding], feeds[feeding] / 60, self._feed_mm_s)
        self._feed_mm_s = float(speeds[-1])
        printing, travelling = self._accelerations(block, motion)

        steps = np.diff(motion.places, axis=1)
        way = np.sqrt((steps * steps).sum(axis=0))
        arcs = motion.arcs
        way[arcs.lines] = np.hypot(arcs.length_mm, steps[2][arcs.lines])
        drawn = motion.extruded
        length = np.where(way > 0, way, np.abs(drawn))
        lines = np.flatnonzero(motion.moves & (length > 0))
        length, steps, drawn = length[lines], steps[:, lines], drawn[lines]
        only_e = way[lines] == 0
        only_z = ~only_e & (steps[0] == 0) & (steps[1] == 0)
        speed = np.minimum(speeds[lines], machine.speed_max_mm_s)
        slope = np.maximum(np.abs(steps[2]) / length, 1e-9)
        speed = np.where(only_e, speed, np.minimum(speed, machine.speed_z_max_mm_s / slope))
        acceleration = np.where(drawn > 0, printing[lines], travelling[lines])
        acceleration = np.where(only_e, _E_ACCELERATION_MM_S2, acceleration)
        acceleration = np.where(
            only_z, np.minimum(acceleration, _Z_ACCELERATION_MM_S2), acceleration
        )
        velocity = np.vstack((steps, drawn)) / length * speed
        return lines, plan(length, speed, acceleration, velocity, machine.jerk_mm_s)

    def _accelerations(self, block: Block, motion: Motion) -> tuple[Floats, Floats]:
        """Return the accelerations that the file asks for (M204), never above the machine's."""
        count, most = len(block.starts), self._machine.acceleration_mm_s2
        others = motion.others
        at = others[(block.letters[others] == ord("M")) & (block.numbers[others] == 204)]
        found: list[Floats] = []
        for letter, before in (("P", self._acceleration), ("T", self._travel_acceleration)):
            lines, values = [], []
            for index in at.tolist():
                command = parse(strip_comment(block.text(index).decode("latin-1")))
                value = command.value(letter, command.value("S")) if command else None
                if value:
                    lines.append(index)
                    values.append(min(value, most))
            found.append(held(count, np.array(lines, np.int64), np.array(values), before))
        self._acceleration, self._travel_acceleration = (float(each[-1]) for each in found)
        return found[0], found[1]

    def _with_dwells(
        self, block: Block, motion: Motion, lines: Ints, seconds: Floats
    ) -> tuple[Floats, Ints]:
        """Add what the file waits (G4)."""
        others = motion.others
        at = others[(block.letters[others] == ord("G")) & (block.numbers[others] == 4)]
        waits = []
        for index in at.tolist():
            command = parse(strip_comment(block.text(index).decode("latin-1")))
            assert command is not None
            waits.append((command.value("S") or 0.0) + (command.value("P") or 0.0) / 1000)
        if not waits:
            return seconds, lines
        all_lines = np.concatenate((lines, at))
        order = np.argsort(all_lines, kind="stable")
        return np.concatenate((seconds, waits))[order], all_lines[order]


def plan(
    length: Floats, speed: Floats, acceleration: Floats, velocity: Floats, jerk_mm_s: float
) -> Floats:
    """Return how many seconds each of some moves takes, at rest before and after all of them.

    Args:
        length: mm, above 0.
        speed: as asked for, mm/s.
        acceleration: mm/s².
        velocity: speed by axis: rows X, Y, Z, E.
        jerk_mm_s: by how much the speed in X and Y may change at once.
    """
    if not len(length):
        return np.empty(0)
    jerks = np.array([[jerk_mm_s], [jerk_mm_s], [_Z_JERK_MM_S], [_E_JERK_MM_S]])
    # At a junction both moves go at the lower of their speeds; its share that jerk allows counts.
    slower = np.minimum(speed[:-1], speed[1:])
    change = np.abs(velocity[:, 1:] / speed[1:] - velocity[:, :-1] / speed[:-1]) * slower
    share = np.min(jerks / np.maximum(change, 1e-9), axis=0)
    junction = np.minimum(slower, slower * np.minimum(share, 1.0))
    limit = np.concatenate(([0.0], junction * junction, [0.0]))
    gain = np.concatenate(([0.0], np.cumsum(2 * acceleration * length)))
    reached = gain + np.minimum.accumulate(limit - gain)
    back = gain[-1] - gain[::-1]
    reached = (back + np.minimum.accumulate(reached[::-1] - back))[::-1]
    enters, leaves = np.maximum(reached[:-1], 0), np.maximum(reached[1:], 0)
    # The top of a move: where speeding up meets slowing down, or the speed asked for.
    top = np.minimum(speed * speed, acceleration * length + (enters + leaves) / 2)
    top_speed = np.sqrt(top)
    cruise = length - (2 * top - enters - leaves) / (2 * acceleration)
    ramps = (2 * top_speed - np.sqrt(enters) - np.sqrt(leaves)) / acceleration
    seconds: Floats = np.maximum(ramps, 0) + np.maximum(cruise, 0) / top_speed
    return seconds


def _trusted(header: Header, planned_s: float) -> tuple[float, str]:
    low, high = _TRUSTED_SHARES
    told_s = header.total_s
    if told_s and low * planned_s <= told_s <= high * planned_s:
        return told_s, "slicer"
    return planned_s, "planner"
