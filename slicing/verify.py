"""A look at finished G-code: what it amounts to, and whether it is a plate for this printer.

An engine's exit status is no verdict: it can be 0 for a part beside the bed, above the ceiling, or
for a file that only homes and heats.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from slicing.errors import PlateRejected
from slicing.mesh import Vector

# Rounding in the engine's numbers, three digits behind the point.
_TOLERANCE_MM = 0.01

_MOVE = re.compile(rb"G0*[01]\s")
_WORD = re.compile(rb"([XYZE])(-?\d*\.?\d+)")
_LAYER_MARKS = (b";LAYER_CHANGE", b";LAYER:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What a file of G-code amounts to.

    Attributes:
        extrusions: moves in X or Y that lay down filament, from the first layer on.
        bounds_mm: least and greatest x, y, z of these; None without any.
        z_max_mm: the highest the nozzle ever goes.
    """

    lines: int
    size_bytes: int
    sha256: str
    layers: int
    extrusions: int
    bounds_mm: tuple[Vector, Vector] | None
    z_max_mm: float


def scan(path: Path) -> Scan:
    """Read a file once, line by line, and return what it amounts to."""
    digest = hashlib.sha256()
    machine = _Machine()
    lines = size_bytes = layers = 0
    with path.open("rb") as file:
        for line in file:
            digest.update(line)
            lines += 1
            size_bytes += len(line)
            if line.startswith(_LAYER_MARKS):
                layers += 1
            elif line[:1] in b"GM":
                machine.follow(line, printing=layers > 0)
    return Scan(
        lines=lines,
        size_bytes=size_bytes,
        sha256=digest.hexdigest(),
        layers=layers,
        extrusions=machine.extrusions,
        bounds_mm=(_vector(machine.low), _vector(machine.high)) if machine.extrusions else None,
        z_max_mm=machine.z_max,
    )


def check(
    found: Scan, *, bed_mm: Vector, printer: str, origin_mm: tuple[float, float] = (0.0, 0.0)
) -> None:
    """Return if the plate prints something, and all of it inside the printer.

    The part counts, not the start code, which may well go beyond the bed's edge.

    Raises:
        PlateRejected: it prints nothing, or goes too far.
    """
    if found.bounds_mm is None or not found.layers:
        raise PlateRejected(
            "The slicer ended well but wrote a plate that prints nothing: look at the model in "
            "the slicer's own window.",
            layers=found.layers,
        )
    low, high = found.bounds_mm
    starts = (*origin_mm, 0.0)
    for axis, least, most, start, size in zip("XYZ", low, high, starts, bed_mm, strict=True):
        room = start + size
        if least < start - _TOLERANCE_MM or most > room + _TOLERANCE_MM:
            raise PlateRejected(
                f"The slicer's plate prints from {axis} {least:g} to {most:g} mm, and {printer} "
                f"reaches from {start:g} to {room:g}: make the model smaller, or its brim.",
                axis=axis,
                least_mm=least,
                most_mm=most,
                room_mm=room,
            )
    if found.z_max_mm > bed_mm[2] + _TOLERANCE_MM:
        raise PlateRejected(
            f"The slicer's plate drives to Z {found.z_max_mm:g} mm, and {printer} ends at "
            f"{bed_mm[2]:g}: make the model lower.",
            axis="Z",
            most_mm=found.z_max_mm,
            room_mm=bed_mm[2],
        )


class _Machine:
    """Where the nozzle is, line by line."""

    def __init__(self) -> None:
        self.place = {b"X": 0.0, b"Y": 0.0, b"Z": 0.0, b"E": 0.0}
        self.moves_relative = False
        self.extrudes_relative = False
        self.extrusions = 0
        self.low = [float("inf")] * 3
        self.high = [float("-inf")] * 3
        self.z_max = 0.0

    def follow(self, line: bytes, *, printing: bool) -> None:
        """Do what a line says."""
        if _MOVE.match(line):
            self._move(line, printing=printing)
        elif line.startswith((b"G90", b"G91")):
            self.moves_relative = self.extrudes_relative = line.startswith(b"G91")
        elif line.startswith((b"M82", b"M83")):
            self.extrudes_relative = line.startswith(b"M83")
        elif line.startswith(b"G92"):
            self.place.update((letter, float(number)) for letter, number in _words(line))

    def _move(self, line: bytes, *, printing: bool) -> None:
        words = _words(line)
        place = self.place
        start = (place[b"X"], place[b"Y"], place[b"Z"])
        extruded = 0.0
        for letter, number in words:
            value = float(number)
            relative = self.extrudes_relative if letter == b"E" else self.moves_relative
            target = place[letter] + value if relative else value
            if letter == b"E":
                extruded = target - place[letter]
            place[letter] = target
        end = (place[b"X"], place[b"Y"], place[b"Z"])
        self.z_max = max(self.z_max, end[2])
        if printing and extruded > 0 and end[:2] != start[:2]:
            self.extrusions += 1
            self.low = [min(*both) for both in zip(self.low, start, end, strict=True)]
            self.high = [max(*both) for both in zip(self.high, start, end, strict=True)]


def _words(line: bytes) -> list[tuple[bytes, bytes]]:
    return _WORD.findall(line.partition(b";")[0])


def _vector(values: list[float]) -> Vector:
    return values[0], values[1], values[2]
