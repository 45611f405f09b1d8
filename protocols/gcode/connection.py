"""The host's side of the serial line, sans-IO: bytes and time in, events and bytes out.

The theory of operation is beside the table, in states.py.
"""

from collections import deque
from collections.abc import Mapping

from protocols.gcode import events, replies, timing
from protocols.gcode.dialects import MARLIN, Dialect, dialect_of
from protocols.gcode.flight import Flight
from protocols.gcode.lines import encode
from protocols.gcode.states import Happening, State, advance

_GREETING = b"\n" + encode(0, "M110 N0")


class Connection:
    """One conversation with one firmware. The owner moves bytes and tells the time (monotonic)."""

    def __init__(self, *, window_lines_max: int = 1) -> None:
        self.state = State.CLOSED
        self.dialect: Dialect = MARLIN
        self.lines_sent = 0
        self.resends = 0
        self._flight = Flight(window_lines_max)
        self._queue: deque[tuple[str, object, bool]] = deque()
        self._out = bytearray()
        self._tail = b""
        self._events: list[events.Event] = []
        self._timer: float | None = None  # of greeting, settling, draining
        self._progress_at = 0.0
        self._tries = 0
        self._probes = 0
        self._refusals = (0, 0)
        self._swallow_ok = False
        self._last_line: int | None = None
        self._repeat_from: int | None = None
        self._doubtful: tuple[str, float] | None = None
        self._firmware: dict[str, str] = {}
        self._capabilities: set[str] = set()
        self._busy_seen = False
        self._attention = False
        self._poll_at = 0.0

    def open(self, now: float) -> None:
        """Begin the handshake; the port has just been opened."""
        self._move(Happening.OPENED)
        self._tries = 0
        self._greet(now)

    @property
    def room(self) -> bool:
        """Whether a line submitted now goes out at once."""
        return self.state is State.READY and not self._queue and self._flight.has_room

    @property
    def deadline(self) -> float | None:
        """When `expire` must be called at the latest, None for never."""
        times = [] if self._timer is None else [self._timer]
        if self._doubtful is not None:
            times.append(self._doubtful[1])
        if self.state in (State.READY, State.IDENTIFYING):
            if self._flight.sent:
                times.append(self._progress_at + self._patience_s())
            if self.state is State.READY and not self._asks_temperatures():
                times.append(self._poll_at)
        return min(times, default=None)

    def submit(self, command: str, now: float, *, tag: object = None, urgent: bool = False) -> None:
        """Send a command, or queue it until the window has room. `urgent` overtakes all of that.

        Args:
            command: as `strip_comment` leaves it.
            tag: comes back with the events.Accepted event.
            urgent: for what a firmware reads ahead of its queue, like M108.

        Raises:
            InvalidLine: it can't be sent as a line.
            RuntimeError: not READY: the owner did not wait for the event.
        """
        if self.state not in (State.READY, State.DRAINING):
            raise RuntimeError(f"nothing can be submitted while {self.state}")
        if urgent and self.state is State.READY and not self._flight.waits_to_repeat:
            self._send(command, tag, own=False)
            return
        encode(self._flight.next_number, command)
        self._queue.append((command, tag, False))
        self._pump(now)

    def drop_queued(self) -> None:
        """Forget what was submitted and not yet numbered."""
        self._queue.clear()

    def outbound(self) -> bytes:
        """Return what is to be written to the port, and forget it."""
        data = bytes(self._out)
        self._out.clear()
        return data

    def receive(self, data: bytes, now: float) -> list[events.Event]:
        """Take bytes from the port; returns what they mean, in order."""
        if self._tail:
            data = self._tail + data
        *lines, self._tail = data.split(b"\n")
        if len(self._tail) > timing.TAIL_BYTES_MAX:
            self._tail = b""
        for line in lines:
            self._reply(replies.parse_reply(line), now)
        self._pump(now)
        return self._take_events()

    def expire(self, now: float) -> list[events.Event]:
        """Do what is due; call it at `deadline` or later."""
        if self._doubtful is not None and now >= self._doubtful[1]:
            self._tell(events.ErrorReported(self._doubtful[0]))
            self._doubtful = None
        if self._timer is not None and now >= self._timer:
            self._timer = None
            self._on_timer(now)
        elif self._flight.sent and now >= self._progress_at + self._patience_s():
            if self.state is State.IDENTIFYING:
                self._settle(Happening.SILENCE, now)
            elif self.state is State.READY:
                self._probe(now)
        if self.state is State.READY and now >= self._poll_at and not self._asks_temperatures():
            self._queue.appendleft(("M105", None, True))
            self._schedule_poll(now)
        self._pump(now)
        return self._take_events()

    def _greet(self, now: float) -> None:
        self._out += _GREETING
        self._timer = now + timing.GREETING_INTERVAL_S

    def _settle(self, happening: Happening, now: float) -> None:
        self._tries += 1
        if self._tries > timing.HANDSHAKES_MAX and happening in (
            Happening.REFUSED,
            Happening.SILENCE,
        ):
            self._fail("the handshake does not come to an end")
            return
        self._move(happening)
        self._flight.restart()
        self._queue.clear()
        self._swallow_ok, self._doubtful = False, None
        self._timer = now + timing.SETTLED_AFTER_S

    def _identify(self, now: float) -> None:
        self._move(Happening.QUIET)
        self._firmware, self._capabilities = {}, set()
        self._flight.restart()
        self._queue.extend((c, None, True) for c in ("M110 N0", "M115", "M105"))
        self._progress_at = now

    def _identified(self, now: float) -> None:
        self._move(Happening.IDENTIFIED)
        self._flight.forget_history()
        self._tries = self._probes = 0
        self.dialect = dialect_of(self._firmware.get("FIRMWARE_NAME", ""))
        if "AUTOREPORT_TEMP" in self._capabilities:
            self._queue.append(("M155 S2", None, True))
        self._schedule_poll(now)
        self._tell(events.Ready(dict(self._firmware), frozenset(self._capabilities), self.dialect))

    def _on_timer(self, now: float) -> None:
        if self.state is State.GREETING:
            self._tries += 1
            if self._tries >= timing.GREETINGS_MAX:
                self._fail("the printer does not answer")
            else:
                self._greet(now)
        elif self.state is State.SETTLING:
            self._identify(now)
        elif self.state is State.DRAINING:
            self._drained(now)

    def _reply(self, reply: replies.Reply, now: float) -> None:
        state = self.state
        if isinstance(reply, replies.Start) and state not in (State.CLOSED, State.FAILED):
            self._started(now)
        elif isinstance(reply, replies.FirmwareError) and reply.kind is replies.ErrorKind.FATAL:
            self._halt(reply.text)
        elif state is State.GREETING:
            if isinstance(reply, replies.Ok | replies.Wait | replies.Busy | replies.Temperatures):
                self._tries = 0
                self._settle(Happening.HEARD, now)
        elif state is State.SETTLING:
            self._timer = now + timing.SETTLED_AFTER_S
        elif state in (State.IDENTIFYING, State.READY, State.DRAINING):
            self._converse(reply, now)

    def _converse(self, reply: replies.Reply, now: float) -> None:
        match reply:
            case replies.Ok():
                self._on_ok(reply, now)
            case replies.Resend(number):
                self._on_resend(number, now)
            case replies.FirmwareError():
                self._on_error(reply, now)
            case replies.Temperatures(readings):
                self._on_temperatures(readings, now)
            case replies.Busy(kind):
                self._busy_seen = True
                self._progress_at = now
                self._attend(kind.needs_person)
            case replies.FirmwareInfo(values):
                self._firmware.update(values)
            case replies.Capability(name, enabled):
                if enabled:
                    self._capabilities.add(name)
            case replies.ActionCommand(name, argument):
                self._tell(events.ActionRequested(name, argument))
            case replies.Position(axes):
                self._tell(events.PositionReported(axes))
            case replies.UnknownCommand(command):
                self._on_unknown(command, now)
            case replies.Echo(text) | replies.Unrecognised(text):
                if text:
                    self._tell(events.Said(text))

    def _on_ok(self, ok: replies.Ok, now: float) -> None:
        if self._swallow_ok and ok.number is None:
            # It ends the complaint before it. The next complaint may be under way.
            self._swallow_ok = False
            self._timer = now + timing.DRAINED_AFTER_S
            return
        if ok is not replies.PLAIN_OK:
            if ok.readings:
                self._on_temperatures(ok.readings, now)
            if ok.position:
                self._tell(events.PositionReported(ok.position))
        accepted = self._flight.accept(ok)
        if not accepted:
            return  # a stray one
        self._progress_at = now
        self._probes = 0
        if self._attention:
            self._attend(False)
        for line in accepted:
            if not line.own and not line.reported:
                self._tell(events.Accepted(line.number, line.tag))
        if self.state is State.IDENTIFYING and not self._queue and not self._flight.lines:
            self._identified(now)

    def _on_resend(self, number: int | None, now: float) -> None:
        if self.state is State.IDENTIFYING:
            self._settle(Happening.REFUSED, now)
            return
        self._doubtful = None
        named = [number, None if self._last_line is None else self._last_line + 1]
        if named == [1, 1] and self._flight.last_accepted > 1:
            self._started(now)  # it counts from the beginning: its `start` went lost
            return
        plausible = [n for n in named if n is not None and self._flight.plausible(n)]
        self._begin_drain(now)
        if plausible:
            earlier = plausible if self._repeat_from is None else [*plausible, self._repeat_from]
            self._repeat_from = min(earlier)

    def _on_error(self, error: replies.FirmwareError, now: float) -> None:
        if error.kind is replies.ErrorKind.TRANSMISSION:
            if self.state is State.IDENTIFYING:
                self._settle(Happening.REFUSED, now)
                return
            self._last_line = error.last_line
            self._begin_drain(now)
        elif error.kind is replies.ErrorKind.STORAGE:
            self._tell(events.Said(error.text))
        else:
            # A complaint whose text was spoilt looks like this too; then a resend follows at once.
            self._doubtful = (error.text, now + timing.RESEND_OK_WAIT_S)

    def _on_temperatures(self, readings: Mapping[str, replies.Reading], now: float) -> None:
        self._schedule_poll(now)
        if self._flight.sent and timing.is_long(self._flight.lines[0].command, self.dialect):
            self._progress_at = now
        self._tell(events.TemperaturesReported(readings))

    def _on_unknown(self, command: str, now: float) -> None:
        sent = (self._flight.lines[i].command for i in range(self._flight.sent))
        if self.state is State.READY and not any(c.startswith(command) for c in sent):
            # The tail of a line whose head was lost on the way: its ok must not count.
            self._begin_drain(now)
            return
        self._tell(events.CommandUnknown(command))

    def _started(self, now: float) -> None:
        was = self.state
        last = self._flight.last_accepted
        self._settle(Happening.RESET, now)
        self._attention = False
        if was in (State.READY, State.DRAINING, State.HALTED):
            self._tell(events.BoardReset(last))

    def _begin_drain(self, now: float) -> None:
        if self.state is State.READY:
            self._move(Happening.REFUSED)
            self._repeat_from = None
        self._swallow_ok = True
        self._timer = now + timing.RESEND_OK_WAIT_S

    def _drained(self, now: float) -> None:
        self._swallow_ok = False
        self._move(Happening.DRAINED)
        self._progress_at = now
        self._probes = 0
        target, self._repeat_from, self._last_line = self._repeat_from, None, None
        if target is None and not self._flight.lines:
            return
        number = self._flight.go_back(target)
        if number == self._flight.next_number:
            return
        count = self._refusals[1] + 1 if self._refusals[0] == number else 1
        self._refusals = (number, count)
        if count > timing.REFUSALS_MAX:
            self._fail(f"line {number} was refused {count} times: check cable and interference")
            return
        self.resends += 1
        self._tell(events.LineRepeated(number))

    def _probe(self, now: float) -> None:
        self._probes += 1
        if self._probes > timing.PROBES_MAX:
            self._fail("the printer has stopped answering")
            return
        self._progress_at = now
        if self._flight.waits_to_repeat:
            self._out += self._flight.repeat_next()
            self.lines_sent += 1
        else:
            self._send("M105", None, own=True)

    def _patience_s(self) -> float:
        keepalive = self._busy_seen or "BUSY_PROTOCOL" in self._capabilities
        return timing.patience_s(self._flight.lines[0].command, self.dialect, keepalive=keepalive)

    def _pump(self, now: float) -> None:
        if self.state not in (State.READY, State.IDENTIFYING):
            return
        flight = self._flight
        while flight.has_room:
            if not flight.sent:
                self._progress_at = now
            if flight.waits_to_repeat:
                self._out += flight.repeat_next()
                self.lines_sent += 1
            elif self._queue:
                command, tag, own = self._queue.popleft()
                self._send(command, tag, own=own)
            else:
                return

    def _send(self, command: str, tag: object, *, own: bool) -> None:
        self._out += self._flight.send(command, tag=tag, own=own)
        self.lines_sent += 1

    def _asks_temperatures(self) -> bool:
        return any(line.command == "M105" for line in self._flight.lines) or any(
            command == "M105" for command, _, _ in self._queue
        )

    def _schedule_poll(self, now: float) -> None:
        autoreport = "AUTOREPORT_TEMP" in self._capabilities
        self._poll_at = now + (
            timing.AUTOREPORT_LOST_AFTER_S if autoreport else timing.POLL_INTERVAL_S
        )

    def _attend(self, needed: bool) -> None:
        if needed is not self._attention:
            self._attention = needed
            self._tell(events.AttentionChanged(needed))

    def _halt(self, reason: str) -> None:
        if self.state in (State.CLOSED, State.FAILED, State.HALTED):
            return
        self._move(Happening.FATAL)
        self._forget()
        self._out += b"M112\n"  # a killed firmware is deaf to it; one that is not must stop
        self._tell(events.Halted(reason))

    def _fail(self, reason: str) -> None:
        self._move(Happening.GAVE_UP)
        self._forget()
        self._tell(events.ConnectionFailed(reason))

    def _tell(self, event: events.Event) -> None:
        self._events.append(event)

    def _forget(self) -> None:
        self._timer = self._doubtful = None
        self._queue.clear()

    def _take_events(self) -> list[events.Event]:
        told, self._events = self._events, []
        return told

    def _move(self, happening: Happening) -> None:
        self.state = advance(self.state, happening)
