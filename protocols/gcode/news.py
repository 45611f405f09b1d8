"""What a firmware says beside answering lines, passed on to the owner."""

from collections.abc import Mapping

from protocols.gcode import events, replies
from protocols.gcode.dialogue import Dialogue
from protocols.gcode.knowledge import Knowledge
from protocols.gcode.replies import Ok
from protocols.gcode.silence import Silence


class News:
    """Tells of temperatures, positions, requests, words, and whether a person is needed.

    Attributes:
        attention: the firmware waits for a person.
    """

    def __init__(self, dialogue: Dialogue, knowledge: Knowledge, silence: Silence) -> None:
        self.attention = False
        self._dialogue = dialogue
        self._knowledge = knowledge
        self._silence = silence

    def pass_on(self, reply: replies.Reply, now: float) -> None:
        """Tell the owner what is in a reply, if anything is."""
        tell = self._dialogue.tell
        match reply:
            case replies.Temperatures(readings) | Ok(readings=Mapping() as readings):
                self._silence.temperatures_heard(readings, now, asked=isinstance(reply, Ok))
                tell(events.TemperaturesReported(self._knowledge.completed(readings)))
            case replies.Busy(kind):
                self._dialogue.progress_at = now
                self.attend(kind.needs_person)
            case replies.ActionCommand(name, argument):
                tell(events.ActionRequested(name, argument))
            case replies.Position(axes) | Ok(position=Mapping() as axes):
                tell(events.PositionReported(axes))
            case replies.CardStatus(printing, byte, size):
                tell(events.CardTold(printing, byte, size))
            case replies.CardFile(name):
                tell(events.CardFileOpened(name))
            case replies.CardDone():
                tell(events.CardFileDone())
            case replies.Echo(text) | replies.Unrecognised(text) if text:
                tell(events.Said(text))

    def attend(self, needed: bool) -> None:
        """Tell when a person begins or ceases to be needed."""
        if needed is not self.attention:
            self.attention = needed
            self._dialogue.tell(events.AttentionChanged(needed))
