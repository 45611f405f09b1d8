"""How fan, speed and flow stand on a printer that is fed line by line.

Theory. Known is what was said: lines of the plate up to where it is, and lines of others between
them; and what the firmware told, which knows of its own panel too. What was last, by the place in
the plate and the line's number, counts. What nobody said or told stays unknown.
"""

import time
from dataclasses import dataclass
from math import inf

from agent.printers.plate_run import PlateRun
from protocols.gcode.dialects import Dialect
from protocols.gcode.lines import parse
from protocols.gcode.tuning import FAN_FULL, Knob, asks, told_in, turned_by
from protocols.wire.vocabulary import Tuning

# Somebody may have turned a knob at the printer. Two lines in a minute cost a print nothing.
ASK_INTERVAL_S = 30.0

_BEFORE_THE_PLATE = (0, 0)
_QUESTIONS = {"M220": Knob.SPEED, "M221": Knob.FLOW}


@dataclass(frozen=True, slots=True)
class _Held:
    """A value, and when it came: commands of the plate before it, and its line's number."""

    since: tuple[int, float]
    value: float | None


class Turned:
    """One printer's."""

    def __init__(self) -> None:
        """Know nothing."""
        self._held: dict[Knob, _Held] = {}
        self._asked: dict[Knob, tuple[int, float]] = {}
        self._silent: set[Knob] = set()
        self._plate: PlateRun | None = None
        self._ask_at_s = 0.0

    def begin(self, run: PlateRun) -> None:
        """A plate begins, or is taken up; what was known before stays until it says otherwise."""
        known = {knob: value for knob in Knob if (value := self._value(knob)) is not None}
        self._held = {knob: _Held(_BEFORE_THE_PLATE, value) for knob, value in known.items()}
        self._asked = {}
        self._plate = run

    def forget(self) -> None:
        """The firmware has begun anew, or nobody knows whether it has."""
        self._held, self._asked, self._silent, self._plate = {}, {}, set(), None
        self._ask_at_s = 0.0

    def said(self, text: str, number: int, position: int | None = None) -> None:
        """Take a line that is not the plate's.

        Args:
            position: how many commands of the plate came before it; None: as many as were said.
        """
        command = parse(text)
        if command is None:
            return
        since = (self._taken if position is None else position, number)
        if asks(command):
            self._asked[_QUESTIONS[command.name]] = since
        elif (turned := turned_by(command)) is not None:
            self._hold(turned[0], _Held(since, turned[1]))

    def heard(self, text: str) -> bool:
        """Take what the firmware told; returns whether it was about this."""
        told = told_in(text)
        if told is None:
            return False
        knob, value = told
        # The answer to a question is as old as that.
        self._hold(knob, _Held(self._asked.pop(knob, (self._done, inf)), value))
        return True

    def questions(self, dialect: Dialect) -> tuple[str, ...]:
        """Return what is to be asked now; what the firmware did not answer before is not."""
        now_s = time.monotonic()
        if now_s < self._ask_at_s:
            return ()
        self._ask_at_s = now_s + ASK_INTERVAL_S
        self._silent |= self._asked.keys()
        return tuple(
            each for each in dialect.tuning_questions if _QUESTIONS[each] not in self._silent
        )

    def now(self, dialect: Dialect) -> Tuning:
        """Return how it stands; may be asked for from another thread."""
        fan, speed, flow = (self._value(knob) for knob in Knob)
        if fan is not None:
            fan = fan if dialect.fan_by_ratio and fan <= 1 else fan / FAN_FULL
        return Tuning(
            fan_ratio=None if fan is None else round(min(max(fan, 0.0), 1.0), 3),
            speed_ratio=None if speed is None else round(speed / 100, 3),
            flow_ratio=None if flow is None else round(flow / 100, 3),
        )

    @property
    def _taken(self) -> int:
        return self._plate.taken if self._plate is not None else 0

    @property
    def _done(self) -> int:
        return self._plate.accepted if self._plate is not None else 0

    def _hold(self, knob: Knob, held: _Held) -> None:
        known = self._held.get(knob)
        if known is None or known.since <= held.since:
            self._held[knob] = held

    def _value(self, knob: Knob) -> float | None:
        held, run = self._held.get(knob), self._plate
        if run is not None:
            turned = run.survey.turnings.of(knob).before(run.accepted)
            # What comes after as many commands of the plate comes after the last of them too.
            if turned is not None and (held is None or turned[0] > held.since[0]):
                position, value = turned
                return value if value is not None else self._before(knob, position)
        return held.value if held is not None else None

    def _before(self, knob: Knob, position: int) -> float | None:
        """Return what it was before the plate turned it back to that."""
        held = self._held.get(knob)
        return held.value if held is not None and held.since[0] <= position else None
