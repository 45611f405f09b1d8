"""What the parts of a connection share: its state, what it has to say, what it has to tell."""

from protocols.gcode import events, meatpack, timing
from protocols.gcode.lines import encode
from protocols.gcode.states import Happening, State, advance


class Dialogue:
    """One conversation's state and outlets; `state` changes only by the table of states.py.

    Attributes:
        state: where the conversation is.
        out: bytes that the owner has not fetched yet.
        told: events that the owner has not been given yet.
        lines_sent: lines said so far, repetitions included.
        progress_at: when the firmware last showed that it gets on, or was given the first line.
        encode: number and command -> the bytes that carry them, packed where that is agreed.
        encode_urgent: the same for what a firmware looks for ahead of its queue.
        packed: lines are said packed (meatpack.py).
    """

    __slots__ = (
        "_offs", "encode", "encode_urgent", "lines_sent", "out", "packed", "progress_at", "state",
        "told",
    )  # fmt: skip

    def __init__(self) -> None:
        self.state = State.CLOSED
        self.out = bytearray()
        self.told: list[events.Event] = []
        self.lines_sent = 0
        self.progress_at = 0.0
        self.switch_packing(False)

    def happens(self, happening: Happening) -> None:
        """Move on by one row of the table."""
        self.state = advance(self.state, happening)

    def say(self, data: bytes) -> None:
        """Have one line written to the port."""
        self.out += data
        self.lines_sent += 1

    def say_urgent(self, line: bytes) -> None:
        """Have a line without number written that a firmware looks for ahead of its queue."""
        self.say(meatpack.unpacked(line) if self.packed else line)

    def end_line(self) -> None:
        """End what may be left of a line in the firmware's buffer."""
        self.out += meatpack.LINE_END if self.packed else b"\n"

    def switch_packing(self, packed: bool) -> None:
        """Say lines packed from now on, or as they are; the firmware has agreed."""
        self.packed = packed
        self.encode = meatpack.encode_packed if packed else encode
        self.encode_urgent = meatpack.encode_unpacked if packed else encode
        self._offs = 0

    @property
    def parting(self) -> bytes:
        """What has lines read as they are again."""
        return meatpack.SWITCH_OFF + b"\n" if self.packed else b""

    def ask_packing(self) -> None:
        """Ask whether the firmware still unpacks, since it is silent."""
        if self.packed:
            self.out += meatpack.ASK

    def packing_heard(self, on: bool) -> None:
        """The firmware told whether it unpacks: off for a moment beside an urgent line, or lost."""
        self._offs = 0 if on or not self.packed else self._offs + 1
        if self._offs > timing.PACKING_OFF_MAX:
            # Nothing that was said since can be trusted: ask its number, from the very beginning.
            self.fail("the printer does not unpack what it is sent any more")
        elif self._offs:
            self.ask_packing()

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
