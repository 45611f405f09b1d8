"""A plate's lines, numbered and encoded ahead: what a connection takes from when it has room.

A line is encoded with its neighbours, some dozens at a time, and only handed over when its turn
has come: the work of many lines in one go costs a fraction of what it costs one by one. Where an
own line of the connection took a number between, what waits is encoded anew.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from protocols.gcode.flight import Line
from protocols.gcode.lines import encode

BURST_LINES = 128
NEVER = -1


class Supply:
    """Hands over a plate's commands in order, each with the number it is said with.

    Attributes:
        taken: commands of the plate that were handed over, or were so before; `accepted` of them
            by the firmware.
        open: lines may be handed over now.
        ready: the next lines, encoded; not all there are.
        dry: there is no further line, at the plate's end or where it was told to hold.
    """

    __slots__ = (
        "_commands", "_encode", "_hold_at", "_read", "accepted", "dry", "open", "ready", "taken",
    )  # fmt: skip

    def __init__(self, commands: Iterator[str], *, position: int = 0) -> None:
        """Hand over these commands; `position` of the plate's come before them."""
        self.taken = self.accepted = position
        self.open = True
        self.dry = False
        self._commands = commands
        self._encode: Callable[[int, str], bytes] = encode
        self.ready: deque[Line] = deque()
        self._read = position
        self._hold_at = NEVER

    def hold_at(self, position: int) -> None:
        """Run dry before the command at this position; NEVER: go on to the end.

        Raises:
            ValueError: what comes after it may have been handed over.
        """
        if position != NEVER and position < self._read:
            raise ValueError(f"{self._read} commands were read, which is more than {position}")
        self._hold_at = position
        self.dry = False

    def encode_with(self, encode: Callable[[int, str], bytes]) -> None:
        """Encode lines in this way from now on; see `lines.encode`."""
        if encode is not self._encode:
            self._encode = encode
            if self.ready:
                self._number_anew(self.ready[0].number)

    def line(self, number: int) -> Line | None:
        """Return the next line, with this number, without handing it over; None: not now."""
        if not self.open:
            return None
        ready = self.ready
        if not ready:
            self._fill(number)
            if not ready:
                self.dry = True
                return None
        elif ready[0].number != number:
            self._number_anew(number)
        return ready[0]

    def topped_up(self, number: int) -> Iterable[Line]:
        """Return the lines that are ready, more of them where they get few; none: ask `line`.

        Args:
            number: the first one's.
        """
        if self.ready and self.ready[0].number != number:
            return ()
        if len(self.ready) <= BURST_LINES // 2:
            self._fill(number + len(self.ready))
        return self.ready

    def take(self) -> None:
        """Hand over the line that `line` returned last."""
        self.ready.popleft()
        self.taken += 1

    def _fill(self, number: int) -> None:
        ready, burst, encode = self.ready, BURST_LINES - len(self.ready), self._encode
        if self._hold_at != NEVER:
            burst = min(burst, self._hold_at - self._read)
        numbers, waiting = range(number, number + burst), len(ready)
        try:
            for its_number, command in zip(numbers, self._commands, strict=False):
                data = encode(its_number, command)
                ready.append(Line(its_number, data, command, self, False, command != "M105"))
        finally:
            self._read += len(ready) - waiting

    def _number_anew(self, number: int) -> None:
        for line in self.ready:
            line.number, line.data = number, self._encode(number, line.command)
            number += 1
