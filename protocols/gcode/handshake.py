"""From an opened port to lines that may flow: life signs, numbering, identity, or adoption."""

from protocols.gcode import events, meatpack, replies, timing
from protocols.gcode.dialogue import Dialogue
from protocols.gcode.knowledge import Knowledge
from protocols.gcode.lines import encode
from protocols.gcode.states import Happening, State

STATES = frozenset({State.GREETING, State.SETTLING, State.IDENTIFYING, State.ASKING, State.ADOPTED})

_GREETING = b"\n" + encode(0, "M110 N0")
_COMMANDS = ("M110 N0", "M115", "M105")
# No print reaches this number, so that any firmware that counts refuses it; none executes it.
_QUESTION = encode(999_999_999, "M105")

FIRST_NUMBER = len(_COMMANDS)  # of the first line after the handshake

_LIFE_SIGNS = (replies.Ok, replies.Wait, replies.Busy, replies.Temperatures)
# They come by themselves, and without an end.
_UNASKED = (replies.Temperatures, replies.CardStatus)


class Handshake:
    """Talks until the two sides agree on a line number. One line is under way at a time.

    Where packing is wanted, the unpacker is reset ahead of everything else, for nobody knows what
    was said to it before; and it is switched on last, where it answers.
    """

    def __init__(self, dialogue: Dialogue, knowledge: Knowledge, *, packs: bool) -> None:
        self.timer: float | None = None
        self._dialogue = dialogue
        self._knowledge = knowledge
        self._tries = 0
        self._step = 0
        self._complained = False
        self._asked = 0
        self._numbers: list[int] = []  # of last lines, as told, oldest first
        self._uncounted = False
        self._opened_at = self._heard_at = 0.0
        self._packs = packs
        self._unpacker_heard = False
        self._switching = 0  # tries to switch packing on; 0: not now

    def open(self, now: float, *, adopt: bool) -> None:
        """The port has just been opened."""
        self._tries = 0
        if adopt:
            self._dialogue.happens(Happening.OPENED_TO_ADOPT)
            self._opened_at = self._heard_at = now
            self._begin_plain()
            self._ask(now)
        else:
            self._dialogue.happens(Happening.OPENED)
            self._greet(now)

    def begin_anew(self, now: float) -> None:
        """Number from 0 after all, whatever the firmware was at."""
        self._dialogue.happens(Happening.BEGINS_ANEW)
        self._tries = 0
        self._greet(now)

    def settle(self, happening: Happening, now: float) -> None:
        """Let the firmware finish speaking, then begin again with the numbering."""
        failed = happening in (Happening.REFUSED, Happening.SILENCE)
        self._tries = self._tries + 1 if failed else 0
        if self._tries > timing.HANDSHAKES_MAX:
            self._give_up("the handshake does not come to an end")
            return
        self._dialogue.happens(happening)
        if self._packs:
            self._begin_plain()
        self.timer = now + timing.SETTLED_AFTER_S

    def hear(self, reply: replies.Reply, now: float) -> None:
        """Take one reply, other than `start` and fatal errors."""
        state = self._dialogue.state
        self._heard_at = now
        if isinstance(reply, replies.Packing):
            self._unpacker_heard = True
        if self._switching:
            self._hear_switched(reply)
        elif state is State.GREETING:
            if isinstance(reply, _LIFE_SIGNS):
                self.settle(Happening.HEARD, now)
        elif state is State.SETTLING and not isinstance(reply, _UNASKED):
            self.timer = now + timing.SETTLED_AFTER_S
        elif state is State.IDENTIFYING:
            self._hear_answer(reply, now)
        elif state is State.ASKING:
            self._hear_number(reply, now)

    def expire(self, now: float) -> None:
        """Do what is due at `timer`."""
        self.timer = None
        if self._switching:
            self._switch_on(now)
            return
        match self._dialogue.state:
            case State.GREETING:
                self._tries += 1
                if self._tries >= timing.GREETINGS_MAX:
                    self._give_up("the printer does not answer")
                else:
                    self._greet(now)
            case State.SETTLING:
                self._dialogue.happens(Happening.QUIET)
                self._knowledge.values, self._knowledge.capabilities = {}, set()
                self._step, self._complained = 0, False
                self._say_step(now)
            case State.IDENTIFYING if self._step < len(_COMMANDS):
                self.settle(Happening.SILENCE, now)
            case State.IDENTIFYING:
                self._identified(now, ok_after_resend=False if self._complained else None)
            case State.ASKING:
                self._conclude(now)

    def _begin_plain(self) -> None:
        """Have lines read as they are. Half a line of a host that died may lie there."""
        self._switching = 0
        self._dialogue.switch_packing(False)
        self._dialogue.out += meatpack.SWITCH_OFF + b"\n" if self._packs else b"\n"

    def _greet(self, now: float) -> None:
        if self._packs:
            self._begin_plain()
        self._dialogue.say(_GREETING)
        self.timer = now + timing.GREETING_INTERVAL_S

    def _give_up(self, reason: str) -> None:
        self.timer = None
        self._dialogue.fail(reason)

    # ------------------------------------------------------------------ identity

    def _say_step(self, now: float) -> None:
        if self._step < len(_COMMANDS):
            self._dialogue.say(encode(self._step, _COMMANDS[self._step]))
        else:
            self._dialogue.say(_QUESTION)
        self.timer = now + timing.HANDSHAKE_ANSWER_S

    def _hear_answer(self, reply: replies.Reply, now: float) -> None:
        self._knowledge.hear(reply)
        if self._step == len(_COMMANDS):
            self._hear_complaint(reply, now)
            return
        match reply:
            case replies.Ok(readings=readings):
                if readings and _COMMANDS[self._step] == "M105":
                    self._knowledge.ok_tells_temperatures = True
                self._step += 1
                self._say_step(now)
            case replies.Resend() | replies.FirmwareError(replies.ErrorKind.TRANSMISSION):
                self.settle(Happening.REFUSED, now)
            case replies.Busy():
                self.timer = now + timing.HANDSHAKE_ANSWER_S

    def _hear_complaint(self, reply: replies.Reply, now: float) -> None:
        match reply:
            case replies.Resend():
                self._complained = True
                self.timer = now + timing.RESEND_OK_WAIT_S
            case replies.Ok() if self._complained:
                self._identified(now, ok_after_resend=True)
            case replies.Ok():
                # It does not count lines, or a stray one came first.
                self.timer = now + timing.SETTLED_AFTER_S

    def _identified(self, now: float, *, ok_after_resend: bool | None) -> None:
        self._knowledge.ok_after_resend = ok_after_resend
        self._knowledge.conclude()
        if self._packs and "MEATPACK" in self._knowledge.capabilities:
            self._switch_on(now)
        else:
            self._agreed()

    # ------------------------------------------------------------------ packing

    def _switch_on(self, now: float) -> None:
        """Nothing else is under way, so that what is said next finds the unpacker on or off."""
        if self._switching < timing.PACKING_TRIES_MAX:
            self._switching += 1
            self._dialogue.out += meatpack.SWITCH_ON
            self.timer = now + timing.PACKING_ANSWER_S
        else:
            self._begin_plain()
            self._dialogue.tell(events.Said("the firmware does not unpack: lines are said plain"))
            self._agreed()

    def _hear_switched(self, reply: replies.Reply) -> None:
        # Answers to questions of before may still come, and numbers do not change meanwhile.
        if reply == replies.Packing(on=True, spaces=True):
            self._switching = 0
            self._dialogue.switch_packing(True)
            self._agreed()

    def _agreed(self) -> None:
        """Both ways end here."""
        self.timer = None
        if self._dialogue.state is State.ASKING:
            self._answered(events.NumberFound(self._numbers[-1]))
        else:
            self._dialogue.happens(Happening.IDENTIFIED)

    # ------------------------------------------------------------------ adoption

    def _ask(self, now: float) -> None:
        self._asked += 1
        if self._packs and self._asked > 1:
            self._begin_plain()
        self._dialogue.say(_QUESTION)
        self.timer = now + timing.QUESTION_INTERVAL_S

    def _hear_number(self, reply: replies.Reply, now: float) -> None:
        self._knowledge.hear(reply)
        match reply:
            case replies.FirmwareError(last_line=int(number)):
                self._numbers.append(number)
            case replies.Resend(int(number)):
                self._numbers.append(number - 1)
            case replies.Ok(readings=readings) if readings:
                self._uncounted = True
        if (self._numbers or self._uncounted) and not isinstance(reply, _UNASKED):
            self.timer = now + timing.SETTLED_AFTER_S

    def _conclude(self, now: float) -> None:
        numbers = self._numbers
        if len(numbers) > 1 and numbers[-1] == numbers[-2]:
            self._found(numbers[-1], now)
        elif self._asked < timing.QUESTIONS_MAX and not self._uncounted:
            self._ask(now)
        elif numbers:
            self._answered(events.NumberUnknown(f"its answers contradict each other: {numbers}"))
        elif self._uncounted:
            self._answered(events.NumberUnknown("the firmware does not check line numbers"))
        elif now - self._heard_at >= timing.ADOPTION_SILENCE_S:
            self._give_up("the printer does not answer")
        elif now - self._opened_at >= timing.ADOPTION_S_MAX:
            self._answered(events.NumberUnknown("the firmware works and does not answer"))
        else:
            self.timer = now + timing.QUESTION_INTERVAL_S

    def _found(self, number: int, now: float) -> None:
        if number > 1 and self._packs and self._unpacker_heard:
            self._switch_on(now)
        elif number > 1:
            self._agreed()
        else:
            # It counts from the beginning: it restarted unheard.
            self._dialogue.tell(events.BoardReset(0))
            self.settle(Happening.RESET, now)

    def _answered(self, event: events.Event) -> None:
        self.timer = None
        self._dialogue.happens(Happening.ANSWERED)
        self._dialogue.tell(event)
