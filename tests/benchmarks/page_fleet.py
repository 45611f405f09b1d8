"""A fleet as one finds it: `python -m tests.benchmarks.page_fleet PORT --agents 500`.

Most printers print and measure once a second, each somewhere else in its print; some are paused,
need help, or go away while they print. Names are such as people give.
"""

import argparse
import asyncio
import itertools
import random
from dataclasses import dataclass, replace

from protocols.wire.from_agent import Presence, Reported
from protocols.wire.vocabulary import EventKind, PrinterState, RunPhase
from tests.benchmarks.farm_fleet import SimulatedAgent
from tests.benchmarks.front_fleet import LINES, measure
from tests.fakes.model_agent import ModelAgent

KINDS = (("mk4", "MK4S"), ("mk4", "MK4S"), ("xl", "XL"), ("mini", "MINI"), ("ender3", "Ender 3"))
MATERIALS = ("PLA", "PLA", "PETG", "ASA", "")
LONG_NAME = "the large one at the window, bought second-hand in Brno"
# So long they print, then something happens to some.
QUIET_S = 5.0


@dataclass
class PlacedAgent(ModelAgent):
    """An agent whose printer has a name, and troubles of its own, by its number."""

    paused: bool = False
    halted: bool = False

    @property
    def number_of_printer(self) -> int:
        return int(self.name)

    def presence(self) -> Presence:
        said = super().presence()
        number = self.number_of_printer
        printer_class, kind = KINDS[number % len(KINDS)]
        described = replace(
            said.printers[0],
            name=f"{kind} {number:03}" if number % 97 else f"{kind} {number:03}, {LONG_NAME}",
            printer_class=printer_class,
            material=MATERIALS[number // 7 % len(MATERIALS)],
        )
        return replace(said, printers=(described,))

    def reported(self) -> Reported:
        said = super().reported()
        if self.halted:
            words = "The nozzle did not get warm: thermal protection stopped the printer"
            return replace(said, state=PrinterState.HALTED, message=words)
        return replace(said, state=PrinterState.PAUSED) if self.paused else said


class PlacedPrinter(SimulatedAgent):
    """One of the fleet; what happens to it does so some seconds after its print began."""

    def __init__(self, number: int, port: int) -> None:
        """Make it; nothing is said before `live`."""
        super().__init__(number, port, 0.0)
        self.model: PlacedAgent = PlacedAgent(f"{number:05d}")
        self.printing = asyncio.Event()

    def happened(self, event: EventKind) -> None:
        """Note it, and that it began."""
        super().happened(event)
        if event is EventKind.STARTED:
            self.printing.set()

    async def suffer(self) -> None:
        """Let happen what happens to this one."""
        model, number = self.model, self.model.number_of_printer
        if not (number % 100 in (11, 42) or number % 50 == 21):
            return
        await self.printing.wait()
        await asyncio.sleep(QUIET_S)
        if number % 100 == 11:
            self.leave()
        elif number % 100 == 42:
            model.halted = True
            self.say_all()
        elif model.run is not None:
            model.paused, model.run.phase = True, RunPhase.PAUSED
            self.happened(EventKind.PAUSED)


async def run(port: int, agents: int) -> None:
    """Let the agents live until cancelled."""
    fleet = [PlacedPrinter(number, port) for number in range(agents)]
    at_once = asyncio.Semaphore(50)
    dice = random.Random(7)
    async with asyncio.TaskGroup() as tasks:
        for agent in fleet:
            tasks.create_task(agent.live(at_once))
            tasks.create_task(measure(agent, line=dice.randrange(LINES)))
            tasks.create_task(agent.suffer())
        while True:
            await asyncio.sleep(10.0)
            for agent in itertools.filterfalse(lambda each: each.left, fleet):
                agent.repeat_events()


def main() -> None:
    """Run a fleet as its own process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--agents", type=int, default=500)
    wanted = parser.parse_args()
    asyncio.run(run(wanted.port, wanted.agents))


if __name__ == "__main__":
    main()
