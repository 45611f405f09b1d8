"""The last of what was said on a serial line, both ways: bounded, and cheap while nobody reads."""

from collections import deque

from protocols.gcode.meatpack import Unpacker

CHUNKS_MAX = 300  # a chunk is what one read or write moved: mostly a line or a few


class Transcript:
    """A ring of the bytes that went (`>`) and came (`<`), with their times."""

    def __init__(self) -> None:
        """Begin with nothing said."""
        self._chunks: deque[tuple[float, str, bytes]] = deque(maxlen=CHUNKS_MAX)

    def note(self, at_s: float, way: str, data: bytes) -> None:
        """Note what one read or write moved."""
        self._chunks.append((at_s, way, data))

    def lines(self, count: int, *, until_s: float) -> list[str]:
        """Return the last lines, oldest first: seconds before `until_s`, direction, text."""
        lines: list[str] = []
        tails = {">": "", "<": ""}
        unpacker = Unpacker()
        said = next((data for _, way, data in self._chunks if way == ">" and data), b"")
        unpacker.on = not said.isascii()  # what switched it on may be forgotten
        for at_s, way, data in self._chunks:
            if way == ">":
                data, _ = unpacker.feed(data)
            # A line may come in pieces; it is shown when it is complete.
            *whole, tails[way] = (tails[way] + data.decode("latin-1")).split("\n")
            lines += [f"{at_s - until_s:8.3f} {way} {text.strip()}" for text in whole if text]
        return lines[-count:]
