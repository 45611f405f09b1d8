"""The short way: bare oks come in, the next lines of the plate go out, nothing else is to be done.

Theory. Nearly every look at a line of a print is this one. The processor was idle before it, its
caches are cold, and fetching each function and object costs more than what is done with it. So all
of it stands here, in one function over few objects. Whatever is out of the ordinary is left
untouched for the long way (connection.py), which comes to the same.
"""

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
_READY = State.READY  # looking into an enumeration takes longer than comparing


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
