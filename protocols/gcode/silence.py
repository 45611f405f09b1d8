"""What is done while nothing is heard: probes for lost lines and oks, polls for temperatures."""

from collections.abc import Mapping

from protocols.gcode import timing
from protocols.gcode.dialogue import Dialogue
from protocols.gcode.flight import Flight, Line
from protocols.gcode.knowledge import Knowledge
from protocols.gcode.replies import Ok, Reading
from protocols.gcode.sending import Sender

# With number and checksum, like every line: a flipped bit would make it M107, and turn the fan off.
_POLL = "M105"


class Silence:
    """Two clocks: of answers to lines, and of temperatures."""

    def __init__(
        self, dialogue: Dialogue, knowledge: Knowledge, flight: Flight, sender: Sender
    ) -> None:
        self.poll_at = 0.0
        self._probes = 0
        self._probed_behind = 0  # last line accepted when the last probe was sent
        self._dialogue = dialogue
        self._knowledge = knowledge
        self._flight = flight
        self._sender = sender

    def forget(self, now: float) -> None:
        """A new conversation begins."""
        self._probes = 0
        self._dialogue.progress_at = now
        self._schedule_poll(now, timing.POLL_INTERVAL_S)

    @property
    def due(self) -> float:
        """When `expire` must be called at the latest, infinity for never."""
        too_long_at = self.too_long_at
        if too_long_at is None:
            too_long_at = float("inf")
        if self.poll_at < too_long_at and self.may_poll:
            return self.poll_at
        return too_long_at

    @property
    def too_long_at(self) -> float | None:
        """When the silence will have lasted too long, None while no answer is due."""
        flight = self._flight
        if not flight.sent:
            return None
        return self._dialogue.progress_at + self._knowledge.patience_s(flight.lines[0].command)

    @property
    def may_poll(self) -> bool:
        """Whether a poll would be of use, now or as soon as there is room."""
        flight = self._flight
        return (
            not flight.waits_to_repeat
            and not self._works_long
            and not any(own and command == _POLL for command, _, own in self._sender.queue)
            # Of two M105 under way, nobody could tell whose answer comes.
            and not any(flight.lines[i].command == _POLL for i in range(flight.sent))
        )

    @property
    def _works_long(self) -> bool:
        flight = self._flight
        return flight.sent > 0 and timing.is_long(flight.lines[0].command, self._knowledge.dialect)

    def temperatures_heard(
        self, readings: Mapping[str, Reading], now: float, *, asked: bool
    ) -> None:
        """Readings came.

        While a command heats, they also show that it gets on. So they do when nobody asked for
        them and nothing makes the firmware report by itself: somebody heats at its panel.
        """
        unexpected = not asked and not self._knowledge.reports_temperatures
        if self._works_long or unexpected:
            self._dialogue.progress_at = now
        hot = any(reading.target_celsius for reading in readings.values())
        self._schedule_poll(now, timing.POLL_INTERVAL_HOT_S if hot else timing.POLL_INTERVAL_S)

    def _schedule_poll(self, now: float, interval_s: float) -> None:
        if self._knowledge.reports_temperatures:
            interval_s = timing.AUTOREPORT_LOST_AFTER_S
        self.poll_at = now + interval_s

    def wait_heard(self, now: float) -> None:
        """It idles: what has been outstanding for a while never arrived, or its ok did not."""
        if self._flight.sent and now - self._dialogue.progress_at > timing.WAIT_MEANS_LOSS_S:
            self.probe(now)

    def expire(self, now: float) -> None:
        """Probe and poll where due."""
        too_long_at = self.too_long_at
        if too_long_at is not None and now >= too_long_at:
            if self._flight.last_accepted != self._probed_behind:
                self._probed_behind, self._probes = self._flight.last_accepted, 0
            self._probes += 1
            if self._probes > timing.PROBES_MAX:
                self._dialogue.fail("the printer has stopped answering")
                return
            self.probe(now)
        if self.may_poll and now >= self.poll_at:
            self._sender.add_own(_POLL)
            self._schedule_poll(now, timing.POLL_INTERVAL_S)

    def poll_passed(self, ok: Ok) -> list[Line]:
        """Return the poll that an ok without temperatures passes over; none if it does not.

        Its own answer was lost, or this ok was doubled; whichever it is, no later line is accepted
        too early, since the answer, should it still come, accepts nothing without a poll.
        """
        flight = self._flight
        passed = ok.bare and flight.sent > 1 and not self._knowledge.ok_tells_numbers
        if not (passed and flight.lines[0].own and flight.lines[0].command == _POLL):
            return []
        return [flight.accept_oldest()]

    def probe(self, now: float) -> None:
        """Say one more line, whose answer tells what became of those before it."""
        self._dialogue.progress_at = now
        self._dialogue.ask_packing()
        if self._flight.waits_to_repeat:
            self._sender.repeat_next(now)
        else:
            self._sender.say_own(_POLL, now)
