"""Whether a printer prints what its host did not begin: from its own card, or for another host.

Theory. A firmware with a card is asked (M27), or tells by itself (M27 S): `SD printing byte a/b` is
believed at once, since whoever doubts it may start a second print; that it has ended is believed
after `DENIALS_MIN` denials in a row, or when it says that the file is done. A firmware that can't
say is judged by evidence: with a hot nozzle that nobody here asked for, its place (M114) is looked
at, and a head that moved between two looks, and again, prints for somebody. Such a print ends once
the nozzle is cold. Somebody who preheats and jogs at the panel looks the same, and is taken for a
print: a bed that is declared clear once too often costs less than a print on a print.

Pure: what to ask comes out, what was heard goes in. Only a host with no run of its own may ask.
"""

from collections.abc import Mapping

from protocols.gcode import events, timing

DENIALS_MIN = 3  # some forks deny once between two files, or while they heat
HOT_CELSIUS = 150.0  # nothing is printed colder
MOVES_MIN = 2
LOOKS_MIN = MOVES_MIN + 1
COLD_FOR_S = 10.0
# A move that an operator asked for may go on so long on firmwares that tell where the head is now.
TOUCHED_FOR_S = 60.0

_PLACE = "M114"
# Whoever stands at the panel may just have begun, or ended, something.
_STIRRING = frozenset({"start", "pause", "paused", "resume", "resumed", "cancel", "sd_inserted"})


class Elsewhere:
    """What is believed of one printer.

    Attributes:
        printing: it prints something that was not begun here.
        file: what it prints, as far as that is known.
        settled: enough was heard since the connection began to believe `printing`.
    """

    def __init__(self) -> None:
        """Believe nothing yet."""
        self.printing = self.settled = False
        self.file = ""
        self._question = ""
        self._from_card = False
        self._opened = ""
        self._denials = 0
        self._due_at = 0.0
        self._reports = False
        self._hot = False
        self._cold_at: float | None = None
        self._place: Mapping[str, float] | None = None
        self._looks = self._moves = 0
        self._touched_at = -TOUCHED_FOR_S

    def begin(
        self, question: str, now: float, *, reports: bool = False, ours: bool = False
    ) -> None:
        """Lines can be said, and nothing is known of what happened before; ask at once.

        Args:
            question: the dialect's; empty for none.
            now: monotonic seconds, here and everywhere.
            reports: the firmware tells of its card by itself.
            ours: it prints what this host began, and so nothing else.
        """
        self._question, self._reports = question, reports
        self.settled = ours
        self._denials, self._due_at = 0, now
        self._place, self._looks, self._moves = None, 0, 0
        self._touched_at = now - TOUCHED_FOR_S

    def due(self, now: float) -> bool:
        """Whether it is time to look again."""
        return now >= self._due_at

    def questions(self, now: float) -> tuple[str, ...]:
        """Return what to ask, `answered` once it was; empty where nothing can be asked."""
        asked = (self._question,) if self._question else ()
        untouched = now - self._touched_at >= TOUCHED_FOR_S
        by_place = self._hot and untouched and not self._from_card
        return (*asked, _PLACE) if by_place else asked

    def ask_soon(self, now: float) -> None:
        """Have everything asked with the next `questions`."""
        self._due_at = now

    def answered(self, now: float) -> None:
        """All questions were; what there was to be heard was heard."""
        settled = not self._hot or self.printing or self._looks >= LOOKS_MIN
        touched = now - self._touched_at < TOUCHED_FOR_S
        self.settled = self.settled or settled or touched
        doubtful = self._denials > 0 or not self.settled
        later_s = timing.CARD_INTERVAL_S
        if self._reports and not self._hot:
            later_s = timing.CARD_REPORT_LOST_AFTER_S
        self._due_at = now + (timing.CARD_AGAIN_S if doubtful else later_s)

    def touched(self, now: float) -> None:
        """Somebody had the printer do something through this host: its moves prove nothing."""
        self._touched_at = now
        self._place, self._looks, self._moves = None, 0, 0

    def hear(self, event: events.Event, now: float) -> None:
        """Take what the firmware told."""
        match event:
            case events.CardTold(True):
                self._denials = 0
                self._begins(self._opened, from_card=True)
                if self._reports:
                    self._due_at = now + timing.CARD_REPORT_LOST_AFTER_S
            case events.CardTold(False):
                self._denied(now)
            case events.CardFileDone() if self._from_card:
                self._ends()
            case events.CardFileOpened(name):
                self._opened = name or self._opened
                self.ask_soon(now)
            case events.CommandUnknown(command) if command == self._question:
                self._question = ""
            case events.ActionRequested(name) if name in _STIRRING:
                self.ask_soon(now)
            case events.TemperaturesReported(readings):
                targets = [
                    reading.target_celsius or 0.0
                    for name, reading in readings.items()
                    if name.startswith("tool")
                ]
                if targets:
                    self._heard_heat(max(targets) >= HOT_CELSIUS, now)
            case events.PositionReported(axes) if self._hot and not self._from_card:
                self._heard_place(axes, now)
            case events.BoardReset() | events.Halted():
                self._ends()

    def _denied(self, now: float) -> None:
        if not self._from_card:
            return
        self._denials += 1
        self._due_at = min(self._due_at, now + timing.CARD_AGAIN_S)
        if self._denials >= DENIALS_MIN:
            self._ends()

    def _heard_heat(self, hot: bool, now: float) -> None:
        self._hot = hot
        if hot:
            self._cold_at = None
            return
        self._place, self._looks, self._moves = None, 0, 0
        if self._cold_at is None:
            self._cold_at = now
        if self.printing and not self._from_card and now - self._cold_at >= COLD_FOR_S:
            self._ends()

    def _heard_place(self, axes: Mapping[str, float], now: float) -> None:
        if now - self._touched_at < TOUCHED_FOR_S:
            return
        moved = self._place is not None and axes != self._place
        self._moves = self._moves + 1 if moved else 0
        self._place, self._looks = axes, self._looks + 1
        if self._moves >= MOVES_MIN:
            self._begins("", from_card=False)

    def _begins(self, file: str, *, from_card: bool) -> None:
        if not self.printing or from_card:
            self.file = file
        self.printing, self._from_card = True, from_card

    def _ends(self) -> None:
        self.printing = self._from_card = False
        self.file = self._opened = ""
        self._denials = self._moves = self._looks = 0
        self._place = None
