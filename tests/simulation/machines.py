"""Printers of steel: they take their time, fail, lose their power, and people touch them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from agent.errors import DriverUnavailable, NotPossible, PlateRefused, StartUnknown
from agent.printers.driver import Capabilities, Observation, PlateFile, RunSeen, RunState
from protocols.wire.vocabulary import PrinterId, PrinterState, RunId
from tests.simulation.judge import Fate, Judge, Print
from tests.simulation.world import Process, World

PRINT_S = (300.0, 5400.0)
FAILS = 0.06
# What empties the bed: it cools down first, so that the print comes off.
EJECTION = ("M190 R30", "G1 Y200 F3000")
_SEEN = {
    Fate.PRINTING: RunState.PRINTING,
    Fate.PAUSED: RunState.PAUSED,
    Fate.FINISHED: RunState.FINISHED,
    Fate.STOPPED: RunState.STOPPED,
    Fate.FAILED: RunState.FAILED,
}


@dataclass(eq=False)
class Machine:
    """One printer, its bed, and what it knows itself.

    Attributes:
        prints_alone: it has the whole file and goes on without its host; else it stands still
            until a host feeds it lines again.
        current: the print that it knows of; a power cycle forgets it.
        sticks: what lies on the bed is not a finished print, and can't be pushed off.
        reachable: its cable is plugged in and its power is on.
        self_clearing: it can push a print off its bed, if that one was finished.
        noticed: its agent wrote down that somebody else's print is on it.
    """

    world: World
    judge: Judge
    printer_id: PrinterId
    name: str
    prints_alone: bool
    self_clearing: bool = False
    printer_class: str = "mk4"
    on_bed: list[str] = field(default_factory=list)
    current: Print | None = None
    sticks: bool = False
    reachable: bool = True
    noticed: Callable[[], bool] = lambda: False
    turned: asyncio.Event = field(default_factory=asyncio.Event)
    _end: asyncio.TimerHandle | None = None

    @property
    def busy(self) -> bool:
        """Whether something prints, or stands paused."""
        return self.current is not None and self.current.fate.goes_on

    def begin(self, run_id: RunId | None, sha256: str = "") -> None:
        """Start a print of a plate; None is somebody else's."""
        made = Print(run_id, self.world.random.uniform(*PRINT_S))
        if run_id is not None:
            self.judge.begins(
                made, self.name, self.on_bed, printer_class=self.printer_class, sha256=sha256
            )
        self.on_bed.append(str(run_id or "something foreign"))
        self.current, self.sticks = made, True
        self.feed()

    def feed(self) -> None:
        """Let the print go on."""
        made = self.current
        if made is not None and made.fate is Fate.PRINTING and made.fed_since_s is None:
            made.fed_since_s = self.world.now_s()
            self._end = asyncio.get_running_loop().call_later(made.left_s, self._come_to_end)
        self._turn()

    def starve(self) -> None:
        """Let the print stand still where it is."""
        made = self.current
        if made is not None and made.fed_since_s is not None:
            made.left_s -= self.world.now_s() - made.fed_since_s
            made.fed_since_s = None
        if self._end is not None:
            self._end.cancel()
            self._end = None

    def pause(self) -> None:
        """Pause, by order or at the panel."""
        if self.current is not None and self.current.fate is Fate.PRINTING:
            self.starve()
            self.current.fate = Fate.PAUSED
            self._turn()

    def resume(self) -> None:
        """Go on."""
        if self.current is not None and self.current.fate is Fate.PAUSED:
            self.current.fate = Fate.PRINTING
            self.feed()

    def end(self, fate: Fate) -> None:
        """Let the print be over."""
        if self.busy and self.current is not None:
            self.starve()
            self.current.fate = fate
            self.sticks = fate is not Fate.FINISHED
            self.world.tell(f"{self.name}: {self.current.run_id or 'the foreign print'} {fate}")
            if self.current.run_id is None and not self.noticed():
                self.on_bed.clear()  # who prints past the farm takes it away
            self._turn()

    def _come_to_end(self) -> None:
        fails = self.world.strikes(FAILS)
        self.end(Fate.FAILED if fails else Fate.FINISHED)

    def push_off(self) -> None:
        """Empty the bed; what was not finished sticks to it."""
        if not self.sticks:
            self.on_bed.clear()

    def power_cycle(self) -> None:
        """Lose all that is not on the bed."""
        self.end(Fate.FAILED)
        self.current = None
        self._turn()

    def unplug(self, reachable: bool) -> None:
        """Pull the cable, or put it back."""
        self.reachable = reachable
        if not reachable:
            self.lose_host()
        elif not self.prints_alone:
            self.feed()
        self._turn()

    def lose_host(self) -> None:
        """Stand still, if a host feeds it; somebody else's print comes from the printer's card."""
        if not self.prints_alone and self.current is not None and self.current.run_id is not None:
            self.starve()

    def _turn(self) -> None:
        self.turned.set()
        self.turned = asyncio.Event()


class SimulatedDriver:
    """Implements `agent.printers.driver.Driver` for a machine."""

    capabilities: ClassVar[Capabilities] = Capabilities(
        pause=True, recovers=True, commands=frozenset({"send"})
    )

    def __init__(self, process: Process, machine: Machine) -> None:
        self._process = process
        self._machine = machine
        self._mine: RunId | None = None
        self._last: RunSeen | None = None

    @property
    def observation(self) -> Observation:
        """Return what is seen; a lost connection does not reset the run."""
        machine = self._machine
        if not machine.reachable:
            return Observation(state=PrinterState.OFFLINE, run=self._last)
        made = machine.current
        state = PrinterState.IDLE
        if made is not None and machine.busy:
            paused = made.fate is Fate.PAUSED
            state = PrinterState.PAUSED if paused else PrinterState.PRINTING
        foreign = machine.busy and made is not None and made.run_id is None
        if machine.busy and made is not None and made.run_id != self._mine:
            foreign = foreign or machine.prints_alone
        self._last = self._seen(self._mine) if self._mine is not None else None
        return Observation(state=state, run=self._last, foreign=foreign)

    def _seen(self, run_id: RunId) -> RunSeen:
        made = self._machine.current
        if made is None or made.run_id != run_id:
            return RunSeen(run_id=run_id, state=RunState.UNKNOWN, reason="the printer forgot")
        return RunSeen(run_id=run_id, state=_SEEN[made.fate], reason="by the printer's word")

    async def run(self) -> None:
        """Keep the connection."""
        await asyncio.get_running_loop().create_future()

    async def changed(self) -> None:
        """Wait until something else is seen."""
        await self._machine.turned.wait()

    async def check(self, plate: PlateFile) -> None:
        """Look at a plate; a few fit no printer."""
        await self._process.step("check", 0.05)
        if self._process.world.strikes(0.01):
            raise PlateRefused("it does not fit")

    async def start(self, plate: PlateFile, run_id: RunId) -> None:
        """Start a run, with all that can go wrong at it."""
        machine, world = self._machine, self._process.world
        await self._process.step("order to start", 0.1)
        if not machine.reachable:
            raise DriverUnavailable("no cable")
        if machine.busy:
            raise NotPossible("it prints")
        chance = world.random.random() if world.troubled else 1.0
        if chance < 0.03:
            raise PlateRefused("it does not fit")
        if chance < 0.06:
            raise DriverUnavailable("the cable was pulled")
        if chance < 0.08:
            world.fault("start unanswered, not taken")
            raise StartUnknown("no answer")
        if chance < 0.10:
            world.fault("start taken late")
            world.later(8.0, lambda: self._late(run_id, plate.sha256))
            raise StartUnknown("no answer")
        machine.begin(run_id, plate.sha256)
        await self._process.step("printer took the start", 0.5)
        if chance < 0.14:
            world.fault("start taken, unanswered")
            raise StartUnknown("no answer")
        self._mine = run_id

    def _late(self, run_id: RunId, sha256: str) -> None:
        if not self._machine.busy:
            self._machine.begin(run_id, sha256)

    async def pause(self) -> None:
        """Pause."""
        await self._order("pause")
        self._machine.pause()

    async def resume(self) -> None:
        """Go on."""
        await self._order("resume")
        self._machine.resume()

    async def stop(self) -> None:
        """End the run."""
        await self._order("stop")
        made = self._machine.current
        if made is not None and made.run_id == self._mine:
            self._machine.end(Fate.STOPPED)

    async def _order(self, name: str) -> None:
        await self._process.step(name, 0.2)
        if not self._machine.reachable:
            raise DriverUnavailable("no cable")
        if self._process.world.strikes(0.05):
            raise DriverUnavailable("it does not answer")

    async def recover(self, run_id: RunId, plate: PlateFile | None) -> RunSeen:
        """Say what became of a run, and take it over where it goes on."""
        await self._process.step("recover", 0.5)
        if not self._machine.reachable:
            raise DriverUnavailable("no cable")
        seen = self._seen(run_id)
        if seen.state is not RunState.UNKNOWN:
            self._mine = run_id
            self._machine.feed()
        return seen

    async def command(self, name: str, arguments: Any) -> str:
        """Do one line of the ejection routine."""
        machine, world = self._machine, self._process.world
        await self._process.step("ejection", 5.0)
        if arguments["line"] == EJECTION[0]:
            await self._process.step("cooling down", world.random.uniform(60.0, 900.0))
        if not machine.reachable:
            raise DriverUnavailable("no cable")
        if machine.busy:
            raise NotPossible("it prints")
        if world.strikes(0.03):
            world.faults["ejection broke off"] += 1
            raise NotPossible("it hangs")
        if arguments["line"] == EJECTION[-1]:
            machine.push_off()
            world.figures["beds emptied by their printers"] += 1
        return ""
