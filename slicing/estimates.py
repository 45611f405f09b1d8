"""Time and filament as the slicer tells them, in the head and the tail of its file."""

from dataclasses import dataclass
from pathlib import Path

from protocols.gcode.headers import Header, HeaderReader
from slicing.errors import PlateRejected

# PrusaSlicer's configuration block of some 20 kB comes last, the figures right before it.
_TAIL_BYTES = 128 * 1024
_HEAD_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """What the slicer says of its own plate; `cost` in the currency of the material's profile."""

    version: str
    time_s: float
    filament_mm: float
    filament_g: float
    cost: float


def read_estimates(path: Path) -> Estimates:
    """Return the figures in a file.

    Raises:
        PlateRejected: a figure is missing, so that the file is not whole.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        size_bytes = file.seek(0, 2)
        file.seek(max(_HEAD_BYTES, size_bytes - _TAIL_BYTES))
        tail = file.read()
    return parse_estimates(head + b"\n" + tail)


def parse_estimates(text: bytes | str) -> Estimates:
    """Return the figures in the comments of a text; raises as `read_estimates` does."""
    header = read_header(text.encode() if isinstance(text, str) else text)
    told = {
        "time_s": header.total_s,
        "filament_mm": header.filament_mm,
        "filament_g": header.filament_g,
    }
    missing = [name for name, figure in told.items() if figure is None]
    if not header.version or missing:
        raise PlateRejected(
            "The slicer's file lacks its closing figures, so it is not whole: slice again.",
            missing=missing,
        )
    return Estimates(
        version=header.version,
        cost=header.cost or 0.0,
        **{name: figure for name, figure in told.items() if figure is not None},
    )


def read_header(text: bytes) -> Header:
    """Return what the comments in some lines tell."""
    reader, offset = HeaderReader(), 0
    for line in text.splitlines(keepends=True):
        if line[:1] == b";":
            reader.take(line, offset)
        offset += len(line)
    return reader.found()
