"""The state of the board that commands work on; a reset makes a new one."""

import math
from dataclasses import dataclass, field

from agent.simulator.card import Card
from agent.simulator.heaters import BED, HOTEND, Heater
from agent.simulator.motion import Motion
from agent.simulator.planner import BLOCKS_MAX, Planner, Position
from agent.simulator.profiles import Board

AMBIENT_CELSIUS = 21.0
EXTRUDE_CELSIUS_MIN = 170.0  # Marlin's EXTRUDE_MINTEMP


@dataclass(slots=True, kw_only=True)
class Machine:
    """One printer's board, and the metal behind it.

    Attributes:
        keepalive_s: interval of busy lines, 0 for none.
        autoreport_s: interval of temperature reports, 0 for none.
        card: what may be printed from at its panel, None without a slot for one.
        fan: part cooling, 0 to 255.
        flow_percent: what M221 said last; nothing here depends on it.
        now: simulated seconds, as the firmware was told last.
        lines: what is to be said, newest last.
    """

    board: Board
    card: Card | None = field(init=False)
    hotend: Heater = field(default_factory=lambda: Heater(HOTEND, AMBIENT_CELSIUS))
    bed: Heater = field(default_factory=lambda: Heater(BED, AMBIENT_CELSIUS))
    planner: Planner = field(default_factory=Planner)
    motion: Motion = field(init=False)
    keepalive_s: float = field(init=False)
    autoreport_s: float = 0.0
    autoreport_at_s: float = 0.0
    cold_extrusion: bool = False
    fan: int = 0
    flow_percent: float = 100.0
    message: str = ""
    now: float = 0.0
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.motion = Motion(bed_mm=self.board.bed_mm)
        self.keepalive_s = self.board.profile.keepalive_s
        self.card = None if self.board.card is None else Card(self.board.card)

    def say(self, text: str) -> None:
        """Send one line to the host."""
        self.lines.append(text)

    def tell_tuning(self, text: str) -> None:
        """Answer how speed or flow stand, where this firmware does."""
        if self.board.profile.tells_tuning:
            self.say(text)

    def temperatures(self, now: float) -> str:
        """Return a temperature report without its beginning."""
        self.hotend.advance(now)
        self.bed.advance(now)
        return (
            f"{self.hotend.report()} {self.bed.report()}"
            f" @:{self.hotend.power()} B@:{self.bed.power()}"
        )

    @property
    def report_due_s(self) -> float:
        """When `report` has something to say, infinity for never."""
        times = [self.autoreport_at_s] if self.autoreport_s else []
        if self.card is not None and self.card.report_s:
            times.append(self.card.report_at_s)
        return min(times, default=math.inf)

    def report(self, now: float) -> None:
        """Say what is due by itself of temperatures and of the card."""
        floor = self.board.report_interval_s_min
        if self.autoreport_s and now >= self.autoreport_at_s:
            self.say(f" {self.temperatures(now)}")
            self.autoreport_at_s = now + max(self.autoreport_s, floor)
        card = self.card
        if card is not None and card.report_s and now >= card.report_at_s:
            self.say(card.status)
            card.report_at_s = now + max(card.report_s, floor)

    def extrudes(self, now: float) -> bool:
        """Return whether the hotend is warm enough to push filament."""
        if self.cold_extrusion:
            return True
        self.hotend.advance(now)
        return self.hotend.celsius >= EXTRUDE_CELSIUS_MIN

    def lay(self, start: Position, *, extrudes: bool) -> None:
        """Leave on the bed what a move that was just accepted lays there."""
        bed, end = self.board.bed, self.motion.position
        if bed is not None and extrudes and end[3] > start[3] and end[:2] != start[:2]:
            bed.lay(start, end)

    def quick_stop(self) -> None:
        """Forget all queued motion and stand where the last finished move ended."""
        self.planner.clear()
        self.motion.stop(self.planner.reached)

    def report_position(self) -> None:
        """Say where the accepted moves lead, and where the motors are."""
        x, y, z, e = self.motion.position
        steps = [round(value * 80) for value in self.planner.reached[:3]]
        self.say(
            f"X:{x:.2f} Y:{y:.2f} Z:{z:.2f} E:{e:.2f} Count X:{steps[0]} Y:{steps[1]} Z:{steps[2]}"
        )

    def status(self) -> dict[str, object]:
        """Return what a person with a view into the printer would see."""
        self.temperatures(self.now)
        x, y, z, e = self.planner.reached
        return {
            "name": self.board.name,
            "now_s": round(self.now, 3),
            "position": {"x": x, "y": y, "z": z, "e": e},
            "temperatures": {
                "tool0": [round(self.hotend.celsius, 2), self.hotend.target_celsius],
                "bed": [round(self.bed.celsius, 2), self.bed.target_celsius],
            },
            "fan": self.fan,
            "message": self.message,
            "planned": BLOCKS_MAX - self.planner.free,
            "moves_finished": self.planner.finished,
        }
