"""The order in which lines go onto a connection: what the driver has to say, then the plate.

Nothing is submitted before the connection has room for it, so that each line's number is known, and
written down where it is not the plate's, before its bytes leave.
"""

from collections import deque
from collections.abc import Callable, Iterable

from agent.printers.plate_run import Mark, PlateRun
from agent.printers.serial_link import SerialLink
from agent.printers.turned import Turned
from protocols.gcode.connection import Connection
from protocols.gcode.events import Event
from protocols.gcode.shorten import shorten
from protocols.gcode.states import State
from protocols.gcode.supply import BURST_LINES

# What a firmware holds at least, a planner of 8 blocks and 3 lines before it, lasts so long at
# 1,300 moves/s. Where the plate's own moves are known to take longer, so may a rest.
REST_S_SURE = 0.008
REST_S_MAX = 0.03
PLANNED_LINES = 32


class Feed:
    """Feeds one connection at a time.

    Attributes:
        connection: the present one, or the last.
        link: what moves its bytes, None while there is no port.
        run: the plate, if there is one.
        turned: how fan, speed and flow stand.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        now: Callable[[], float],
        tell: Callable[[list[Event]], object],
        shortens: bool = False,
    ) -> None:
        """Feed a connection that is not open yet.

        Args:
            connection: the first.
            now: tells the monotonic time.
            tell: takes what the connection tells when it is spoken to.
            shortens: the plate's lines are said in as few bytes as the firmware can read.
        """
        self.connection = connection
        self.link: SerialLink | None = None
        self.run: PlateRun | None = None
        self.turned = Turned()
        self._now = now
        self._tell = tell
        self._shortens = shortens
        self._own: deque[tuple[str, object]] = deque()

    @property
    def open(self) -> bool:
        """Whether lines can be said."""
        streaming = self.connection.state in (State.READY, State.DRAINING)
        return self.link is not None and streaming

    @property
    def rest_s_max(self) -> float:
        """How long a full firmware has to do at least; 0: there is something to do for us."""
        run = self.run
        if run is None or not run.supply.open or run.supply.dry or self._own:
            return 0.0
        eleven_s = run.survey.eleven_s(run.taken - PLANNED_LINES, run.taken + 2 * BURST_LINES)
        return min(max(eleven_s, REST_S_SURE), REST_S_MAX)

    def worded(self, command: str) -> str:
        """Return a command of the plate as it is put to the present firmware."""
        if not self._shortens:
            return command
        return shorten(command, glued=self.connection.dialect.reads_glued_words)

    def attach(self, connection: Connection) -> None:
        """Feed another connection from now on; what was waiting to be said is forgotten."""
        self.connection = connection
        self._own.clear()
        if self.run is None or not self.run.active:
            self.turned.forget()  # whether the board began anew is not known

    def go_on(self, next_number: int) -> None:
        """Adopt the firmware's numbering."""
        self._own.clear()
        self.connection.go_on(next_number, self._now())
        self.flush()

    def begin_anew(self) -> None:
        """Let the firmware count from the beginning."""
        self._own.clear()
        self.turned.forget()
        if self.connection.state is State.ADOPTED:
            self.connection.begin_anew(self._now())
            self.flush()

    def say(self, *commands: str, tag: object = None) -> None:
        """Have commands said before the plate goes on; the tag is the last one's."""
        self._own.extend((command, None) for command in commands[:-1])
        self._own.append((commands[-1], tag))
        self.connection.take_no_more()

    def pump_and_flush(self) -> None:
        """Submit what there is room for, and write it."""
        self.pump(self._now())
        self.flush()

    def flush(self) -> None:
        """Write what was submitted."""
        if self.link is not None:
            self.link.flush()

    def pump(self, now: float) -> None:
        """Submit what there is room for; `now` is monotonic."""
        run = self.run
        while self._say_waiting() and run is not None and run.feeding:
            if not self.open:
                return
            self.connection.take_from(run.supply, now)
            if not run.supply.dry:
                return
            if run.taken == run.pause_at:
                self.hold(run.pass_pause())
            else:
                self._finish(run)

    def _say_waiting(self) -> bool:
        """Submit what comes before the plate; returns whether all of it was."""
        while self._own:
            if not (self.connection.room and self._say_own(*self._own[0])):
                return False
            self._own.popleft()
        return True

    def say_now(self, command: str, tag: object) -> bool:
        """Submit what a firmware reads ahead of its queue; False: not now."""
        return self._say_own(command, tag, urgent=True)

    def _say_own(self, command: str, tag: object, *, urgent: bool = False) -> bool:
        """Submit a line that is not the plate's; False: it does not fit now."""
        connection, run = self.connection, self.run
        number = connection.next_number
        if told := connection.submit(command, self._now(), tag=tag, urgent=urgent):
            self._tell(told)
        if connection.next_number == number:
            # Queued, it would get a number that nobody here knows in time.
            connection.drop_queued()
            return False
        if run is not None and run.active:
            run.record.note_own(number, command)
        self.turned.said(command, number)
        return True

    def hold(self, reason: str) -> None:
        """Feed no further; PAUSED is accepted once motion has ended."""
        run = self.run
        if run is None or not run.active or run.record.stopping is not None:
            return
        if run.record.paused is None or run.record.resuming:
            run.feeding = False
            run.reason = reason
            run.record.note_paused(reason)
            if self.open:
                self.ask_where()

    def ask_where(self) -> None:
        """Have the head stand still and tell where: a pause has begun."""
        self.say("M400")
        self.say("M114", tag=Mark.PAUSED)

    def end(self, heaters_off: Iterable[str], *, quick: bool) -> None:
        """Say no further line of the plate; heat and motors go off, then STOPPED is accepted."""
        self._own.clear()
        self.connection.drop_queued()
        # M108 ends a wait for heat, else it does nothing.
        for command in ("M108", "M410") if quick else ("M108",):
            if told := self.connection.submit(command, self._now(), urgent=True):
                self._tell(told)
        self.say(*heaters_off)
        self.say("M84", tag=Mark.STOPPED)

    def _finish(self, run: PlateRun) -> None:
        run.feeding = False
        # The M105 after it tells by its own kind of ok that the barrier really passed.
        self.say("M400", tag=Mark.BARRIER)
        self.say("M105", tag=Mark.FINISHED)
