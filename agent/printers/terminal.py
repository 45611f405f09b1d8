"""What operators say to a printer, and what they see of the dialogue.

A line that is said while a plate prints stands between two of its lines, with a number of its own
that is written down first: so recovery stays exact. What may be said is decided by one table
(`protocols.gcode.interjections`).
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Any

from agent.errors import DriverUnavailable, NotPossible
from agent.printers.feed import Feed
from agent.printers.hearing import Hearing, Question
from agent.printers.streaming import Streaming
from agent.printers.transcript import Spoken, Transcript
from protocols.errors import InvalidLine
from protocols.gcode.interjections import objection
from protocols.gcode.lines import Command, encode, parse, strip_comment
from protocols.wire.vocabulary import PrinterState

COMMANDS = frozenset({"send", "dialogue", "emergency_stop"})

SEND_TIMEOUT_S = 55.0  # less than an agent gives a command: so the answer says what it waits for
LINES_SHOWN = 60
LINES_MAX = 500
SHOWN_BYTES_MAX = 32_768
STOPPED_BY_HAND = "somebody stopped the machine at once (M112)"
_LONGEST_NUMBER = 999_999_999

# Read by a firmware ahead of its queue; it may be waiting for just that.
_URGENT = frozenset({"M108", "M410", "M876"})

_NUMBER = re.compile(r"N(\d+) ")
_CHATTER = re.compile(
    r"""<[ ]( ok( [ ]N?\d.*)?$          # nothing but the acceptance of a line
          | (ok[ ])?T\d?:             # temperatures
          | (echo:[ ]?)?busy:[ ]?processing
          | (Not[ ])?SD[ ]printing | Not[ ]currently[ ]playing
          | FR:\d+% | (echo:)?E0[ ]Flow: | Speed[ ]factor | Flow[ ]rate
          | wait$ )
      | >[ ]( (N\d+[ ])?((M105|M155|M27)\b | M22[01](\*|$)) )""",
    re.VERBOSE,
)


class Terminal:
    """One printer's."""

    def __init__(
        self,
        streaming: Streaming,
        hearing: Hearing,
        transcript: Transcript,
        *,
        state: Callable[[], PrinterState],
        foreign: Callable[[], bool],
        tell: Callable[[list[Any]], object],
    ) -> None:
        """Speak through a run's streaming.

        Args:
            streaming: knows the run and its feed.
            hearing: hears the answers.
            transcript: of the dialogue.
            state: what the printer is seen doing.
            foreign: whether it prints what nobody here began.
            tell: takes what the connection tells when it is spoken to.
        """
        self._streaming = streaming
        self._feed: Feed = streaming.feed
        self._hearing = hearing
        self._transcript = transcript
        self._state = state
        self._foreign = foreign
        self._tell = tell

    async def command(self, name: str, arguments: Mapping[str, Any]) -> str:
        """Do one of `COMMANDS`.

        `send` says one `line` of G-code and returns what the printer answered, `within_s`; with
        `force` also what a paused plate would not bear while it prints. `dialogue` returns the
        last `lines`; `show` is "talk" (what people say and are told) or "all". `emergency_stop`
        says M112.

        Raises:
            NotPossible: with the reason.
            DriverUnavailable: no connection, or it was lost before the answer.
        """
        match name:
            case "dialogue":
                lines = arguments.get("lines", LINES_SHOWN)
                return self.dialogue(str(arguments.get("show", "talk")), lines=lines)
            case "send":
                line = strip_comment(str(arguments.get("line", "")))
                within_s = arguments.get("within_s")
                if not isinstance(within_s, int | float):
                    within_s = SEND_TIMEOUT_S
                force = arguments.get("force") is True
                return await self._send(line, force=force, within_s=within_s)
            case "emergency_stop":
                return self._emergency_stop()
        raise NotPossible(f"{name!r} is no command for this printer")

    # ------------------------------------------------------------------ what is shown

    def dialogue(self, show: str, *, lines: object = LINES_SHOWN) -> str:
        """Return the last lines: seconds before now, direction, text."""
        if show not in ("talk", "all"):
            raise NotPossible(f"show is 'talk' or 'all', not {show!r}")
        if isinstance(lines, bool) or not isinstance(lines, int) or not 0 < lines <= LINES_MAX:
            raise NotPossible(f"lines is a number up to {LINES_MAX}, not {lines!r}")
        spoken = self._transcript.spoken()
        if show == "talk":
            begin_s = spoken[0].at_s if spoken else float("inf")
            earlier = [line for line in self._hearing.talk if line.at_s < begin_s]
            spoken = [*earlier, *(line for line in spoken if self._is_talk(line))]
        now_s = asyncio.get_running_loop().time()
        shown = Transcript.written(spoken[-lines:], until_s=now_s, bytes_max=SHOWN_BYTES_MAX)
        return "\n".join(shown)

    def _is_talk(self, line: Spoken) -> bool:
        if _CHATTER.match(f"{line.way} {line.text}") or not line.text:
            return False
        run = self._feed.run
        numbered = _NUMBER.match(line.text) if line.way == ">" else None
        return run is None or numbered is None or not run.record.may_be_plates(int(numbered[1]))

    # ------------------------------------------------------------------ what is said

    async def _send(self, line: str, *, force: bool, within_s: float) -> str:
        command = parse(line)
        if command is None:
            raise NotPossible(f"{line!r} is no G-code")
        if command.name == "M112":
            return self._emergency_stop()
        try:
            encode(_LONGEST_NUMBER, line)
        except InvalidLine as problem:
            raise NotPossible(str(problem)) from problem
        self._must_admit(command, force=force)
        hearing = self._hearing
        if hearing.question is not None:
            raise NotPossible("another command is under way")
        question = hearing.question = Question()
        try:
            self._say(line, command, question)
            async with asyncio.timeout(within_s):
                await asyncio.wait((question.answered,))
        except TimeoutError:
            raise NotPossible(
                f"no answer to {line} within {within_s:.0f} s; it may still be carried out"
            ) from None
        finally:
            hearing.question = None
        if question.answered.cancelled():
            raise DriverUnavailable(hearing.message)
        return self._answer(command, question)

    def _say(self, line: str, command: Command, question: Question) -> None:
        self._hearing.note(">", line)
        if command.name in _URGENT:
            if not self._feed.say_now(line, question):
                raise NotPossible("lines are being repeated; say it again in a moment")
            self._feed.flush()
        else:
            self._feed.say(line, tag=question)
            self._feed.pump_and_flush()

    def _must_admit(self, command: Command, *, force: bool) -> None:
        state = self._state()
        if not self._feed.open or state is PrinterState.OFFLINE:
            raise DriverUnavailable(self._hearing.message or f"the printer is {state}")
        if self._hearing.attention and command.name in _URGENT:
            return  # it waits for just that
        run = self._streaming.active
        paused = state is PrinterState.PAUSED
        if run is not None and run.record.stopping is not None:
            raise NotPossible("the run is being stopped")
        foreign = self._foreign()
        printing = foreign or (run is not None and not (paused and force))
        if why := objection(command, printing=printing):
            can_be_forced = not (force or foreign) and not objection(command, printing=False)
            more = "; while it is paused it can be forced" if can_be_forced else ""
            raise NotPossible(f"{command.name}: {why}{more}")

    def _answer(self, command: Command, question: Question) -> str:
        if command.name != "M105":
            return "\n".join(question.quotes)
        readings = sorted(self._hearing.readings.items())
        return " ".join(
            f"{name} {value.actual_celsius:g}"
            + (f"/{value.target_celsius:g}" if value.target_celsius is not None else "")
            for name, value in readings
        )

    def _emergency_stop(self) -> str:
        """Say M112 past every queue, whatever is going on; the run has failed."""
        feed = self._feed
        if feed.link is None:
            raise DriverUnavailable(f"{self._hearing.message}: use its power switch")
        told = feed.connection.halt(STOPPED_BY_HAND)
        feed.flush()
        self._tell(told)
        return "M112 was said; reset the printer before anything else"
