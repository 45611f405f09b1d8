"""What the parts of a connection share: its state, what it has to say, what it has to tell."""

from protocols.gcode import events
from protocols.gcode.states import Happening, State, advance


class Dialogue:
    """One conversation's state and outlets; `state` changes only by the table of states.py.

    Attributes:
        state: where the conversation is.
        out: bytes that the owner has not fetched yet.
        told: events that the owner has not been given yet.
        lines_sent: lines said so far, repetitions included.
        progress_at: when the firmware last showed that it gets on, or was given the first line.
    """

    __slots__ = ("lines_sent", "out", "progress_at", "state", "told")

    def __init__(self) -> None:
        self.state = State.CLOSED
        self.out = bytearray()
        self.told: list[events.Event] = []
        self.lines_sent = 0
        self.progress_at = 0.0

    def happens(self, happening: Happening) -> None:
        """Move on by one row of the table."""
        self.state = advance(self.state, happening)

    def say(self, data: bytes) -> None:
        """Have one line written to the port."""
        self.out += data
        self.lines_sent += 1

    def tell(self, event: events.Event) -> None:
        """Have the owner told."""
        self.told.append(event)

    def take_told(self) -> list[events.Event]:
        """Return what there is to tell, and forget it."""
        told, self.told = self.told, []
        return told

    def fail(self, reason: str) -> None:
        """Give up."""
        self.happens(Happening.GAVE_UP)
        self.tell(events.ConnectionFailed(reason))
