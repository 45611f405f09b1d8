"""A ring: the last slots of what was measured, in as little memory as it takes.

Theory. Time is cut into slots, slots into blocks. Of the block that is now, each slot is a row of
numbers of 16 bits. A block that is over is closed: of each column only what changed from slot to
slot is kept, low bytes apart from high ones, and packed by zlib. Temperatures that are held, and
progress, take a third of their size then. What leaves the last slots leaves block by block.
"""

import sys
import zlib
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

EMPTY = -32768
# Longer ones pack better, and what is open is larger: here both take as much.
BLOCK_SLOTS = 48
# Four extruders, bed, chamber and two more, each with its target, and the progress.
COLUMNS_MAX = 17
NAME_CHARACTERS_MAX = 32


@dataclass(slots=True)
class Ring:
    """One printer over one span.

    Attributes:
        newest: the slot that was written last.
        names: its columns, in the order they came.
        closed: the blocks before the one that is now, packed; empty where nothing was measured.
        rows: the block that is now, row by row up to `newest`.
    """

    step_s: int
    slots: int
    newest: int = -1
    names: list[str] = field(default_factory=list)
    closed: list[bytes] = field(default_factory=list)
    rows: "array[int]" = field(default_factory=lambda: array("h"))

    def wants(self, now_s: float) -> bool:
        """Whether nothing was measured yet in the slot that is now; a clock set back may wait."""
        return int(now_s) // self.step_s > self.newest

    def put(self, values: Mapping[str, int], now_s: float) -> None:
        """Write what was measured now; slots since the last are empty."""
        slot = int(now_s) // self.step_s
        passed = slot // BLOCK_SLOTS - self.newest // BLOCK_SLOTS
        if passed:
            self._close(passed)
        for name in values:
            if name not in self.names:
                self._add(name)
        self.newest = slot
        width = len(self.names)
        missed = slot % BLOCK_SLOTS - (len(self.rows) // width if width else 0)
        self.rows.extend([EMPTY] * (missed * width))
        self.rows.extend(values.get(name, EMPTY) for name in self.names)

    def columns(self, first: int, last: int) -> dict[str, list[int]]:
        """Return what is known of these slots, by name; `EMPTY` where nothing was measured."""
        found = {name: [EMPTY] * (last - first + 1) for name in self.names}
        known_from, known_to = max(first, self.newest - self.slots + 1), min(last, self.newest)
        for begins, columns in self._blocks():
            for name, column in zip(self.names, columns, strict=False):
                low = max(known_from, begins)
                high = min(known_to + 1, begins + len(column))
                if low < high:
                    found[name][low - first : high - first] = column[low - begins : high - begins]
        return found

    def _blocks(self) -> "Iterator[tuple[int, list[array[int]]]]":
        """Yield each block's first slot and its columns; a name that came later has none."""
        open_block = self.newest // BLOCK_SLOTS
        for before, packed in enumerate(reversed(self.closed), 1):
            if packed:
                yield (open_block - before) * BLOCK_SLOTS, _unpacked(packed)
        width = len(self.names)
        yield open_block * BLOCK_SLOTS, [self.rows[at::width] for at in range(width)]

    def _close(self, passed: int) -> None:
        """Close the block that was now, so many blocks ago."""
        kept = -(-self.slots // BLOCK_SLOTS)
        width = len(self.names)
        closed = _packed([self.rows[at::width] for at in range(width)]) if self.rows else b""
        # After a long silence all of it is past.
        self.closed = [*self.closed, closed, *[b""] * min(passed - 1, kept)][-kept:]
        self.rows = array("h")

    def _add(self, name: str) -> None:
        if len(self.names) >= COLUMNS_MAX or len(name) > NAME_CHARACTERS_MAX:
            return
        width = len(self.names)
        columns = [self.rows[at::width] for at in range(width)]
        # The same few names on each printer.
        self.names.append(sys.intern(name))
        if columns:
            empty = array("h", [EMPTY]) * len(columns[0])
            self.rows = array(
                "h", [value for row in zip(*columns, empty, strict=True) for value in row]
            )


def _packed(columns: "Sequence[array[int]]") -> bytes:
    pieces = [len(columns).to_bytes(1, "big")]
    for column in columns:
        before = array("h", [0]) + column[:-1]
        steps = array(
            "H", [(now - last) & 0xFFFF for now, last in zip(column, before, strict=True)]
        )
        data = steps.tobytes()
        pieces += [data[0::2], data[1::2]]
    return zlib.compress(b"".join(pieces))


def _unpacked(packed: bytes) -> "list[array[int]]":
    data = zlib.decompress(packed)
    width = data[0]
    rows = (len(data) - 1) // (2 * width)
    columns = []
    for at in range(1, len(data), 2 * rows):
        mixed = bytearray(2 * rows)
        mixed[0::2], mixed[1::2] = data[at : at + rows], data[at + rows : at + 2 * rows]
        sums = accumulate(array("H", bytes(mixed)))
        columns.append(array("h", array("H", [value & 0xFFFF for value in sums]).tobytes()))
    return columns
