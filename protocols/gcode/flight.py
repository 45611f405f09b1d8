"""The lines between host and firmware: numbered, unaccepted, repeatable (go-back-N).

`lines` holds what is not accepted yet, oldest first; its first `sent` members are on the wire, the
rest wait to be said again. Only an `ok` accepts. A resend request for N merely says that lines
before N need no repetition; their own oks may still come.
"""

from collections import deque
from dataclasses import dataclass

from protocols.gcode.lines import encode
from protocols.gcode.replies import Ok

# How far behind the oldest unaccepted line a request may reach. An ok that was misread accepts a
# line too early, a few at most; anything older is a misread number or a board that restarted.
HISTORY_LINES_MAX = 16

# Accepted lines in a row after which a window that shrank may grow by one again.
CLEAN_LINES_TO_GROW = 50


@dataclass(slots=True)
class Line:
    """One numbered line. `own` lines are the connection's, not its owner's."""

    number: int
    data: bytes
    command: str
    tag: object
    own: bool
    reported: bool = False


class Flight:
    """Go-back-N over numbered lines. Pure: bytes out, no time."""

    def __init__(self, window_lines_max: int) -> None:
        self.lines: deque[Line] = deque()
        self.sent = 0
        self.next_number = 0
        self.last_accepted = 0
        self._history: deque[Line] = deque(maxlen=HISTORY_LINES_MAX)
        self._window_lines_max = window_lines_max
        self._window_lines = window_lines_max
        self._clean_lines = 0
        # Learned: whether the ok of an M105 carries the temperatures, so that it names its line.
        self.ok_tells_temperatures = False

    @property
    def has_room(self) -> bool:
        """Whether a line more may be put on the wire."""
        return self.sent < self._window_lines

    @property
    def waits_to_repeat(self) -> bool:
        """Whether a numbered line must be said again before any new one."""
        return self.sent < len(self.lines)

    def send(self, command: str, *, tag: object = None, own: bool = False) -> bytes:
        """Number a new line and return its bytes; nothing may be waiting to be repeated.

        Raises:
            InvalidLine: the command can't be sent.
        """
        data = encode(self.next_number, command)
        self.lines.append(Line(self.next_number, data, command, tag, own))
        self.next_number += 1
        self.sent += 1
        return data

    def repeat_next(self) -> bytes:
        """Return the bytes of the oldest line that waits to be said again, unchanged."""
        line = self.lines[self.sent]
        self.sent += 1
        return line.data

    def accept(self, ok: Ok) -> list[Line]:
        """Return the lines that this ok accepts, oldest first; none if it is a stray one."""
        if not self.sent:
            return []
        count = 1
        first = self.lines[0]
        if ok.number is not None:
            if ok.number < first.number:
                return []
            if ok.number < first.number + self.sent:
                count = ok.number - first.number + 1
        elif ok.readings is not None:
            asked = next((i for i in range(self.sent) if self.lines[i].command == "M105"), None)
            if asked is not None:
                self.ok_tells_temperatures = True
                count = asked + 1
            elif self.ok_tells_temperatures:
                return []
        elif ok.bare and self.ok_tells_temperatures and first.command == "M105":
            return []
        return [self._accept_oldest() for _ in range(count)]

    def _accept_oldest(self) -> Line:
        line = self.lines.popleft()
        self.sent -= 1
        self._history.append(line)
        self.last_accepted = line.number
        if self._window_lines < self._window_lines_max:
            self._clean_lines += 1
            if self._clean_lines >= CLEAN_LINES_TO_GROW:
                self._window_lines += 1
                self._clean_lines = 0
        return line

    def plausible(self, number: int) -> bool:
        """Whether a firmware in step with us can ask for this line."""
        if self._history:
            return self._history[0].number <= number <= self.next_number
        oldest = self.lines[0].number if self.lines else self.next_number
        return oldest <= number <= self.next_number

    def go_back(self, number: int | None) -> int:
        """Let everything from a plausible number on wait to be repeated; None: from the oldest.

        Returns the number from which on lines will be repeated.
        """
        self._window_lines = 1
        self._clean_lines = 0
        oldest = self.lines[0].number if self.lines else self.next_number
        number = oldest if number is None else number
        while self._history and self._history[-1].number >= number:
            line = self._history.pop()
            line.reported = True
            self.lines.appendleft(line)
        oldest = self.lines[0].number if self.lines else self.next_number
        self.sent = min(self.sent, max(0, number - oldest))
        return number

    def forget_history(self) -> None:
        """Never go back behind here: a repeated M110 would make old lines run again."""
        self._history.clear()

    def restart(self) -> None:
        """Forget everything; the next line has number 0, and must be an M110 that says so."""
        self.lines.clear()
        self._history.clear()
        self.sent = self.next_number = self.last_accepted = 0
