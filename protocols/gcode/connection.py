"""The host's side of the serial line, sans-IO: bytes and time in, events and bytes out.

The theory of operation is beside the table, in states.py.
"""

from protocols.gcode import events, replies, timing
from protocols.gcode.dialects import Dialect
from protocols.gcode.dialogue import Dialogue
from protocols.gcode.errors_heard import ErrorsHeard
from protocols.gcode.flight import Flight, Line
from protocols.gcode.flow import Flow
from protocols.gcode.handshake import FIRST_NUMBER, Handshake
from protocols.gcode.handshake import STATES as HANDSHAKE_STATES
from protocols.gcode.knowledge import Knowledge
from protocols.gcode.news import News
from protocols.gcode.repair import Repair
from protocols.gcode.replies import ErrorKind, Ok
from protocols.gcode.reply_parser import parse_reply
from protocols.gcode.sending import Sender
from protocols.gcode.silence import Silence
from protocols.gcode.states import Happening, State
from protocols.gcode.supply import Supply
from protocols.gcode.window import Window

_NEVER = float("inf")

_STREAMING = (State.READY, State.DRAINING)
_DEAF = (State.CLOSED, State.FAILED)
# What a host hears there is a banner, or meant for the host before it.
_UNHEEDED = (State.GREETING, State.SETTLING)


class Connection:
    """One conversation with one firmware. The owner moves bytes and tells the time (monotonic).

    Attributes:
        flow: the short way for bytes of which nothing comes but that a plate goes on; what it does
            not take is for `receive`.
        undisturbed: what was received last were oks at most: `deadline` became no earlier by it.
    """

    def __init__(
        self,
        *,
        window_lines_max: int = 1,
        window_bytes_max: int = timing.WINDOW_BYTES_MAX,
        window_lines: int | None = None,
        packs: bool = False,
    ) -> None:
        """Make one for one opened port.

        Args:
            window_lines_max: at most so many lines unaccepted, whatever the firmware allows.
            window_bytes_max: at most so many bytes unaccepted (but always one line): what the
                board's receive buffer holds.
            window_lines: what the owner knows that the board takes; None: it is found out.
            packs: lines are said packed where the firmware unpacks (meatpack.py).
        """
        self._dialogue = Dialogue()
        self._knowledge = Knowledge()
        self._window = Window(window_lines_max, window_bytes_max, lines_known=window_lines)
        self._flight = Flight(self._window, self._knowledge)
        self._handshake = Handshake(self._dialogue, self._knowledge, packs=packs)
        self._repair = Repair(self._dialogue, self._knowledge, self._flight, self._window)
        self._errors = ErrorsHeard(self._dialogue, self._flight, self._repair)
        self._sender = Sender(self._dialogue, self._flight)
        self._silence = Silence(self._dialogue, self._knowledge, self._flight, self._sender)
        self._news = News(self._dialogue, self._knowledge, self._silence)
        self.flow = Flow(
            self._dialogue, self._knowledge, self._flight, self._repair, self._sender, self._news
        )
        self.undisturbed = False
        self._wake_at: float | None = None

    # ------------------------------------------------------------------ what is known

    @property
    def state(self) -> State:
        """Where the conversation is."""
        return self._dialogue.state

    @property
    def dialect(self) -> Dialect:
        """The firmware's ways, UNKNOWN before it told them."""
        return self._knowledge.dialect

    @property
    def lines_sent(self) -> int:
        """Lines said so far, repetitions included."""
        return self._dialogue.lines_sent

    @property
    def resends(self) -> int:
        """Repetitions that the firmware asked for."""
        return self._repair.resends

    @property
    def next_number(self) -> int:
        """Number that the next line will have, if nothing waits in the queue."""
        return self._flight.next_number

    @property
    def lines_under_way(self) -> int:
        """Lines written and not accepted yet."""
        return self._flight.sent

    @property
    def planner_free(self) -> int | None:
        """Free planner blocks as last told (ADVANCED_OK's P), None where it does not tell."""
        return self._knowledge.planner_free

    @property
    def window_lines(self) -> int:
        """Lines that may be unaccepted at once, now."""
        return self._window.lines

    @property
    def room(self) -> bool:
        """Whether a line submitted now goes out at once, unless it is longer than what is free."""
        return self._sender.room

    @property
    def deadline(self) -> float | None:
        """When `expire` must be called at the latest, None for never."""
        state = self._dialogue.state
        if state in HANDSHAKE_STATES:
            return self._handshake.timer
        if state not in _STREAMING:
            return None
        due = self._silence.due if state is State.READY else _NEVER
        for at in (self._repair.timer, self._wake_at, self._errors.timer):
            if at is not None and at < due:
                due = at
        return due if due < _NEVER else None

    # ------------------------------------------------------------------ what the owner does

    def open(self, now: float, *, adopt: bool = False) -> None:
        """Begin; the port has just been opened.

        Args:
            now: monotonic seconds, here and everywhere.
            adopt: the firmware may be in the middle of a print: say nothing that resets its
                numbering, and tell its number by NumberFound.
        """
        self._handshake.open(now, adopt=adopt)

    def go_on(self, next_number: int, now: float) -> None:
        """Adopt: say lines from this number on. Ready comes with `expire`, which is due at once."""
        self._dialogue.happens(Happening.GOES_ON)
        self._start_streaming(next_number, now)
        # Oks of lines that another host sent may still come; none of them looks like an M105's.
        self._knowledge.ok_tells_temperatures = True
        self._sender.add_own("M105", "M115")
        self._wake_at = now

    def begin_anew(self, now: float) -> None:
        """Do not adopt: reset the numbering, as for a port opened the ordinary way."""
        self._handshake.begin_anew(now)

    def submit(
        self, command: str, now: float, *, tag: object = None, urgent: bool = False
    ) -> list[events.Event]:
        """Send a command, or queue it until the window has room.

        Args:
            command: as `strip_comment` leaves it.
            now: monotonic seconds.
            tag: comes back with the events.Accepted event.
            urgent: for what a firmware reads ahead of its queue, like M108: overtakes the queue
                and the window.

        Returns:
            what there is to tell before the bytes go out, as `receive` does.

        Raises:
            InvalidLine: it can't be sent as a line.
            RuntimeError: not READY: the owner did not wait for the event.
        """
        state = self._dialogue.state
        if state not in _STREAMING:
            raise RuntimeError(f"nothing can be submitted while {state}")
        self._sender.submit(command, tag, now, urgent=urgent)
        return self._dialogue.take_told() if self._dialogue.told else []

    def drop_queued(self) -> None:
        """Forget what was submitted and not yet numbered."""
        self._sender.drop_queued()

    def take_from(self, supply: Supply, now: float) -> None:
        """Take lines from a supply from now on, whenever nothing else is to be said.

        What is accepted of them is counted there, and told by no event.
        """
        supply.encode_with(self._dialogue.encode)
        self._sender.supply = supply
        self._sender.pump(now)

    def take_no_more(self) -> None:
        """Say what was submitted only."""
        self._sender.supply = None

    def halt(self, reason: str) -> list[events.Event]:
        """Stop the machine at once (M112), past every queue; it is deaf until it is reset."""
        if self._dialogue.state not in (*_DEAF, State.HALTED):
            self._halt(reason)
            # For a firmware that hears nothing without a number.
            self._dialogue.out += self._dialogue.encode_urgent(self._flight.next_number, "M112")
        return self._dialogue.take_told()

    def outbound(self) -> bytes:
        """Return what is to be written to the port, and forget it."""
        out = self._dialogue.out
        data = bytes(out)
        out.clear()
        return data

    @property
    def parting(self) -> bytes:
        """What to write before an open port is closed, so that the next host is understood."""
        return self._dialogue.parting

    def receive(self, data: bytes, now: float) -> list[events.Event]:
        """Take bytes from the port; returns what they mean, in order."""
        if self.flow.tail:
            data = self.flow.tail + data
        lines = data.split(b"\n")
        tail = lines.pop()
        self.flow.tail = tail if len(tail) <= timing.TAIL_BYTES_MAX else b""
        flight, smooth = self._flight, self._is_smooth
        only_oks = True
        for line in lines:
            reply = parse_reply(line)
            bare = smooth and reply is replies.PLAIN_OK and flight.sent
            if bare and flight.lines[0].command != "M105":
                # What nearly every line of a print is answered with, on the shortest way.
                self._accepted(flight.accept_oldest(), now)
            else:
                self._reply(reply, now)
                smooth = self._is_smooth
                only_oks = only_oks and type(reply) is Ok
        self.undisturbed = only_oks and not self._repair.attentive
        self._sender.pump(now)
        return self._dialogue.take_told()

    def expire(self, now: float) -> list[events.Event]:
        """Do what is due; call it at `deadline` or later."""
        state = self._dialogue.state
        if state in HANDSHAKE_STATES:
            if self._handshake.timer is not None and now >= self._handshake.timer:
                self._handshake.expire(now)
                self._begin_if_ready(now)
        elif state in _STREAMING:
            self._expire_streaming(now)
        return self._dialogue.take_told()

    @property
    def _is_smooth(self) -> bool:
        """Whether a bare ok accepts the oldest line, and that is all there is to it."""
        return (
            self._flight.expects_bare_oks
            and not self._repair.attentive
            and self._dialogue.state is State.READY
        )

    def _accepted(self, line: Line, now: float) -> None:
        dialogue = self._dialogue
        dialogue.progress_at = now
        tag = line.tag
        if line.own:
            self._own_accepted(line.command)
        elif line.reported:
            pass
        elif type(tag) is Supply:
            tag.accepted += 1
        else:
            dialogue.told.append(events.Accepted(line.number, tag))
        if self._news.attention:
            self._news.attend(False)

    # ------------------------------------------------------------------ time

    def _expire_streaming(self, now: float) -> None:
        if self._wake_at is not None and now >= self._wake_at:
            self._wake_at = None
            self._sender.pump(now)
            self._dialogue.tell(events.Ready(*self._knowledge.identity()))
        self._errors.expire(now)
        repair = self._repair
        if repair.timer is not None and now >= repair.timer and repair.expire(now):
            self._silence.probe(now)
        if self._dialogue.state is State.READY:
            self._silence.expire(now)
        self._sender.pump(now)

    # ------------------------------------------------------------------ replies

    def _reply(self, reply: replies.Reply, now: float) -> None:
        state = self._dialogue.state
        if state is State.READY and type(reply) is Ok:
            self._on_ok(reply, now)
        elif state in _DEAF:
            return
        elif isinstance(reply, replies.Start):
            self._started(now)
        elif isinstance(reply, replies.FirmwareError) and reply.kind is ErrorKind.FATAL:
            self._halt(reply.text)
        elif state in HANDSHAKE_STATES:
            self._handshake.hear(reply, now)
            if state not in _UNHEEDED:
                self._news.pass_on(reply, now)
            self._begin_if_ready(now)
        elif state in _STREAMING:
            self._converse(reply, now)

    def _converse(self, reply: replies.Reply, now: float) -> None:
        match reply:
            case Ok():
                self._on_ok(reply, now)
            case replies.Resend(number):
                self._errors.forget()
                if self._repair.on_resend(number, now):
                    self._started(now)  # its `start` went lost
            case replies.FirmwareError():
                if fatal := self._errors.hear(reply, now):
                    self._halt(fatal)
            case replies.UnknownCommand(command):
                self._errors.hear_unknown(command, now)
            case replies.Wait():
                self._silence.wait_heard(now)
            case replies.Packing(on):
                self._dialogue.packing_heard(on)
            case _:
                self._knowledge.hear(reply)
                self._news.pass_on(reply, now)

    def _on_ok(self, ok: Ok, now: float) -> None:
        attentive = self._repair.attentive
        if attentive and self._repair.swallows(ok, now):
            return
        if ok.readings is not None or ok.position is not None:
            self._news.pass_on(ok, now)
        flight = self._flight
        accepted = flight.accept(ok) or self._silence.poll_passed(ok)
        if not accepted:
            return  # a stray one
        if ok.buffer_free is not None:
            self._window.learn(ok.buffer_free, flight.sent)
            self._knowledge.planner_free = ok.planner_free
        for line in accepted:
            self._accepted(line, now)
        if attentive:
            self._repair.on_accepted(accepted[-1].number)

    def _own_accepted(self, command: str) -> None:
        if command == "M115":
            self._knowledge.conclude()
            self._identified(events.Identified(*self._knowledge.identity()))

    # ------------------------------------------------------------------ begin and end

    def _begin_if_ready(self, now: float) -> None:
        if self._dialogue.state is not State.READY:
            return
        self._start_streaming(FIRST_NUMBER, now)
        self._identified(events.Ready(*self._knowledge.identity()))
        self._sender.pump(now)

    def _identified(self, event: events.Event) -> None:
        self._window.begin(self.dialect.window_lines)
        self._dialogue.tell(event)
        self._sender.add_own(*self._knowledge.autoreports)

    def _start_streaming(self, next_number: int, now: float) -> None:
        self._flight.begin(next_number)
        self._repair.forget()
        self._sender.forget()
        self._silence.forget(now)
        self._errors.forget()
        self._wake_at = None

    def _started(self, now: float) -> None:
        was = self._dialogue.state
        self._handshake.settle(Happening.RESET, now)
        self._news.attention = False
        if was not in _UNHEEDED and was is not State.IDENTIFYING:
            self._dialogue.tell(events.BoardReset(self._flight.last_accepted))
        self._start_streaming(0, now)

    def _halt(self, reason: str) -> None:
        if self._dialogue.state is State.HALTED:
            return
        self._dialogue.happens(Happening.FATAL)
        self._sender.queue.clear()
        # A killed firmware is deaf to it; another must stop. Half a line may lie before it.
        self._dialogue.end_line()
        self._dialogue.say_urgent(b"M112\n")
        self._dialogue.tell(events.Halted(reason))
