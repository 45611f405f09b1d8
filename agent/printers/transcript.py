"""The last of what was said on a serial line, both ways: bounded, and cheap while nobody reads."""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from protocols.gcode.meatpack import Unpacker

CHUNKS_MAX = 300  # a chunk is what one read or write moved: mostly a line or a few
LINE_CHARACTERS_MAX = 200  # of noise without a line end, more says nothing
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

    def note_exchange(self, at_s: float, heard: bytes, said: bytes) -> None:
        """Note what came and, if anything, what was answered at once."""
        self._chunks.append((at_s, "<", heard))
        if said:
            self._chunks.append((at_s, ">", said))

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
        unpacker = Unpacker()
        said = next((data for _, way, data in reversed(chunks) if way == ">" and data), b"")
        unpacker.on = not said.isascii()  # what switched it on may be forgotten
        for at_s, way, data in reversed(chunks):
            if way == ">":
                data, _ = unpacker.feed(data)
            # A line may come in pieces; it counts when it is complete.
            *whole, tails[way] = (tails[way] + data.decode("latin-1")).split("\n")
            lines += [Spoken(at_s, way, text.strip()) for text in whole if text]
        return lines

    @staticmethod
    def written(spoken: Iterable[Spoken], *, until_s: float, bytes_max: int) -> list[str]:
        """Return lines for a person: seconds before `until_s`, direction, text; the last of them.

        Args:
            spoken: oldest first.
            until_s: the time that counts as 0.
            bytes_max: of all lines; the oldest are left out.
        """
        written: deque[str] = deque()
        for at_s, way, text in reversed(list(spoken)):
            line = f"{at_s - until_s:8.3f} {way} {text[:LINE_CHARACTERS_MAX]}"
            bytes_max -= len(line) + 1
            if bytes_max < 0:
                break
            written.appendleft(line)
        return list(written)
