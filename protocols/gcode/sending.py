"""What is said next while lines flow: repetitions, then own lines, then the owner's."""

from collections import deque

from protocols.gcode import events
from protocols.gcode.dialogue import Dialogue
from protocols.gcode.flight import Flight, Line
from protocols.gcode.states import State
from protocols.gcode.supply import Supply


class Sender:
    """Puts lines on the wire as far as the window reaches.

    Attributes:
        queue: what is not numbered yet: command, tag, and whether it is the connection's own.
        supply: where lines are taken from when there is room and nothing else to say.
    """

    def __init__(self, dialogue: Dialogue, flight: Flight) -> None:
        self.queue: deque[tuple[str, object, bool]] = deque()
        self.supply: Supply | None = None
        self._dialogue = dialogue
        self._flight = flight

    @property
    def room(self) -> bool:
        """Whether nothing has to be said before a new line of the owner's."""
        flight = self._flight
        return (
            flight.sent == len(flight.lines)
            and flight.has_room
            and not self.queue
            and self._dialogue.state is State.READY
        )

    def submit(self, command: str, tag: object, now: float, *, urgent: bool) -> None:
        """Say a command of the owner's, or queue it.

        Raises:
            InvalidLine: it can't be sent as a line.
        """
        flight, dialogue = self._flight, self._dialogue
        encode = dialogue.encode_urgent if urgent else dialogue.encode
        data = encode(flight.next_number, command)
        straight = urgent and dialogue.state is State.READY and not flight.waits_to_repeat
        if straight or (self.room and flight.fits(data)):
            self._put(Line(flight.next_number, data, command, tag, False), now)
        else:
            self.queue.append((command, tag, False))

    def pump(self, now: float) -> None:
        """Say what the window has room for."""
        flight, dialogue = self._flight, self._dialogue
        if self.queue or flight.sent < len(flight.lines):
            self._pump_waiting(now)
        supply = self.supply
        if supply is None or self.queue or dialogue.state is not State.READY:
            return
        while flight.has_room and not flight.waits_to_repeat:
            line = supply.line(flight.next_number)
            if line is None or not flight.fits(line.data):
                return
            supply.take()
            self._put(line, now)

    def _pump_waiting(self, now: float) -> None:
        """Say repetitions and what is in the queue, as far as there is room."""
        flight, dialogue = self._flight, self._dialogue
        while dialogue.state is State.READY and flight.has_room:
            if flight.waits_to_repeat:
                self.repeat_next(now)
            elif self.queue:
                command, tag, own = self.queue[0]
                data = dialogue.encode(flight.next_number, command)
                if not own and not flight.fits(data):
                    return
                self.queue.popleft()
                if own:
                    self.say_own(command, now)
                else:
                    self._put(Line(flight.next_number, data, command, tag, False), now)
            else:
                return

    def add_own(self, *commands: str) -> None:
        """Queue lines of the connection itself, before all of the owner's."""
        self.queue.extendleft((command, None, True) for command in reversed(commands))

    def drop_queued(self) -> None:
        """Forget what the owner submitted and is not numbered yet."""
        self.queue = deque(item for item in self.queue if item[2])

    def repeat_next(self, now: float) -> None:
        """Say the oldest line again that waits for it."""
        if not self._flight.sent:
            self._dialogue.progress_at = now
        self._dialogue.say(self._flight.repeat_next())

    def say_own(self, command: str, now: float) -> None:
        """Say a numbered line that is not the owner's."""
        number = self._flight.next_number
        data = self._dialogue.encode(number, command)
        self._dialogue.tell(events.OwnLine(number, command))
        self._put(Line(number, data, command, None, True), now)

    def forget(self) -> None:
        """Drop everything that is not numbered yet."""
        self.queue.clear()
        self.supply = None

    def _put(self, line: Line, now: float) -> None:
        """Put a new line on the wire."""
        flight, dialogue = self._flight, self._dialogue
        if not flight.sent:
            dialogue.progress_at = now
        flight.add(line)
        dialogue.out += line.data
        dialogue.lines_sent += 1
