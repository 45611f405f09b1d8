"""What befalls a farm: from one seed which fault strikes whom, when, and for how long."""

import asyncio
import shutil
import signal
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.proofs.chaos_farm import SPEED, Agent, Farm, Part, Printer
from tests.proofs.chaos_story import Story
from tests.proofs.torn import tear

FROZEN_S_MAX = 12.0
AWAY_S_MAX = 5.0
UNPLUGGED_S_MAX = 6.0
BUSY_S = 1.0
FULL_S_MAX = 8.0
# Nothing grows: a log of SQLite begins with more than this.
FULL_BYTES = 4096
# Two need some seconds to push each other out again and again.
CLONED_S_MIN = 8.0
# The signal that asks an agent to end, and how long it may take: a print, or none.
ASKED = {"agent ended": (signal.SIGTERM, 10.0), "agent drained": (signal.SIGUSR1, 120.0)}

# Fault -> how often, against the others.
TROUBLES = {
    "agent killed": 8,
    "agent ended": 2,
    "agent drained": 2,
    "agent frozen": 5,
    "agent wiped": 2,
    "agent torn": 3,
    "agent cloned": 2,
    "agent up-or-downgraded": 3,
    "coordinator killed": 5,
    "coordinator torn": 3,
    "coordinator full": 3,
    "coordinator frozen": 3,
    "broker killed": 2,
    "broker forgets": 2,
    "broker remembers the past": 2,
    "broker frozen": 2,
    "port dropped": 5,
    "line disturbed": 6,
    "board restarts": 1,
}


@dataclass
class Troubles:
    """Strikes until told to end, and mends everything behind itself.

    Attributes:
        every_s: mean time between two faults.
        kinds: fault -> how often, against the others.
        faults: how often each kind struck.
        wrong: what ended otherwise than it was asked to.
    """

    farm: Farm
    random: Random
    story: Story
    every_s: float
    kinds: Mapping[str, int] = field(default_factory=lambda: TROUBLES)
    faults: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    _suffering: set[str] = field(default_factory=set)

    async def strike_for(self, seconds: float) -> None:
        """Strike for so long; returns when all is mended."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + seconds
        async with asyncio.TaskGroup() as tasks:
            while (wait_s := self.random.expovariate(1 / self.every_s)) < until_s - loop.time():
                await asyncio.sleep(wait_s)
                kind = self.random.choices(list(self.kinds), list(self.kinds.values()))[0]
                # Drawn here, so that what is drawn does not hang on who is mended when.
                agent = self.random.choice(self.farm.agents)
                printer = self._of_those_that_print(self.random.random())
                share = self.random.random()
                tasks.create_task(self._strike(kind, agent, printer, share))

    def _of_those_that_print(self, share: float) -> Printer:
        """Return a printer, one that executes something if there is one."""
        now_s, printers = time.monotonic(), self.farm.printers
        busy = [one for one in printers if now_s - one.log.changed_at_s < BUSY_S] or printers
        return busy[int(share * len(busy))]

    async def _strike(self, kind: str, agent: Agent, printer: Printer, share: float) -> None:
        victims: dict[str, Part] = {
            "agent": agent.part,
            "coordinator": self.farm.coordinator,
            "broker": self.farm.broker,
        }
        part = victims.get(kind.partition(" ")[0], printer.part)
        if part.name in self._suffering:
            return
        self.faults[kind] += 1
        self._suffering.add(part.name)
        try:
            match kind.split():
                case ["port" | "line" | "board", _]:
                    await self._disturb(kind, printer, share)
                case [_, "full"]:
                    await self._fill(kind, part, share * FULL_S_MAX)
                case [_, "cloned"]:
                    await self._clone(kind, agent, CLONED_S_MIN + share * CLONED_S_MIN)
                case [_, "frozen"]:
                    await self._freeze(kind, part, share * FROZEN_S_MAX)
                case _:
                    await self._take_away(kind, part, agent, share * AWAY_S_MAX)
        finally:
            self._suffering.discard(part.name)

    async def _freeze(self, kind: str, part: Part, seconds: float) -> None:
        self.story.tell(f"** {kind}: {part.name} for {seconds:.1f} s")
        part.signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        part.signal(signal.SIGCONT)
        self.story.tell(f"** {part.name} goes on")

    async def _fill(self, kind: str, part: Part, seconds: float) -> None:
        self.story.tell(f"** {kind}: {part.name} for {seconds:.1f} s")
        part.limit(FULL_BYTES)
        await asyncio.sleep(seconds)
        part.limit(None)
        self.story.tell(f"** {part.name} has room again")

    async def _clone(self, kind: str, agent: Agent, seconds: float) -> None:
        """Have a copy of a card live beside it; in the end both get a blank one."""
        self.story.tell(f"** {kind}: {agent.part.name} for {seconds:.1f} s")
        agent.part.kill()
        copy = agent.copy()
        agent.part.begin()
        copy.begin()
        try:
            await asyncio.sleep(seconds)
        finally:
            copy.kill()
        agent.part.kill()
        agent.wipe()
        agent.part.begin()
        self.story.tell(f"** {agent.part.name} is alone, with a blank card")

    async def _take_away(self, kind: str, part: Part, agent: Agent, seconds: float) -> None:
        self.story.tell(f"** {kind}: {part.name} for {seconds:.1f} s")
        if kind in ASKED:
            number, patience_s = ASKED[kind]
            code = await part.end(number, patience_s)
            if code not in (0, -number):  # a signal kills who does not listen to it yet
                self.wrong.append(f"{part.name} ended with {code} when it was asked to end")
        else:
            part.kill()
        memory, past = self.farm.broker_memory, self.farm.broker_memory.with_suffix(".past")
        match kind:
            case "agent wiped":
                agent.wipe()
            case "agent up-or-downgraded":
                self.story.tell(f"** {part.name} speaks {agent.change_version()}")
            case "agent torn":
                self._tear(agent.journal, Random(seconds))
            case "coordinator torn":
                self._tear(self.farm.database, Random(seconds))
            case "broker forgets":
                memory.unlink(missing_ok=True)
            case "broker remembers the past" if past.exists():
                shutil.copy(past, memory)
            case "broker killed" if memory.exists():
                shutil.copy(memory, past)
        await asyncio.sleep(seconds)
        part.begin()
        self.story.tell(f"** {part.name} is back")

    def _tear(self, database: Path, chance: Random) -> None:
        if database.exists():
            self.story.tell(f"** {database.name}: {tear(database, chance)}")

    async def _disturb(self, kind: str, printer: Printer, share: float) -> None:
        match kind:
            case "port dropped":
                seconds = share * UNPLUGGED_S_MAX
                line = f"fault usb_drop:seconds={seconds * SPEED:.1f}"
            case "line disturbed":
                line = "fault corrupt" if share < 0.5 else "fault lose_ok"
            case _:
                line = "reset"
        self.story.tell(f"** {kind}: {printer.printer_id} ({line})")
        await printer.say(line)
