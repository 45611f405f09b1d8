"""The last of what was said on a serial line, both ways: bounded, and cheap while nobody reads."""

from collections import deque
from typing import NamedTuple

CHUNKS_MAX = 300  # a chunk is what one read or write moved: mostly a line or a few
_EVERYTHING = 1 << 30


class Spoken(NamedTuple):
    """One line: when it was said, which way (`>` to the printer, `<` from it), and what."""

    at_s: float
    way: str
    text: str


class Transcript:
    """A ring of the bytes that went (`>`) and came (`<`), with their times."""

    def __init__(self) -> None:
        """Begin with nothing said."""
        self._chunks: deque[tuple[float, str, bytes]] = deque(maxlen=CHUNKS_MAX)

    def note(self, at_s: float, way: str, data: bytes) -> None:
        """Note what one read or write moved."""
        self._chunks.append((at_s, way, data))

    def spoken(self, *, bytes_max: int = _EVERYTHING) -> list[Spoken]:
        """Return the last lines, oldest first, of so many bytes; the first may lack its head."""
        chunks, size = [], 0
        for chunk in reversed(self._chunks):
            size += len(chunk[2])
            if size > bytes_max:
                break
            chunks.append(chunk)
        lines: list[Spoken] = []
        tails = {">": "", "<": ""}
        for at_s, way, data in reversed(chunks):
            # A line may come in pieces; it counts when it is complete.
            *whole, tails[way] = (tails[way] + data.decode("latin-1")).split("\n")
            lines += [Spoken(at_s, way, text.strip()) for text in whole if text]
        return lines

    def lines(self, count: int, *, until_s: float) -> list[str]:
        """Return the last lines, oldest first: seconds before `until_s`, direction, text."""
        last = self.spoken()[-count:]
        return [f"{at_s - until_s:8.3f} {way} {text}" for at_s, way, text in last]
