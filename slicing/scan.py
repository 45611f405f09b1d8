"""What a file of G-code amounts to, from one pass over it with bounded memory.

Blocks of lines are read as arrays (`blocks.py`), followed (`motion.py`) and held against limits
(`extents.py`), comments are read by `remarks.py`. `protocols.gcode.survey` reads the same, line by
line, where there is no numpy; a contract test holds both against each other.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from math import inf, isnan, nan
from pathlib import Path
from typing import BinaryIO

import numpy as np

from protocols.gcode.extremes import Extremes
from protocols.gcode.headers import Header
from slicing.blocks import Block, read_blocks
from slicing.extents import Extents
from slicing.mesh import Vector
from slicing.motion import Follower, Motion
from slicing.remarks import Remarks

Watcher = Callable[[Block, Motion], None]
"""Gets each block of a file, and what it does, in order."""

# Heights within this are one layer.
_LAYER_MM = 0.01
# A file made to have more must not fill the memory; no print has so many.
_LAYERS_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Layer:
    """Where a layer begins.

    Attributes:
        line: of its mark, or where none is marked of its first extrusion; 1 the file's first.
        offset: of that line in the file, in bytes.
        z_mm: at which it prints; nan where it prints nothing.
    """

    line: int
    offset: int
    z_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What a file of G-code amounts to.

    Attributes:
        line_count: commands that go to a printer.
        lines: all lines.
        extrusions: moves that lay down filament.
        extremes: how far it goes, with the lines; what rules are judged by.
        header: what its slicer says of it.
        filament_mm: tool -> how far its filament is drawn in at most.
        tool_changes: how often a tool is selected that was not in use.
        features: what the slicer calls the kinds of its moves -> millimetres of filament.
        objects: names of what is printed, as far as the slicer tells.
    """

    line_count: int
    lines: int
    size_bytes: int
    sha256: str
    extrusions: int
    extremes: Extremes
    header: Header
    layers: tuple[Layer, ...]
    filament_mm: dict[int, float]
    tool_changes: int
    features: dict[str, float]
    objects: tuple[str, ...]

    @property
    def layer_count(self) -> int:
        """Layers in all."""
        return len(self.layers)

    @property
    def bounds_mm(self) -> tuple[Vector, Vector] | None:
        """Least and greatest X, Y and Z of the part; None where nothing is printed."""
        box = self.extremes.part
        if box.empty:
            return None
        return (box.low[0], box.low[1], box.low[2]), (box.high[0], box.high[1], box.high[2])


def scan(path: Path, *, watcher: Watcher | None = None) -> Scan:
    """Read a file once, and return what it amounts to."""
    with path.open("rb") as file:
        return scan_file(file, watcher=watcher)


def scan_file(file: BinaryIO, *, watcher: Watcher | None = None) -> Scan:
    """Read an open file to its end, and return what it amounts to."""
    digest = hashlib.sha256()
    follower, extents, remarks, tally = Follower(), Extents(), Remarks(), _Tally()
    lines = size_bytes = 0
    for block in read_blocks(file):
        digest.update(block.data[: block.size_bytes])
        size_bytes += block.size_bytes
        lines += len(block.starts)
        motion = follower.follow(block, extents.read_odd(block))
        marks = remarks.take(block, motion)
        extents.take(block, motion, marks)
        tally.take(block, motion, marks.tolist())
        if watcher is not None:
            watcher(block, motion)
    return Scan(
        line_count=tally.commands + extents.strange,
        lines=lines,
        size_bytes=size_bytes,
        sha256=digest.hexdigest(),
        extrusions=tally.extrusions,
        extremes=extents.extremes,
        header=remarks.header(),
        layers=tally.layers(),
        filament_mm=tally.filament_mm(),
        tool_changes=tally.tool_changes,
        features=remarks.features(),
        objects=remarks.objects(),
    )


class _Tally:
    """Counts commands, layers and filament."""

    def __init__(self) -> None:
        self.commands = self.extrusions = self.tool_changes = 0
        self._marked: list[Layer] = []
        self._by_height: list[Layer] = []
        self._top_mm = -inf
        self._tool = 0
        self._drawn: dict[int, float] = {}  # all that went in and out
        self._most: dict[int, float] = {}

    def take(self, block: Block, motion: Motion, marks: list[int]) -> None:
        self.commands += int(motion.moves.sum()) + len(motion.others)
        self.extrusions += len(motion.laid)
        self._take_marked(block, motion, marks)
        if not self._marked and len(motion.laid):
            self._take_heights(block, motion)
        self._take_filament(block, motion)

    def layers(self) -> tuple[Layer, ...]:
        return tuple(self._marked or self._by_height)

    def filament_mm(self) -> dict[int, float]:
        return {tool: round(most, 3) for tool, most in self._most.items() if most > 0}

    def _take_marked(self, block: Block, motion: Motion, marks: list[int]) -> None:
        laid, heights = motion.laid, motion.places[2]
        open_layer = self._marked and isnan(self._marked[-1].z_mm)
        if open_layer and len(laid) and (not marks or laid[0] < marks[0]):
            # The last layer of the block before prints only here.
            last = self._marked[-1]
            self._marked[-1] = Layer(last.line, last.offset, float(heights[laid[0] + 1]))
        for mark, following in zip(marks, [*marks[1:], len(block.starts)], strict=False):
            first = int(np.searchsorted(laid, mark))
            prints = first < len(laid) and laid[first] < following
            z_mm = float(heights[laid[first] + 1]) if prints else nan
            if len(self._marked) < _LAYERS_MAX:
                offset = block.offset + int(block.starts[mark])
                self._marked.append(Layer(block.line + mark, offset, z_mm))

    def _take_heights(self, block: Block, motion: Motion) -> None:
        heights = motion.places[2, motion.laid + 1]
        if heights.max() <= self._top_mm + _LAYER_MM:
            return
        rises = np.flatnonzero(np.diff(np.maximum.accumulate(heights), prepend=-inf) > 0)
        for number in rises.tolist():
            z_mm = float(heights[number])
            if z_mm > self._top_mm + _LAYER_MM and len(self._by_height) < _LAYERS_MAX:
                self._top_mm = z_mm
                index = int(motion.laid[number])
                offset = block.offset + int(block.starts[index])
                self._by_height.append(Layer(block.line + index, offset, z_mm))

    def _take_filament(self, block: Block, motion: Motion) -> None:
        begin = 0
        for index, command in motion.events:
            if command.name[0] == "T":
                self._draw(motion, begin, index)
                begin = index
                tool = int(float(command.name[1:]))
                self.tool_changes += tool != self._tool
                self._tool = tool
        self._draw(motion, begin, len(block.starts))

    def _draw(self, motion: Motion, begin: int, end: int) -> None:
        part = motion.extruded[begin:end]
        if len(part):
            before = self._drawn.get(self._tool, 0.0)
            sums = np.cumsum(part)
            most = before + float(sums.max())
            self._most[self._tool] = max(self._most.get(self._tool, 0.0), most)
            self._drawn[self._tool] = before + float(sums[-1])
