"""From bytes to commands: the receive buffer, and the check of numbers and checksums.

As in Marlin, lines are checked when they leave the receive buffer for the command queue, comments
and everything beyond the longest line are dropped while reading, and a bad line throws away what
else has been received before it asks to resend.
"""

import re
from dataclasses import dataclass

from protocols.gcode.lines import LINE_BYTES_MAX, decode

_SECOND_NUMBER = re.compile(r"M110\b.*?N\s*(-?\d{1,9})")


@dataclass(frozen=True, slots=True)
class Admitted:
    """A command on its way into the queue."""

    number: int | None
    text: str


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

    def __init__(self, *, duplicates_ignored: bool) -> None:
        self.last_number = 0
        self._duplicates_ignored = duplicates_ignored
        self._buffer = bytearray()

    @property
    def buffered(self) -> int:
        """Return how many bytes wait."""
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take bytes from the wire; a carriage return ends a line as a newline does."""
        self._buffer += data.replace(b"\r", b"\n") if b"\r" in data else data

    def overflow(self, bytes_max: int) -> None:
        """Lose what a buffer of this size could not hold."""
        del self._buffer[bytes_max:]

    def flush(self) -> None:
        """Throw away what waits."""
        self._buffer.clear()

    def next_line(self) -> bytes | None:
        """Return the next line that holds more than a comment, None where none is complete."""
        buffer = self._buffer
        while (end := buffer.find(b"\n")) >= 0:
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
