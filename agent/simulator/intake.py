"""From bytes to commands: the receive buffer, and the check of numbers and checksums.

As in Marlin, lines are checked when they leave the receive buffer for the command queue, comments
and everything beyond the longest line are dropped while reading, and a bad line throws away what
else has been received before it asks to resend.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from agent.simulator.profiles import Profile
from protocols.gcode.lines import LINE_BYTES_MAX, decode
from protocols.gcode.meatpack import Unpacker

_SECOND_NUMBER = re.compile(r"M110\b.*?N\s*(-?\d{1,9})")


@dataclass(frozen=True, slots=True)
class Admitted:
    """A command on its way into the queue; one from the card gets no ok."""

    number: int | None
    text: str
    from_card: bool = False


@dataclass(frozen=True, slots=True)
class Complaint:
    """A line that was refused; `reason` in the words of the firmware."""

    reason: str
    last_number: int


class Intake:
    """The receive buffer and the line counter.

    Attributes:
        last_number: the number of the last line that was admitted.
        buffered: bytes received and not looked at yet.
    """

    def __init__(self, profile: Profile, say: Callable[[str], None]) -> None:
        self.last_number = 0
        self._duplicates_ignored = profile.duplicates_ignored
        self._say = say
        self._buffer = bytearray()
        self._unpacker = Unpacker() if profile.capabilities.get("MEATPACK") else None
        self._text = bytearray() if self._unpacker else self._buffer  # of a line, unpacked

    @property
    def buffered(self) -> int:
        """Return how many bytes wait."""
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take bytes from the wire; a carriage return ends a line as a newline does."""
        if self._unpacker is None and b"\r" in data:
            data = data.replace(b"\r", b"\n")
        self._buffer += data

    def overflow(self, bytes_max: int) -> None:
        """Lose what a buffer of this size could not hold."""
        del self._buffer[bytes_max:]

    def flush(self) -> None:
        """Throw away what waits."""
        self._buffer.clear()

    def next_line(self) -> bytes | None:
        """Return the next line that holds more than a comment, None where none is complete."""
        buffer = self._text
        while (end := self._end_of_line()) >= 0:
            line = bytes(buffer[:end])
            del buffer[: end + 1]
            if b";" in line:
                line = line[: line.index(b";")]
            line = line[: LINE_BYTES_MAX - 1].strip(b" ")
            if line:
                return line
        # A firmware keeps only so much of a line, however long it grows.
        del buffer[LINE_BYTES_MAX:]
        return None

    def _end_of_line(self) -> int:
        """Return where the next line ends, -1 where none does; unpacks no further than that."""
        if self._unpacker is not None:
            taken = 0
            while b"\n" not in self._text and taken < len(self._buffer):
                text, answers = self._unpacker.feed(bytes(self._buffer[taken : taken + 1]))
                taken += 1
                self._text += text.replace(b"\r", b"\n")
                for answer in answers:
                    self._say(answer)
            del self._buffer[:taken]
        return self._text.find(b"\n")

    def admit(self, line: bytes) -> Admitted | Complaint | None:
        """Check one line; None means that it is ignored without a word."""
        frame = decode(line)
        if frame.number is None:
            return Admitted(None, frame.command)
        number = frame.number
        sets_counter = "M110" in frame.command
        if sets_counter:
            second = _SECOND_NUMBER.search(frame.command)
            number = int(second[1]) if second else number
        elif number != self.last_number + 1:
            if self._duplicates_ignored and self.last_number - 1 <= number <= self.last_number:
                return None
            return self._complain("Line Number is not Last Line Number+1")
        if frame.checksum_given is None:
            return self._complain("No Checksum with line number")
        if not frame.intact:
            return self._complain("checksum mismatch")
        self.last_number = number
        return Admitted(number, frame.command)

    def _complain(self, reason: str) -> Complaint:
        self.flush()
        return Complaint(reason, self.last_number)
