"""The lines between host and firmware: numbered, unaccepted, repeatable (go-back-N).

`lines` holds what is not accepted yet, oldest first; its first `sent` members are on the wire, the
rest wait to be said again. Only an `ok` accepts. A resend request for N merely says that lines
before N need no repetition; their own oks may still come.
"""

from collections import deque
from dataclasses import dataclass

from protocols.gcode.knowledge import Knowledge
from protocols.gcode.replies import Ok
from protocols.gcode.window import Window

# How far behind the oldest unaccepted line a request may reach. An ok that was misread accepts a
# line too early, a few at most; anything older is a misread number or a board that restarted.
HISTORY_LINES_MAX = 16


@dataclass(slots=True)
class Line:
    """One numbered line. `own` lines are the connection's, not its owner's.

    `plain`: a plate's, answered by one ok and not accepted before, as nearly all are.
    """

    number: int
    data: bytes
    command: str
    tag: object
    own: bool
    plain: bool = False
    reported: bool = False


class Flight:
    """Go-back-N over numbered lines. Pure: bytes out, no time.

    Attributes:
        next_number: of the next new line.
        lines: unaccepted ones, oldest first; the first `sent` of them are on the wire.
        bytes_sent: bytes of the lines on the wire.
        history: the last that were accepted, should the firmware ask for them after all.
    """

    def __init__(self, window: Window, knowledge: Knowledge) -> None:
        self.lines: deque[Line] = deque()
        self.sent = 0
        self.bytes_sent = 0
        self.next_number = 0
        self.history: deque[Line] = deque(maxlen=HISTORY_LINES_MAX)
        self.window = window
        self._knowledge = knowledge

    def begin(self, next_number: int) -> None:
        """Forget everything; the firmware expects this number next.

        What came before can't be repeated: going back over an M110 would run old lines again.
        """
        self.lines.clear()
        self.history.clear()
        self.sent = self.bytes_sent = 0
        self.next_number = next_number

    @property
    def has_room(self) -> bool:
        """Whether a line more may be put on the wire, if it is not too long."""
        window = self.window
        return self.sent < window.lines and self.bytes_sent < window.bytes_max

    def fits(self, data: bytes) -> bool:
        """Whether these very bytes may be put on the wire, given `has_room`."""
        return not self.sent or self.bytes_sent + len(data) <= self.window.bytes_max

    @property
    def waits_to_repeat(self) -> bool:
        """Whether a numbered line must be said again before any new one."""
        return self.sent < len(self.lines)

    @property
    def last_accepted(self) -> int:
        """Number of the last line that an ok accepted."""
        return (self.lines[0].number if self.lines else self.next_number) - 1

    @property
    def sent_end(self) -> int:
        """Number after that of the last line on the wire."""
        return self.lines[0].number + self.sent if self.sent else self.repeat_number

    @property
    def repeat_number(self) -> int:
        """Number of the line that is to be said next, old or new."""
        return self.lines[self.sent].number if self.waits_to_repeat else self.next_number

    def add(self, line: Line) -> None:
        """Take note of a new line, the one with `next_number`, that goes on the wire."""
        self.lines.append(line)
        self.next_number += 1
        self.sent += 1
        self.bytes_sent += len(line.data)

    def repeat_next(self) -> bytes:
        """Return the bytes of the oldest line that waits to be said again, unchanged."""
        line = self.lines[self.sent]
        self.sent += 1
        self.bytes_sent += len(line.data)
        return line.data

    @property
    def expects_bare_oks(self) -> bool:
        """Whether a bare ok can only accept the oldest line, unless that is an M105."""
        return not self._knowledge.ok_tells_numbers

    def accept(self, ok: Ok) -> list[Line]:
        """Return the lines that this ok accepts, oldest first; none if it is a stray one."""
        if self.sent and ok.number == self.lines[0].number:
            self._knowledge.ok_tells_numbers = True
            return [self.accept_oldest()]
        return [self.accept_oldest() for _ in range(self._accepts(ok))]

    def _accepts(self, ok: Ok) -> int:
        if ok.number is not None:
            return self._accepts_number(ok.number)
        if ok.readings is not None:
            return self._accepts_temperatures()
        knowledge = self._knowledge
        if not self.sent:
            return 0
        if ok.bare and knowledge.ok_tells_temperatures and self.lines[0].command == "M105":
            return 0
        if ok.bare and knowledge.ok_tells_numbers:
            return 0
        return 1

    def _accepts_number(self, number: int) -> int:
        first = self.lines[0].number if self.sent else self.next_number
        return number - first + 1 if first <= number < first + self.sent else 0

    def _accepts_temperatures(self) -> int:
        """An answer to an M105 comes after those to everything before it."""
        sent = [self.lines[i] for i in range(self.sent)]
        asked = next((i for i, line in enumerate(sent) if line.command == "M105"), None)
        knowledge = self._knowledge
        if asked is not None:
            knowledge.ok_tells_temperatures = True
            # Probes pile up behind a lost answer. One answer will do: none of them does anything.
            while asked + 1 < len(sent) and sent[asked + 1].command == "M105":
                asked += 1
            return asked + 1
        return 0 if knowledge.ok_tells_temperatures or not sent else 1

    def accept_oldest(self) -> Line:
        """Return the oldest line, which is accepted."""
        line = self.lines.popleft()
        self.sent -= 1
        self.bytes_sent -= len(line.data)
        self.history.append(line)
        window = self.window
        if window.lines < window.full:
            window.accepted()
        return line

    def plausible(self, number: int) -> bool:
        """Whether a firmware in step with us can ask for this line."""
        if self.history:
            return self.history[0].number <= number <= self.next_number
        oldest = self.lines[0].number if self.lines else self.next_number
        return oldest <= number <= self.next_number

    def go_back(self, number: int) -> None:
        """Let everything from a plausible number on wait to be repeated."""
        while self.history and self.history[-1].number >= number:
            line = self.history.pop()
            line.reported, line.plain = True, False
            self.lines.appendleft(line)
            self.sent += 1
        oldest = self.lines[0].number if self.lines else self.next_number
        self.sent = min(self.sent, max(0, number - oldest))
        self.bytes_sent = sum(len(self.lines[i].data) for i in range(self.sent))
