"""What a slicer writes between its moves: layers, kinds of moves, objects; and its header."""

import numpy as np

from protocols.gcode.extremes import LAYER_MARKS
from protocols.gcode.headers import Header, HeaderReader
from slicing.blocks import Block, Ints
from slicing.motion import Motion

# Kinds of moves: PrusaSlicer, OrcaSlicer, Cura, ideaMaker; Bambu Studio; Simplify3D.
_FEATURES = (b";TYPE:", b"; FEATURE: ", b"; feature ")
# Objects: PrusaSlicer and OrcaSlicer, Cura, ideaMaker.
_OBJECTS = (b"; printing object ", b";MESH:", b";PRINTING: ")
_NO_OBJECT = frozenset(("NONMESH", "NON-OBJECT"))

# A file made to have more must not fill the memory.
_NAMES_MAX = 1000
_NAME_BYTES_MAX = 100

# What the second byte of a comment is in lines that are many and tell nothing that is read:
# WIDTH, WIPE, HEIGHT, Z, BEFORE and AFTER.
_IDLE = np.zeros(256, np.bool_)
_IDLE[list(b"WHZBA")] = True


class Remarks:
    """Takes a file's blocks one after the other."""

    def __init__(self) -> None:
        """Begin with nothing said."""
        self._reader = HeaderReader()
        self._objects: dict[str, None] = {}
        self._seen: set[bytes] = set()  # whole lines that name objects
        self._kinds: dict[bytes, str] = {}  # whole lines -> what they name
        self._feature = ""
        self._features: dict[str, float] = {}

    def take(self, block: Block, motion: Motion) -> Ints:
        """Take a block, and return the indices of the lines that mark a layer."""
        marks: list[int] = []
        changes: list[tuple[int, str]] = []
        text = np.frombuffer(block.data, np.uint8)
        second = text[np.minimum(block.starts[block.comments] + 1, len(text) - 1)]
        data, take, kinds, seen = block.data, self._reader.take, self._kinds, self._seen
        chosen = block.comments[~_IDLE[second]]
        starts, ends = block.starts[chosen].tolist(), (block.ends[chosen] + 1).tolist()
        for index, start, end in zip(chosen.tolist(), starts, ends, strict=True):
            line = data[start:end]
            if (kind := kinds.get(line)) is not None:
                changes.append((index, kind))
            elif line.startswith(_FEATURES):
                changes.append((index, self._kind(line)))
            elif line.startswith(LAYER_MARKS):
                marks.append(index)
            elif line in seen:
                continue
            elif line.startswith(_OBJECTS):
                self._take_object(line)
                if len(seen) < _NAMES_MAX:
                    seen.add(line)
            else:
                take(line, block.offset + start)
        self._take_features(motion, changes)
        return np.array(marks, np.int64)

    def header(self) -> Header:
        """Return what the slicer says of itself and its file."""
        return self._reader.found()

    def features(self) -> dict[str, float]:
        """Return each kind of move, and its filament in millimetres."""
        return {name: round(length, 3) for name, length in self._features.items() if name}

    def objects(self) -> tuple[str, ...]:
        """Return the names of what is printed."""
        return tuple(self._objects)

    def _take_features(self, motion: Motion, changes: list[tuple[int, str]]) -> None:
        if not self._feature and not changes:
            return
        laid = motion.laid
        sums = np.concatenate(([0.0], np.cumsum(motion.extruded[laid])))
        begins = np.array([0, *(index for index, _ in changes), len(motion.extruded)])
        lengths = np.diff(sums[np.searchsorted(laid, begins)]).tolist()
        names = [self._feature, *(name for _, name in changes)]
        for name, length in zip(names, lengths, strict=True):
            if name in self._features or len(self._features) < _NAMES_MAX:
                self._features[name] = self._features.get(name, 0.0) + length
        if changes:
            self._feature = changes[-1][1]

    def _take_object(self, line: bytes) -> None:
        prefix = next(each for each in _OBJECTS if line.startswith(each))
        rest = line[len(prefix) : _NAME_BYTES_MAX].partition(b" id:")[0]
        name = rest.decode("utf-8", "replace").strip()
        if name and name not in _NO_OBJECT and len(self._objects) < _NAMES_MAX:
            self._objects[name] = None

    def _kind(self, line: bytes) -> str:
        prefix = next(each for each in _FEATURES if line.startswith(each))
        kind = line[len(prefix) : _NAME_BYTES_MAX].decode("utf-8", "replace").strip()
        if len(self._kinds) < _NAMES_MAX:
            self._kinds[line] = kind
        return kind
