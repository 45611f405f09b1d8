"""Refused lines and lost answers: what to repeat, what to wait for, when to give up.

Replies come in the order of lines, but for one thing: a complaint overtakes the oks of lines that
were received before and are not executed yet. So a complaint about n says nothing of the lines
before n, and the lines sent behind n can only bring further complaints about n.
"""

from protocols.gcode import events, replies, timing
from protocols.gcode.dialogue import Dialogue
from protocols.gcode.flight import Flight
from protocols.gcode.knowledge import Knowledge
from protocols.gcode.states import Happening, State
from protocols.gcode.window import Window


class Repair:
    """Decides about complaints and silence.

    Attributes:
        timer: when `expire` is due, None for never.
        attentive: a complaint is being dealt with: every ok and every acceptance is shown here.
        resends: repetitions that the firmware asked for.
    """

    def __init__(
        self, dialogue: Dialogue, knowledge: Knowledge, flight: Flight, window: Window
    ) -> None:
        self.timer: float | None = None
        self.attentive = False
        self.resends = 0
        self._dialogue = dialogue
        self._knowledge = knowledge
        self._flight = flight
        self._window = window
        self._last_line: int | None = None  # as the complaint under way names it
        self._complaint_open = False  # no request to resend has followed yet
        self._ok_owed = False  # the complaint before may be ended by an ok
        self._echoes = 0  # complaints still to come about a line that is being repeated
        self._repeated: int | None = None  # first number of the last repetition
        self._target: int | None = None  # while draining: from where to repeat
        self._repairs = 0  # since the last calm stretch
        self._refusals = 0  # of the same number in a row

    def forget(self) -> None:
        """A new conversation begins."""
        self.timer = self._last_line = self._repeated = self._target = None
        self._ok_owed = self._complaint_open = self.attentive = False
        self._echoes = self._repairs = self._refusals = 0

    def swallows(self, ok: replies.Ok, now: float) -> bool:
        """Whether this ok ends a complaint, so that it accepts nothing."""
        if ok.number is not None or ok.readings:
            return False
        if self._complaint_open and self._knowledge.ok_after_resend:
            self.on_resend(None, now)  # the request between was unreadable
        if not self._ok_owed:
            return False
        self._ok_owed = False
        if self._dialogue.state is State.DRAINING:
            self._knowledge.ok_after_resend = True
            self.timer = now + timing.DRAINED_AFTER_S
        return True

    def on_error(self, error: replies.FirmwareError, now: float) -> None:
        """A complaint begins; nearly always a request to resend ends it."""
        self._look_back()
        self._last_line = error.last_line
        self._complaint_open = self.attentive = True
        self._suspect(now)

    def on_resend(self, number: int | None, now: float) -> bool:
        """A request to resend; returns whether the board counts from the beginning again."""
        self._look_back()
        last, self._last_line, self._complaint_open = self._last_line, None, False
        self.attentive = True
        named = [number, None if last is None else last + 1]
        flight = self._flight
        if named == [1, 1] and flight.last_accepted > 1:
            return True
        self._ok_owed = self._knowledge.ok_after_resend is not False
        plausible = [n for n in named if n is not None and flight.plausible(n)]
        # An impossible number ends nothing: the oldest line will bring a better answer.
        oldest = flight.lines[0].number if flight.lines else flight.next_number
        target = min(plausible, default=oldest)
        if self._dialogue.state is State.DRAINING:
            self._drain(target, now)
        elif target >= flight.sent_end:
            # For a line that is not under way: an earlier one arrived twice.
            self._echoes = max(0, self._echoes - 1)
        elif self._echoes and target == self._repeated:
            self._echoes -= 1
            self._suspect(now)
        elif self._knowledge.ok_after_resend is None or self._repairs >= timing.REPAIRS_ON_END_MAX:
            self._drain(target, now)
        else:
            self._go_back(target)
        return False

    def on_spoilt(self, now: float) -> None:
        """The firmware took the rest of a spoilt line for a command: its ok accepts nothing."""
        self._ok_owed = self.attentive = True
        self._suspect(now)

    def on_accepted(self, number: int) -> None:
        """Lines up to this one were accepted."""
        if self._repeated is not None:
            if number < self._repeated:
                return
            # Its ok came after all complaints that its first saying had caused.
            self._echoes = self._refusals = 0
            if self._dialogue.state is State.READY:
                self.timer = None
        self.attentive = self._ok_owed or self._complaint_open

    def expire(self, now: float) -> bool:
        """Do what is due at `timer`; returns whether a probe is called for."""
        self.timer = None
        if self._dialogue.state is State.DRAINING:
            self._drained()
            return False
        # Whatever was under way has arrived by now: the next complaint is a new one.
        self._echoes = 0
        self._ok_owed = self._complaint_open = False
        return self._flight.sent > 0

    def _look_back(self) -> None:
        """Forget earlier repairs where a calm stretch lies behind them."""
        repeated = self._repeated
        if repeated is not None and self._flight.last_accepted >= repeated + timing.CALM_LINES:
            self._repairs = 0
            self._repeated = None

    def _suspect(self, now: float) -> None:
        if self._dialogue.state is State.READY:
            self.timer = now + timing.SUSPICION_S

    def _drain(self, target: int, now: float) -> None:
        if self._dialogue.state is State.READY:
            self._dialogue.happens(Happening.REFUSED)
        self._target = target if self._target is None else min(target, self._target)
        self.timer = now + timing.RESEND_OK_WAIT_S

    def _drained(self) -> None:
        if self._ok_owed and self._knowledge.ok_after_resend is None:
            self._knowledge.ok_after_resend = False
        self._ok_owed = False
        self._dialogue.happens(Happening.DRAINED)
        target, self._target = self._target, None
        assert target is not None
        if target < self._flight.sent_end:
            self._dialogue.end_line()
            self._go_back(target)
            self._echoes = 0
            self._repairs = 0

    def _go_back(self, number: int) -> None:
        flight = self._flight
        since = number - self._repeated if self._repeated is not None else timing.CALM_LINES
        self._refusals = self._refusals + 1 if number == self._repeated else 1
        if self._refusals > timing.REFUSALS_MAX:
            self._dialogue.fail(
                f"line {number} was refused {self._refusals} times: check cable and interference"
            )
            return
        self._echoes = flight.sent_end - number - 1
        flight.go_back(number)
        self._window.shrink(since)
        self._repeated = number
        self._repairs += 1
        self.resends += 1
        self.timer = None
        self._dialogue.tell(events.LineRepeated(number))
