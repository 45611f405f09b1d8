"""Errors that a firmware reports and commands that it does not know: what each is taken for."""

from protocols.gcode import events, replies, timing
from protocols.gcode.dialogue import Dialogue
from protocols.gcode.flight import Flight
from protocols.gcode.repair import Repair
from protocols.gcode.replies import ErrorKind
from protocols.gcode.reply_parser import is_fatal


class ErrorsHeard:
    """Sorts errors into those of transmission, which are repaired, and those that people hear of.

    Attributes:
        timer: when `expire` is due, None for never.
    """

    def __init__(self, dialogue: Dialogue, flight: Flight, repair: Repair) -> None:
        self.timer: float | None = None
        self._doubtful = ""
        self._dialogue = dialogue
        self._flight = flight
        self._repair = repair

    def forget(self) -> None:
        """A new conversation begins, or a request to resend explained the last error."""
        self.timer = None

    def hear(self, error: replies.FirmwareError, now: float) -> str | None:
        """Take an error; returns why the firmware stopped itself, if it did by this."""
        whole = f"{self._doubtful} {error.text}"
        if error.kind is ErrorKind.TRANSMISSION:
            self._repair.on_error(error, now)
        elif error.kind is ErrorKind.STORAGE:
            self._dialogue.tell(events.Said(error.text))
        elif self.timer is not None and is_fatal(whole):
            return whole  # some say it in two lines
        else:
            # A complaint whose text was spoilt looks like this too; then a resend follows at once.
            self._doubtful, self.timer = error.text, now + timing.RESEND_OK_WAIT_S
        return None

    def hear_unknown(self, command: str, now: float) -> None:
        """The firmware did not understand a command, as it read it."""
        flight = self._flight
        sent = (flight.lines[i].command for i in range(flight.sent))
        if any(line.startswith(command) for line in sent):
            self._dialogue.tell(events.CommandUnknown(command))
        else:
            # What is left of a line whose head was lost on the way.
            self._repair.on_spoilt(now)

    def expire(self, now: float) -> None:
        """Nothing explained the last error: people hear of it."""
        if self.timer is not None and now >= self.timer:
            self.timer = None
            self._dialogue.tell(events.ErrorReported(self._doubtful))
