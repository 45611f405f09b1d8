"""What was measured of printers: the last hour finely, the last day coarsely, in fixed memory.

Theory. Time is cut into slots of `step_s`, counted since 1970. A ring has one place for each of the
last slots, and keeps in it what was measured first in that slot: a measurement that was made, no
mean and no guess. A slot in which nothing was measured is empty, and stays so. Values are whole
numbers of 16 bits: a printer with two heaters takes some 11 KB.
"""

import json
import math
import sys
import zlib
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from protocols.wire.from_agent import PrinterSample
from protocols.wire.vocabulary import PrinterId, PrinterState

EMPTY = -32768
# Four extruders, bed, chamber and two more, each with its target, and the progress.
COLUMNS_MAX = 17
NAME_CHARACTERS_MAX = 32
PROGRESS = "progress_ratio"
_VERSION = 1
_STEPS_PER_CELSIUS, _STEPS_PER_RATIO = 10, 10_000


class Span(StrEnum):
    """How far back."""

    HOUR = "hour"
    DAY = "day"


STEP_S: Mapping[Span, int] = {Span.HOUR: 5, Span.DAY: 300}
SLOTS: Mapping[Span, int] = {Span.HOUR: 720, Span.DAY: 288}


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """A span up to now.

    Attributes:
        begins_at_s: when the first slot begins, seconds since 1970.
        columns: by name, with its unit: a value for each slot, None where nothing was measured.
    """

    begins_at_s: int
    step_s: int
    columns: Mapping[str, list[float | None]]


@dataclass(slots=True)
class Ring:
    """One printer over one span; `newest` is the slot that was written last."""

    step_s: int
    slots: int
    newest: int = -1
    columns: "dict[str, array[int]]" = field(default_factory=dict)

    def wants(self, now_s: float) -> bool:
        """Whether nothing was measured yet in the slot that is now; a clock set back may wait."""
        return int(now_s) // self.step_s > self.newest

    def put(self, values: Mapping[str, int], now_s: float) -> None:
        """Write what was measured now, and empty the slots in which nothing was."""
        slot = int(now_s) // self.step_s
        first = max(self.newest + 1, slot - self.slots + 1)
        for column in self.columns.values():
            for passed in range(first, slot + 1):
                column[passed % self.slots] = EMPTY
        self.newest = slot
        for name, value in values.items():
            if (known := self.columns.get(name) or self._new(name)) is not None:
                known[slot % self.slots] = value

    def excerpt(self, now_s: float) -> Excerpt:
        """Return all of it up to now."""
        last = int(now_s) // self.step_s
        first = last - self.slots + 1
        known = range(max(first, self.newest - self.slots + 1), min(last, self.newest) + 1)

        def read(name: str, column: "array[int]") -> list[float | None]:
            scale = _STEPS_PER_RATIO if name == PROGRESS else _STEPS_PER_CELSIUS
            values: list[float | None] = [None] * self.slots
            for slot in known:
                if (value := column[slot % self.slots]) != EMPTY:
                    values[slot - first] = value / scale
            return values

        columns = {name: read(name, column) for name, column in self.columns.items()}
        return Excerpt(begins_at_s=first * self.step_s, step_s=self.step_s, columns=columns)

    def _new(self, name: str) -> "array[int] | None":
        if len(self.columns) >= COLUMNS_MAX or len(name) > NAME_CHARACTERS_MAX:
            return None
        self.columns[name] = column = array("h", [EMPTY]) * self.slots
        return column


def _rings() -> dict[Span, Ring]:
    return {span: Ring(STEP_S[span], SLOTS[span]) for span in Span}


@dataclass(slots=True)
class Measured:
    """All printers."""

    _printers: dict[PrinterId, dict[Span, Ring]] = field(default_factory=dict)

    def take(self, sample: PrinterSample, now_s: float) -> None:
        """Take what a printer says of itself; one that is offline says only what it once was."""
        if sample.state is PrinterState.OFFLINE:
            return
        rings = self._printers.get(sample.printer_id)
        if rings is None:
            rings = self._printers[sample.printer_id] = _rings()
        values: dict[str, int] | None = None
        for ring in rings.values():
            if ring.wants(now_s):
                values = values if values is not None else _values(sample)
                ring.put(values, now_s)

    def excerpt(self, printer_id: PrinterId, span: Span, now_s: float) -> Excerpt:
        """Return a printer's span; without columns where nothing was ever measured."""
        rings = self._printers.get(printer_id)
        return (rings if rings is not None else _rings())[span].excerpt(now_s)

    def packed(self) -> list[bytes]:
        """Return everything as pieces that `restored` understands, once they are joined."""
        head = [
            [printer_id, span, ring.step_s, ring.slots, ring.newest, list(ring.columns)]
            for printer_id, rings in self._printers.items()
            for span, ring in rings.items()
        ]
        told = {"version": _VERSION, "byteorder": sys.byteorder, "rings": head}
        return [json.dumps(told).encode() + b"\n", *self._bytes()]

    def _bytes(self) -> Iterator[bytes]:
        for rings in self._printers.values():
            for ring in rings.values():
                for column in ring.columns.values():
                    yield column.tobytes()


def compressed(pieces: list[bytes]) -> bytes:
    """Return what `Measured.packed` gave as bytes for a file; takes a tenth of a second."""
    return zlib.compress(b"".join(pieces), 1)


def restored(data: bytes) -> Measured:
    """Return what `compressed` was made of.

    Raises:
        ValueError: of another version, of another machine, or damaged.
    """
    try:
        head, _, body = zlib.decompress(data).partition(b"\n")
        told = json.loads(head)
        if (told["version"], told["byteorder"]) != (_VERSION, sys.byteorder):
            raise ValueError("measurements of another version or machine")
        measured, at = Measured(), 0
        for printer_id, span, step_s, slots, newest, names in told["rings"]:
            rings = measured._printers.setdefault(PrinterId(printer_id), _rings())
            ring = Ring(step_s, slots, newest)
            for name in names:
                ring.columns[name] = column = array("h", body[at : at + 2 * slots])
                at += 2 * slots
                if len(column) != slots:
                    raise ValueError("measurements that break off")
            if (step_s, slots) == (STEP_S[span], SLOTS[span]):
                rings[Span(span)] = ring
    except (zlib.error, KeyError, TypeError) as error:
        raise ValueError(f"no measurements: {error}") from error
    return measured


def _values(sample: PrinterSample) -> dict[str, int]:
    values: dict[str, int] = {}
    for heater, reading in sample.temperatures.items():
        values[f"{heater}_celsius"] = _tenths(reading.actual_celsius)
        if reading.target_celsius is not None:
            values[f"{heater}_target_celsius"] = _tenths(reading.target_celsius)
    if sample.state in (PrinterState.PRINTING, PrinterState.PAUSED) and sample.run_id is not None:
        values[PROGRESS] = round(min(max(sample.progress, 0.0), 1.0) * _STEPS_PER_RATIO)
    return values


def _tenths(celsius: float) -> int:
    if not math.isfinite(celsius):
        return EMPTY
    return round(min(max(celsius, -3000.0), 3000.0) * _STEPS_PER_CELSIUS)
