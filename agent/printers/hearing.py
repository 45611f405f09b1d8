"""What a firmware says, turned into what is seen of it and what the run makes of it."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from agent.core.observation import RunState
from agent.printers.feed import Feed
from agent.printers.panel import Panel
from agent.printers.streaming import Streaming
from agent.printers.transcript import Spoken, Transcript
from protocols.gcode import events
from protocols.wire.vocabulary import Temperature

EVIDENCE_LINES = 60
EVIDENCE_BYTES_MAX = 4096  # it goes into a report, and into the coordinator's history
QUOTES_MAX = 200  # a firmware may answer with all its settings
TALK_MAX = 200  # of a busy line the transcript holds a second or two


class Question:
    """A single command, and what the firmware says while it is under way.

    Attributes:
        answered: done when the command was accepted, cancelled when the port is gone.
    """

    def __init__(self) -> None:
        """Belong to the running loop."""
        self.quotes: list[str] = []
        self.answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def quote(self, text: str) -> None:
        """Note what the firmware said."""
        if len(self.quotes) < QUOTES_MAX:
            self.quotes.append(text)


class Hearing:
    """Listens to one printer.

    Attributes:
        readings: heater -> last reading, the last of them at `read_at_s`.
        firmware: its own name, empty until it told.
        message: what is wrong with the printer, for a person; empty when all is well.
        attention: it waits for a person.
        connected: lines could be said since the port was opened.
        question: the single command that is under way, None while none is.
        talk: what people said and were told, oldest first; longer ago than the transcript knows.
    """

    def __init__(
        self,
        streaming: Streaming,
        panel: Panel,
        transcript: Transcript,
        log: Any,
        *,
        quick_stop: bool,
        on_error: str,
        errand: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        """Listen on behalf of a run's streaming, and of what is begun at the printer's panel."""
        self.readings: dict[str, Temperature] = {}
        self.read_at_s: float | None = None
        self.firmware = ""
        self.message = "not connected yet"
        self.attention = self.connected = False
        self.question: Question | None = None
        self.talk: deque[Spoken] = deque(maxlen=TALK_MAX)
        self._streaming = streaming
        self._panel = panel
        self._feed: Feed = streaming.feed
        self._transcript = transcript
        self._log = log
        self._quick_stop = quick_stop
        self._on_error = on_error
        self._errand = errand
        streaming.readings = self.readings
        streaming.evidence = self.evidence

    def handle(self, event: events.Event) -> None:
        """Take anything but the acceptance of the plate's own lines."""
        streaming = self._streaming
        self._panel.hear(event)
        match event:
            case events.Accepted(_, Panel() as panel):
                panel.answered()
            case events.Accepted(_, Question() as question):
                self._panel.touched()
                if not question.answered.done():
                    question.answered.set_result(None)
            case events.Accepted(_, tag):
                streaming.accepted(tag)
            case events.OwnLine(number, command):
                if (run := streaming.active) is not None:
                    run.record.note_own(number, command)
            case events.TemperaturesReported(readings):
                self.read_at_s = asyncio.get_running_loop().time()
                for name, value in readings.items():
                    self.readings[name] = Temperature(value.actual_celsius, value.target_celsius)
            case events.PositionReported(axes):
                streaming.place = axes
                if not self._panel.asking:
                    self._quote(" ".join(f"{axis}{value:g}" for axis, value in axes.items()))
            case events.Said(text):
                # What was asked by nobody but us is no talk.
                if not self._feed.turned.heard(text) or self.question is not None:
                    self._quote(text)
                if "invalid extruder" in text.lower():
                    self._end_by(f"the printer lacks a tool of the plate: {text}", "pause")
            case events.CommandUnknown(text) if not self._panel.asking:
                self._quote(f"unknown command: {text}")
            case events.Ready() | events.Identified():
                self._is_ready(event)
            case events.NumberFound(number):
                streaming.number_found(number)
            case events.NumberUnknown(reason):
                streaming.number_unknown(reason)
            case events.CardFileOpened(text) if text:
                self._quote(f"file opened: {text}")
            case events.CardFileDone():
                self._quote("done printing file")
            case (
                events.LineRepeated()
                | events.CommandUnknown()
                | events.CardTold()
                | events.CardFileOpened()
            ):
                pass
            case _:
                self._trouble(event)

    def lost(self, reason: str) -> None:
        """The port is gone; a run waits for it."""
        run = self._streaming.active
        self.message = reason if run is None else f"{reason}; the print waits at {run.where()}"
        self.attention = self.connected = False
        self._panel.lost()
        if self.question is not None:
            self.question.answered.cancel()

    def evidence(self) -> list[str]:
        """Return the end of the dialogue, times in seconds before now."""
        last = self._transcript.spoken()[-EVIDENCE_LINES:]
        now_s = asyncio.get_running_loop().time()
        return Transcript.written(last, until_s=now_s, bytes_max=EVIDENCE_BYTES_MAX)

    def note(self, way: str, text: str) -> None:
        """Note what somebody said (`>`) or was told (`<`)."""
        self.talk.append(Spoken(asyncio.get_running_loop().time(), way, text))

    def _quote(self, text: str) -> None:
        self.note("<", text)
        if self.question is not None:
            self.question.quote(text)

    def _is_ready(self, event: events.Ready | events.Identified) -> None:
        self.firmware = event.firmware.get("FIRMWARE_NAME", self.firmware)
        if isinstance(event, events.Ready):
            self.message, self.connected = "", True
            self._panel.ready(event)
        self._log.info("printer.connected", dialect=event.dialect.name, firmware=self.firmware)

    def _trouble(self, event: events.Event) -> None:
        match event:
            case events.AttentionChanged(needed):
                self.attention = needed
                self.message = "the printer waits for somebody to attend to it" if needed else ""
            case events.ActionRequested(name, argument):
                self._log.info("printer.asked", action=name, argument=argument)
                self.note("<", f"//action:{name} {argument}".strip())
                self._asked(name, argument)
            case events.ErrorReported(text):
                self.note("<", text)
                self._log.warning("printer.complained", text=text, dialogue=self.evidence())
                self.message = text
                self._end_by(f"the printer reported: {text}", self._on_error)
            case events.BoardReset():
                self.message = "the board restarted"
                self._feed.turned.forget()
                self._break_off("the printer restarted by itself")
            case events.Halted(reason):
                self.note("<", reason)
                self.message = f"{reason}: reset the printer"
                self._break_off(reason)
                self._streaming.make_safe = False
            case events.ConnectionFailed(reason):
                if self._feed.link is not None:
                    self._feed.link.lose(reason)

    def _end_by(self, reason: str, policy: str) -> None:
        """Do with a run what a setting says: "pause", "stop" or "ignore"."""
        if policy == "pause":
            self._feed.hold(reason)
        elif policy == "stop":
            self._streaming.stop(reason, quick=self._quick_stop)

    def _break_off(self, reason: str) -> None:
        if self._streaming.unsettled:
            self._log.error("printer.dialogue", reason=reason, lines=self.evidence())
        self._streaming.break_off(reason)

    def _asked(self, action: str, argument: str) -> None:
        """Do what the printer asks of its host; what is not known here is only logged."""
        run = self._streaming.active
        match action:
            case "pause" | "paused" | "out_of_filament":
                self._feed.hold("paused at the printer" + (argument and f": {argument}"))
            case "resume" | "resumed" if run is not None and run.state is RunState.PAUSED:
                self._errand(self._streaming.go_on())
            case "cancel":
                self._streaming.stop("cancelled at the printer", quick=self._quick_stop)
            case "notification" | "prompt_begin" | "prompt_text" if argument:
                self._streaming.remark = argument
            case "prompt_end":
                self._streaming.remark = ""
