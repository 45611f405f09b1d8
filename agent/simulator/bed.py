"""What lies on the bed, seen from above: every line of filament that was laid, as a picture.

The newest layer is brightest. Nobody takes a simulated part away; the nozzle that is homed over the
bed tells that somebody has, and the next print begins on an empty one.
"""

import struct
import zlib

from agent.simulator.planner import Position

_WIDTH_PX = 320
_GRID_MM = 20.0
_BARE, _GRID, _FIRST, _HEAD = 0, 1, 2, 255
_LAYERS = 250  # so many are told apart; then the indices begin again
_FADED_LAYERS = 40
_BARE_RGB, _GRID_RGB, _HEAD_RGB = (30, 36, 48), (46, 54, 70), (240, 246, 255)
_NEW_RGB, _OLD_RGB = (255, 184, 76), (126, 74, 24)


class Bed:
    """A bed of a size, and what was printed on it."""

    def __init__(self, bed_mm: tuple[float, float, float]) -> None:
        """Begin empty; only X and Y count."""
        self._mm = bed_mm[:2]
        self._px_per_mm = _WIDTH_PX / bed_mm[0]
        self._size = (_WIDTH_PX, max(round(bed_mm[1] * self._px_per_mm), 1))
        self._blank = self._ruled()
        self._pixels = bytearray(self._blank)
        self._layers: dict[int, int] = {}
        self._cleared = False

    def homed(self) -> None:
        """The nozzle was homed: what lies here is gone before the next line is laid."""
        self._cleared = True

    def lay(self, start: Position, end: Position) -> None:
        """Lay filament along a straight line, at the height where it ends."""
        if self._cleared:
            self._cleared = False
            self._pixels[:] = self._blank
            self._layers.clear()
        layer = self._layers.setdefault(round(end[2] * 100), len(self._layers))
        self._line(start, end, _FIRST + layer % _LAYERS)

    def picture(self, head: Position) -> bytes:
        """Return it as a PNG, with the head's place."""
        width, height = self._size
        pixels = bytearray(self._pixels)
        x, y = self._place(head)
        for by in range(-4, 5):
            for at in ((x + by, y), (x, y + by)):
                if 0 <= at[0] < width and 0 <= at[1] < height:
                    pixels[at[1] * width + at[0]] = _HEAD
        rows = b"".join(
            b"\0" + pixels[row * width : (row + 1) * width] for row in reversed(range(height))
        )
        header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            (
                _chunk(b"IHDR", header),
                _chunk(b"PLTE", self._palette()),
                _chunk(b"IDAT", zlib.compress(rows, 6)),
                _chunk(b"IEND", b""),
            )
        )

    def _ruled(self) -> bytes:
        """Return an empty bed, with a line every so often."""
        width, height = self._size
        pitch_px = _GRID_MM * self._px_per_mm
        columns = {round(count * pitch_px) for count in range(int(width / pitch_px) + 1)}
        row = bytes(_GRID if column in columns else _BARE for column in range(width))
        lines = {round(count * pitch_px) for count in range(int(height / pitch_px) + 1)}
        return b"".join(bytes([_GRID]) * width if line in lines else row for line in range(height))

    def _place(self, position: Position) -> tuple[int, int]:
        return round(position[0] * self._px_per_mm), round(position[1] * self._px_per_mm)

    def _line(self, start: Position, end: Position, index: int) -> None:
        """Draw one, as Bresenham does; what is beside the bed is not seen."""
        width, height = self._size
        x, y = self._place(start)
        to_x, to_y = self._place(end)
        across, up = abs(to_x - x), -abs(to_y - y)
        step_x, step_y = (1 if x < to_x else -1), (1 if y < to_y else -1)
        off = across + up
        while True:
            if 0 <= x < width and 0 <= y < height:
                self._pixels[y * width + x] = index
            if x == to_x and y == to_y:
                return
            twice = 2 * off
            if twice >= up:
                off += up
                x += step_x
            if twice <= across:
                off += across
                y += step_y

    def _palette(self) -> bytes:
        """Return the colours: a layer's fades with its age."""
        newest = max(len(self._layers) - 1, 0)
        colours = [_BARE_RGB, _GRID_RGB]
        for index in range(_LAYERS):
            age = (newest - index) % _LAYERS
            faded = min(age / _FADED_LAYERS, 1.0)
            shade = 10 * (index % 2)  # so that a layer is seen on the one below
            red, green, blue = (
                round(new + (old - new) * faded) - shade
                for new, old in zip(_NEW_RGB, _OLD_RGB, strict=True)
            )
            colours.append((red, green, blue))
        colours += [_HEAD_RGB] * (256 - len(colours))
        return bytes(value for colour in colours for value in colour)


def _chunk(kind: bytes, data: bytes) -> bytes:
    """Return a piece of a PNG; RFC 2083, 3.2."""
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)
