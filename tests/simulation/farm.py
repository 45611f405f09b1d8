"""One seed, one story: a farm, its troubles, and the calm in which everything must end."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from random import Random
from types import SimpleNamespace
from unittest.mock import patch

import structlog

import agent.beside
import agent.documents
import agent.draining
import agent.printer_task
import agent.remembered
import coordinator.usecases.slicing
from coordinator.domain.jobs import ENDED
from protocols.wire.vocabulary import PrinterId
from tests.simulation.agents import AgentHost
from tests.simulation.coordinators import CoordinatorHost, JudgedStore, Starts
from tests.simulation.judge import Judge
from tests.simulation.machines import Machine
from tests.simulation.people import People
from tests.simulation.slicers import Files, copy
from tests.simulation.virtual_time import Deadlock, run_virtually
from tests.simulation.wire import Broker, Translate
from tests.simulation.world import SkewedWall, World

CRASH = 0.002  # of a process, at any of its instructions
TROUBLE_EVERY_S = 720.0
ORDER_EVERY_S = 2400.0
CLASSES = {"p1": "mk4", "p2": "xl", "p3": "mk4"}
SELF_CLEARING = 0.5  # so many of the printers
CALM_S_MAX = 36 * 3600.0
DRAIN_LOOK_S = 15.0  # instead of half a second
REPORT_S = 600.0  # instead of 30 s: repetitions of nothing new cost a story most of its time

# Fault -> how often, against the others.
TROUBLES = {
    "agent killed": 4,
    "agent's power cut": 4,
    "agent drained": 3,
    "agent cut off": 4,
    "long partition": 8,
    "card wiped": 1,
    "card full": 2,
    "card cloned": 1,
    "coordinator killed": 4,
    "coordinator cut off": 3,
    "two coordinators": 2,
    "broker restarts": 3,
    "stale document": 6,
    "printer's power cut": 3,
    "printer unplugged": 4,
    "clock jumps": 3,
    "people": 12,
}


@dataclass(frozen=True)
class Ending:
    """How a story ended."""

    seed: int
    hours: float
    faults: Counter[str]
    starts: int
    figures: Counter[str]
    verdicts: list[str]
    story: list[str]


class Farm:
    """A whole farm in virtual time."""

    def __init__(
        self, seed: int, hours: float, *, crash: float = CRASH, translate: Translate | None = None
    ) -> None:
        self.world = World(Random(seed))
        self.hours = hours
        self.crash = crash
        self.judge = Judge(self.world)
        self.store = JudgedStore(self.judge)
        self.files = Files(kept=self.judge.stored)
        self.broker = Broker(self.world)
        if translate is not None:
            self.broker.translate = translate
        self.starts = Starts()
        self.machines: list[Machine] = []
        self.hosts: list[AgentHost] = []
        self.clones: list[AgentHost] = []
        self.coordinators = [self._coordinator("one")]
        self.people = People(self.world, self.judge, self.coordinators, self.machines, self.files)
        self.people.scrap_clones = self._scrap_clones

    def _coordinator(self, name: str) -> CoordinatorHost:
        return CoordinatorHost(
            self.world, self.broker, self.store, self.files, name, crash=self.crash / 4
        )

    def _machine(self, printer_id: PrinterId, name: str) -> Machine:
        random = self.world.random
        machine = Machine(
            self.world,
            self.judge,
            printer_id,
            name,
            prints_alone=random.random() < 0.5,
            self_clearing=random.random() < SELF_CLEARING,
            printer_class=CLASSES[printer_id],
        )
        self.machines.append(machine)
        return machine

    def _host(self, name: str, machines: list[Machine]) -> AgentHost:
        return AgentHost(self.world, self.broker, name, machines, crash=self.crash)

    async def live(self) -> None:
        """Live through the story."""
        self.coordinators[0].boot(self.starts)
        for name, printers in (("pi-a", ("p1", "p2")), ("pi-b", ("p3",))):
            machines = [self._machine(PrinterId(printer), printer) for printer in printers]
            self.hosts.append(self._host(name, machines))
        for host in self.hosts:
            host.boot()
        self.world.spawn(self._be_in_trouble(), "troubles")
        self._ordering = self.world.spawn(self._orders(), "orders")
        self.world.spawn(self._rounds(), "rounds")
        self.world.spawn(self._until_quiet(), "calm")
        await self.world.ended.wait()

    async def _orders(self) -> None:
        number = 0
        while self.world.troubled:
            number += 1
            await self.people.order(number)
            await self.world.sleep(self.world.random.expovariate(1 / ORDER_EVERY_S))

    async def _rounds(self) -> None:
        while True:
            most_s = 1800.0 if self.world.troubled else 300.0
            await self.world.sleep(self.world.random.uniform(60.0, most_s))
            await self.people.make_rounds()
            if not self.world.troubled:
                await self.people.resume_everything()

    async def _be_in_trouble(self) -> None:
        random, kinds = self.world.random, list(TROUBLES)
        while self.world.troubled:
            await self.world.sleep(random.expovariate(1 / TROUBLE_EVERY_S))
            if self.world.troubled:
                kind = random.choices(kinds, list(TROUBLES.values()))[0]
                self.world.faults[kind] += 1
                await self._trouble(kind, random.choice(self.hosts))

    async def _trouble(self, kind: str, host: AgentHost) -> None:
        random, machine = self.world.random, self.world.random.choice(host.machines)
        host_of_farm = random.choice(self.coordinators)
        todo: dict[str, Callable[[], object]] = {
            "agent killed": lambda: host.process.kill("killed"),
            "agent's power cut": host.lose_power,
            "agent drained": lambda: host.drain.ask(),
            "agent cut off": host.link.cut,
            "long partition": lambda: self._partition(host),
            "card wiped": host.swap_card,
            "card full": lambda: self._fill(host),
            "card cloned": lambda: self._clone(host),
            "coordinator killed": lambda: host_of_farm.process.kill("killed"),
            "coordinator cut off": host_of_farm.link.cut,
            "two coordinators": self._second_coordinator,
            "broker restarts": lambda: self.broker.restart(
                random.choice(("everything", "nothing", "an old copy"))
            ),
            "stale document": lambda: self.broker.replay(host.agent_id, machine.printer_id),
            "printer's power cut": machine.power_cycle,
            "printer unplugged": lambda: self._unplug(machine),
            "clock jumps": lambda: self._jump(random.choice(self._clocks())),
        }
        if kind == "people":
            await self.people.change_their_minds()
        else:
            todo[kind]()

    def _partition(self, host: AgentHost) -> None:
        """Cut an agent off for hours: what it was handed in advance goes on."""
        lasts_s = self.world.random.uniform(1800.0, 6 * 3600.0)
        host.partitioned_until_s[0] = self.world.now_s() + lasts_s
        self.world.tell(f"{host.agent_id} is cut off for {lasts_s / 3600:.1f} h")
        host.link.cut()

    def _fill(self, host: AgentHost) -> None:
        host.card.full_until_s = self.world.now_s() + self.world.random.uniform(10, 1200)

    def _clocks(self) -> list[list[float]]:
        agents = [host.skew_s for host in self.hosts]
        return agents + [host.skew_s for host in self.coordinators]

    def _jump(self, skew_s: list[float]) -> None:
        skew_s[0] = self.world.random.choice((-86400.0, -3600.0, -60.0, 0.0, 60.0, 7200.0))

    def _unplug(self, machine: Machine) -> None:
        machine.unplug(False)
        self.world.later(
            self.world.random.choice((5.0, 60.0, 3600.0)), lambda: machine.unplug(True)
        )

    def _second_coordinator(self) -> None:
        if len(self.coordinators) == 1:
            self.coordinators.append(self._coordinator("two"))
            self.coordinators[1].boot(self.starts)

    def _clone(self, host: AgentHost) -> None:
        """Copy a card and bring the copy up beside printers of its own."""
        if self.clones or not host.process.alive:
            return
        twins = [
            self._machine(machine.printer_id, f"{machine.printer_id}-twin")
            for machine in host.machines
        ]
        for machine, twin in zip(host.machines, twins, strict=True):
            twin.self_clearing = machine.self_clearing
        clone = self._host(host.agent_id, twins)
        clone.card = host.card.clone()
        self.clones.append(clone)
        self.world.tell(f"the card of {host.agent_id} is copied")
        self.world.later(self.world.random.choice((1.0, 20.0, 600.0)), clone.boot)

    def _scrap_clones(self, printer_id: PrinterId) -> None:
        """Take a copy away, and give the original a fresh card: which of them is to be believed?"""
        for clone in list(self.clones):
            if printer_id not in [machine.printer_id for machine in clone.machines]:
                continue
            self.world.tell(f"the copy of {clone.agent_id} is scrapped")
            clone.scrapped = True
            self.clones.remove(clone)
            if hasattr(clone, "process"):
                clone.process.kill("scrapped")
            for machine in clone.machines:
                machine.power_cycle()
                self.machines.remove(machine)
            for host in self.hosts:
                if host.agent_id == clone.agent_id:
                    host.swap_card()

    async def _until_quiet(self) -> None:
        """End the troubles in their time; then wait until nothing is left to be done."""
        await self.world.sleep(self.hours * 3600)
        self._calm_down()
        calm_until_s = self.world.now_s() + CALM_S_MAX
        while self.world.now_s() < calm_until_s and not self._quiet():
            await self.world.sleep(60.0)
        await self.world.sleep(1200.0)
        cards = {machine.printer_id: host.card for host in self.hosts for machine in host.machines}
        self.judge.at_the_end(cards)
        self.world.ended.set()

    def _calm_down(self) -> None:
        self.world.tell("-- the troubles end")
        self.world.troubled = False
        for clone in list(self.clones):
            self._scrap_clones(clone.machines[0].printer_id)
        for skew_s in self._clocks():
            skew_s[0] = 0.0
        for host in self.hosts:
            host.partitioned_until_s[0] = 0.0
        self.coordinators[0].retired = len(self.coordinators) > 1
        if self.coordinators[0].retired:
            self.coordinators[0].process.kill("retired")
            self.coordinators[1].process.kill("restarted")

    def _quiet(self) -> bool:
        tables = self.judge.tables
        return (
            self._ordering.done()
            and all(job.state in ENDED for job in tables.jobs.values())
            and not any(run.live for run in tables.runs.values())
        )


def live_through(
    seed: int, hours: float = 8.0, *, crash: float = CRASH, translate: Translate | None = None
) -> Ending:
    """Live through one story and tell how it ended; `translate` as in `wire.Broker`."""
    told: list[Farm] = []

    async def live() -> float:
        farm = Farm(seed, hours, crash=crash, translate=translate)
        told.append(farm)
        await farm.live()
        ended_s = farm.world.now_s()
        farm.world.close()
        await asyncio.gather(*farm.world.tasks, return_exceptions=True)
        return ended_s

    with _surroundings(seed):
        try:
            ended_s = run_virtually(live())
        except Deadlock:
            ended_s = 0.0
            told[0].world.verdicts.append("deadlock: everybody waits for ever")
    farm = told[0]
    return Ending(
        seed=seed,
        hours=ended_s / 3600,
        faults=farm.world.faults,
        starts=len(farm.judge.prints),
        figures=farm.world.figures,
        verdicts=farm.world.verdicts,
        story=list(farm.world.story),
    )


@contextmanager
def _surroundings(seed: int) -> Iterator[None]:
    """Lend the agent's shell a clock and chance of the story, and keep the logs silent."""
    random = Random(f"nonces of {seed}")
    chance = SimpleNamespace(token_hex=lambda count: random.randbytes(count).hex())
    before = structlog.get_config()
    with ExitStack() as stack:
        stack.callback(lambda: structlog.configure(**before))
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
        for where, name, stand_in in (
            (agent.draining, "LOOK_S", DRAIN_LOOK_S),
            (agent.draining, "HEARD_S_MAX", 4 * DRAIN_LOOK_S),
            (agent.documents, "datetime", SkewedWall),
            (agent.remembered, "datetime", SkewedWall),
            (agent.printer_task, "secrets", chance),
            (agent.beside, "token_hex", chance.token_hex),
            (agent.printer_task, "REPORT_S", REPORT_S),
            (coordinator.usecases.slicing, "copy", copy),
        ):
            stack.enter_context(patch.object(where, name, stand_in))
        yield
