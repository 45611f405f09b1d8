"""What is done while nothing is heard: probes for lost lines and oks, polls for temperatures."""

from collections.abc import Mapping

from protocols.gcode import timing
from protocols.gcode.dialogue import Dialogue
from protocols.gcode.flight import Flight
from protocols.gcode.knowledge import Knowledge
from protocols.gcode.replies import Reading
from protocols.gcode.sending import Sender

# Without number: an own line in the numbering would have to be told and remembered each time.
_POLL = b"M105\n"


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
        if flight.sent:
            command = flight.lines[0].command
        elif flight.poll_behind is not None:
            command = "M105"
        else:
            return None
        return self._dialogue.progress_at + self._knowledge.patience_s(command)

    @property
    def may_poll(self) -> bool:
        """Whether a poll would be of use, and has room."""
        flight = self._flight
        return (
            flight.has_room
            and flight.poll_behind is None
            and not flight.waits_to_repeat
            and not self._works_long
            # Of two M105 under way, nobody could tell whose answer comes.
            and not any(flight.lines[i].command == "M105" for i in range(flight.sent))
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
        if self._works_long or (unexpected and self._flight.poll_behind is None):
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
            self._poll(now)

    def probe(self, now: float) -> None:
        """Say one more line, whose answer tells what became of those before it."""
        self._dialogue.progress_at = now
        self._flight.poll_behind = None
        self._dialogue.ask_packing()
        if self._flight.waits_to_repeat:
            self._sender.repeat_next(now)
        else:
            self._sender.say_own("M105", now)

    def _poll(self, now: float) -> None:
        flight = self._flight
        if not flight.sent:
            self._dialogue.progress_at = now
        flight.poll_behind = flight.next_number - 1
        self._dialogue.say_bare(_POLL)
        self._schedule_poll(now, timing.POLL_INTERVAL_S)
