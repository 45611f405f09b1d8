"""What was measured of printers: the last hour finely, the last day coarsely, in little memory.

Theory. Time is cut into slots of `step_s`, counted since 1970. A ring has the last slots, and keeps
of each what was measured first in it: a measurement that was made, no mean and no guess. A slot in
which nothing was measured is empty, and stays so. Values are whole numbers of 16 bits, and what was
is packed (`rings.py`): a printer with two heaters, chamber and board takes some 6 KB.
"""

import json
import math
import sys
import zlib
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from coordinator.domain.rings import EMPTY, Ring
from protocols.wire.from_agent import PrinterSample
from protocols.wire.vocabulary import PrinterId, PrinterState

PROGRESS = "progress_ratio"
_VERSION = 2
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


def excerpt_of(ring: Ring, now_s: float) -> Excerpt:
    """Return all of a ring up to now."""
    last = int(now_s) // ring.step_s
    first = last - ring.slots + 1

    def told(name: str, values: list[int]) -> list[float | None]:
        scale = _STEPS_PER_RATIO if name == PROGRESS else _STEPS_PER_CELSIUS
        return [value / scale if value != EMPTY else None for value in values]

    columns = {name: told(name, values) for name, values in ring.columns(first, last).items()}
    return Excerpt(begins_at_s=first * ring.step_s, step_s=ring.step_s, columns=columns)


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
        return excerpt_of((rings if rings is not None else _rings())[span], now_s)

    def packed(self) -> list[bytes]:
        """Return everything as pieces that `restored` understands, once they are joined."""
        head, pieces = [], list[bytes]()
        for printer_id, rings in self._printers.items():
            for span, ring in rings.items():
                own = [*ring.closed, ring.rows.tobytes()]
                sizes = [len(piece) for piece in own]
                told = [printer_id, span, ring.step_s, ring.slots, ring.newest, ring.names, sizes]
                head.append(told)
                pieces += own
        all_told = {"version": _VERSION, "byteorder": sys.byteorder, "rings": head}
        return [json.dumps(all_told).encode() + b"\n", *pieces]


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
        for printer_id, span, step_s, slots, newest, names, sizes in told["rings"]:
            rings = measured._printers.setdefault(PrinterId(printer_id), _rings())
            own = []
            for size in sizes:
                own.append(body[at : at + size])
                at += size
            if at > len(body):
                raise ValueError("measurements that break off")
            ring = Ring(step_s, slots, newest, [sys.intern(name) for name in names])
            ring.closed, ring.rows = own[:-1], array("h", own[-1])
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
