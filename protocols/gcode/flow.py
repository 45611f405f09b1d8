"""The short way: bare oks come in, the next lines of the plate go out, nothing else is to be done.

Theory. Nearly every look at a line of a print is this one. The processor was idle before it, its
caches are cold, and fetching each function and object costs more than what is done with it. So all
of it stands here, in one function over few objects. Whatever is out of the ordinary is left
untouched for the long way (connection.py), which comes to the same.

The same way can be gone elsewhere, where waking up costs less: what it needs is lent, and what came
of it is taken back. Meanwhile nobody looks at the connection.
"""

from typing import NamedTuple

from protocols.gcode.dialogue import Dialogue
from protocols.gcode.flight import Flight
from protocols.gcode.knowledge import Knowledge
from protocols.gcode.news import News
from protocols.gcode.repair import Repair
from protocols.gcode.sending import Sender
from protocols.gcode.states import State

OKS_MAX = 16
# What one read brings of a firmware that tells nothing with its oks -> how many oks.
OKS = {
    b"ok" + end * count + last: count + 1
    for count in range(OKS_MAX)
    for end, last in ((b"\nok", b"\n"), (b"\r\nok", b"\r\n"))
}
# A piece of an ok, of which the rest is still to come.
PIECES = (b"", b"o", b"ok", b"ok\r")
# So few lines left are too few to be lent.
LENT_LINES_MIN = 16
_READY = State.READY  # looking into an enumeration takes longer than comparing


class Lent(NamedTuple):
    """What the short way needs.

    Attributes:
        under_way: bytes of each line on the wire, oldest first.
        ready: the next lines; may be said as far as the window reaches.
        lines_max: the window; no fewer are ready.
        bytes_max: the window, but always one line.
        heard: of the bytes that came, what is no whole line yet: a piece of an ok.
        number: the oldest line's.
    """

    under_way: list[int]
    ready: list[bytes]
    lines_max: int
    bytes_max: int
    heard: bytes
    number: int


class Flow:
    """One connection's short way; shares its parts.

    Attributes:
        tail: of the bytes that came, what is no whole line yet.
        written: number of the last line written, as of the last answer; of those up to
            `accepted` were, and `left` were under way before more were written.
    """

    __slots__ = (
        "_dialogue", "_flight", "_knowledge", "_news", "_repair", "_sender", "accepted", "left",
        "tail", "written",
    )  # fmt: skip

    def __init__(
        self,
        dialogue: Dialogue,
        knowledge: Knowledge,
        flight: Flight,
        repair: Repair,
        sender: Sender,
        news: News,
    ) -> None:
        self.tail = b""
        self.accepted = self.written = self.left = 0
        self._dialogue = dialogue
        self._knowledge = knowledge
        self._flight = flight
        self._repair = repair
        self._sender = sender
        self._news = news

    def answer(self, data: bytes, now: float) -> bytes | None:
        """Take bytes from the port, if all that comes of them is that a plate goes on.

        Returns:
            what is to be written; None: nothing was done.
        """
        oks, dialogue, flight, sender = OKS.get(data), self._dialogue, self._flight, self._sender
        supply, window, lines = sender.supply, flight.window, flight.lines
        sent, lines_max = flight.sent, window.lines
        if (
            oks is None
            or supply is None
            or not supply.open
            or dialogue.state is not _READY
            or self.tail
            or sender.queue
            or dialogue.out
            or self._news.attention
            or self._repair.attentive
            or self._knowledge.ok_tells_numbers
            or oks > sent
            or sent != len(lines)
            or lines_max < window.full
        ):
            return None
        ready = supply.ready
        if len(ready) < lines_max or ready[0].number != flight.next_number:
            return None
        for number in range(oks):
            line = lines[number]
            if not line.plain or line.tag is not supply:
                return None
        size, size_max, history = flight.bytes_sent, window.bytes_max, flight.history
        for _ in range(oks):
            line = lines.popleft()
            size -= len(line.data)
            history.append(line)
        said = []
        self.left = sent = sent - oks
        while sent < lines_max and size < size_max:
            data = ready[0].data
            if sent and size + len(data) > size_max:
                break
            lines.append(ready.popleft())
            said.append(data)
            size += len(data)
            sent += 1
        flight.sent, flight.bytes_sent = sent, size
        count = len(said)
        self.written = written = flight.next_number + count - 1
        self.accepted = written - sent
        flight.next_number = written + 1
        supply.taken += count
        supply.accepted += oks
        dialogue.lines_sent += count
        dialogue.progress_at = now
        return b"".join(said)

    def lend(self) -> Lent | None:
        """Return what is needed to go on elsewhere, by the rules of `answer`; None: not now.

        Bytes that are more than oks, or more oks than lines are under way, have to be left for
        `receive`. Until `take_back` nothing else is done with the connection.
        """
        flight, supply, window = self._flight, self._sender.supply, self._flight.window
        if (
            supply is None
            or not supply.open
            or self._dialogue.state is not _READY
            or self.tail not in PIECES
            or self._sender.queue
            or self._dialogue.out
            or self._news.attention
            or self._repair.attentive
            or self._knowledge.ok_tells_numbers
            or not flight.sent
            or flight.sent != len(flight.lines)
            or window.lines < window.full
        ):
            return None
        if any(not line.plain or line.tag is not supply for line in flight.lines):
            return None
        ready: list[bytes] = []
        for line in supply.topped_up(flight.next_number):
            if not line.plain:
                break  # answered by more than an ok
            ready.append(line.data)
        if len(ready) < max(window.lines, LENT_LINES_MIN):
            return None
        under_way = [len(line.data) for line in flight.lines]
        number = flight.lines[0].number
        return Lent(under_way, ready, window.lines, window.bytes_max, self.tail, number)

    def take_back(self, *, accepted: int, written: int, heard: bytes, now: float) -> None:
        """Take note of what came of what was lent.

        Args:
            accepted: lines that oks accepted, of those under way and written.
            written: lines that were written.
            heard: bytes that were read and not answered; they count as received before all that is
                received from now on.
            now: monotonic, when the last ok came; without one it says nothing.
        """
        flight, supply = self._flight, self._sender.supply
        assert supply is not None, "it was lent with one"
        lines, ready = flight.lines, supply.ready
        lines.extend(ready.popleft() for _ in range(written))
        flight.history.extend(lines.popleft() for _ in range(accepted))
        flight.sent = len(lines)
        flight.bytes_sent = sum(len(line.data) for line in lines)
        flight.next_number += written
        supply.taken += written
        supply.accepted += accepted
        self._dialogue.lines_sent += written
        if accepted:
            self._dialogue.progress_at = now
        self.tail = heard
