"""A Pi beside printers: the agent's real loop of each printer, on a simulated card and cable."""

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path

from agent.draining import Drain
from agent.errors import FileUnavailable
from agent.printer_task import PrinterTask
from agent.surroundings import Surroundings
from protocols.wire.codec import Message, decode
from protocols.wire.from_agent import Presence, PrinterDescription, Reported, RunEvent
from protocols.wire.to_agent import CoordinatorStatus, Desired, PlateReference, Sync
from protocols.wire.vocabulary import AgentId, BedPolicy, JournalId, PrinterId
from tests.simulation.card import Card, SimulatedJournal
from tests.simulation.machines import EJECTION, Machine, SimulatedDriver
from tests.simulation.wire import Broker, Session
from tests.simulation.world import Process, World

RECONNECT_S = (1.0, 60.0)
THROWN_OUT_S = (120.0, 900.0)  # copies of a card throw each other out without end


class SimulatedFiles:
    """Implements what `agent.files.FileStore` is to a printer: plates come, or do not yet."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._here: set[str] = set()

    def hold(self, owner: str, sha256: str | None) -> None:
        """Keep a plate; nothing is evicted here."""

    async def cached(self, sha256: str) -> Path | None:
        """Return a plate that is here."""
        return Path(sha256) if sha256 in self._here else None

    async def fetch(self, plate: PlateReference) -> Path:
        """Bring a plate."""
        world = self._process.world
        if plate.sha256 not in self._here:
            await self._process.step("fetch", world.random.uniform(0.5, 20.0))
        if world.strikes(0.1):
            world.faults["plate not fetched"] += 1
            raise FileUnavailable("the coordinator does not answer", retry=True)
        self._here.add(plate.sha256)
        return Path(plate.sha256)


class AgentLink:
    """Implements `agent.outbox.Outlet` and what `agent.link.Link` does around it."""

    def __init__(
        self,
        process: Process,
        broker: Broker,
        presence: Presence,
        partitioned_until_s: list[float],
    ) -> None:
        self.connected = False
        self.partitioned_until_s = partitioned_until_s
        self.session = 0
        self.tasks: dict[PrinterId, PrinterTask] = {}
        self._process = process
        self._broker = broker
        self._presence = presence
        self._connection: Session | None = None
        self._coordinator: CoordinatorStatus | None = None
        self._reports: dict[PrinterId, Reported] = {}

    @property
    def heard(self) -> bool:
        """Whether the coordinator would hear us now."""
        return self.connected and (self._coordinator is None or self._coordinator.up)

    def report(self, reported: Reported) -> None:
        """Say how a printer stands."""
        self._reports[reported.printer_id] = reported
        self._say("reported", reported.printer_id, reported, retain=True)

    def offer_event(self, printer_id: PrinterId, payload: bytes) -> bool:
        """Say one event."""
        if self.connected:
            self._say("events", printer_id, decode(payload, RunEvent), retain=False)
        return self.connected

    def connect(self) -> None:
        """Open a session, now or as soon as there is a broker to talk to."""
        process, world, ours = self._process, self._process.world, self._presence
        if not process.alive:
            return
        number = self.session + 1
        ours = replace(ours, connection_id=f"{ours.boot_id}-{number}")
        topic = ("presence", ours.agent_id, "")
        session = Session(
            client_id=f"agent {ours.agent_id}",
            wants=lambda topic: topic[1] in (ours.agent_id, "") and topic[0] in _HEARD,
            take=lambda message: self._take(session, message),
            closed=lambda: self._closed(session),
            will=(topic, replace(ours, online=False)),
        )
        if world.now_s() < self.partitioned_until_s[0] or not self._broker.connect(session):
            world.later(world.random.uniform(*RECONNECT_S), self.connect)
            return
        self._connection, self._presence = session, ours
        self.connected, self.session = True, number
        self._say_all()
        self._broker.subscribe(session)
        self._turned()

    def cut(self) -> None:
        """Break the cable; it is noticed in time."""
        if self._connection is not None:
            self._broker.cut(self._connection)

    def drain(self) -> None:
        """Say, now and from now on, that the agent is being drained."""
        self._presence = replace(self._presence, draining=True)
        self._say("presence", "", self._presence, retain=True)

    def die(self) -> None:
        """End with the process."""
        if self._connection is not None:
            self._broker.leave(self._connection)

    def _closed(self, session: Session) -> None:
        if not self._process.alive or session is not self._connection:
            return
        self.connected, self._coordinator, self._connection = False, None, None
        self._turned()
        world = self._process.world
        wait_s = THROWN_OUT_S if session.thrown_out else RECONNECT_S
        world.later(world.random.uniform(*wait_s), self.connect)

    def _say(self, kind: str, printer_id: str, message: Message, *, retain: bool) -> None:
        if self._connection is not None and self._process.alive:
            topic = (kind, self._presence.agent_id, printer_id)
            self._broker.publish(self._connection, topic, message, retain=retain)

    def _say_all(self) -> None:
        self._say("presence", "", self._presence, retain=True)
        for reported in self._reports.values():
            self._say("reported", reported.printer_id, reported, retain=True)

    def _take(self, session: Session, message: Message) -> None:
        if not self._process.alive or session is not self._connection:
            return
        match message:
            case Desired():
                if (task := self.tasks.get(message.printer_id)) is not None:
                    task.desire(message)
            case CoordinatorStatus():
                known = self._coordinator
                others = known is not None and known.coordinator_id != message.coordinator_id
                if message.up or not others or not known.up:
                    self._coordinator = message
                    self._turned()
            case Sync():
                spread_s = self._process.world.random.uniform(0, message.spread_s)
                self._process.world.later(spread_s, self._say_all)
            case Presence() if not message.online:
                self._say("presence", "", self._presence, retain=True)

    def _turned(self) -> None:
        for task in self.tasks.values():
            task.wake()


_HEARD = ("desired", "status", "sync", "presence")


class AgentHost:
    """One Pi with its card and printers; its agent begins again after each death."""

    def __init__(
        self, world: World, broker: Broker, name: str, machines: list[Machine], *, crash: float
    ) -> None:
        self.world = world
        self.agent_id = AgentId(name)
        self.machines = machines
        self.skew_s = [0.0]
        self.partitioned_until_s = [0.0]
        self.drain = Drain()
        self.journals = 0
        self.scrapped = False
        self._broker = broker
        self._crash = crash
        self.card = self.new_card()
        for machine in machines:
            machine.noticed = partial(self._noticed, machine.printer_id)

    def _noticed(self, printer_id: PrinterId) -> bool:
        memory = self.card.written.memories.get(printer_id)
        return memory is not None and memory.foreign

    def new_card(self) -> Card:
        """Return a blank card with an identity of its own."""
        self.journals += 1
        return Card(JournalId(f"journal-{self.agent_id}-{self.journals}"))

    def boot(self) -> None:
        """Start the agent."""
        if self.scrapped:
            return
        self.world.boots += 1
        number = self.world.boots
        name = f"agent {self.agent_id} (boot {number})"
        self.process = Process(self.world, name, crash=self._crash, skew_s=self.skew_s)
        self.process.on_death = self._died
        self.link = AgentLink(
            self.process,
            self._broker,
            self._presence(f"boot{number:08}"),
            self.partitioned_until_s,
        )
        self.world.tell(f"{name} starts")
        self.process.begin(self._main)

    async def _main(self) -> None:
        process, link = self.process, self.link
        journal = SimulatedJournal(self.world, self.card, process)
        self.drain = drain = Drain()
        around = Surroundings(
            agent_id=self.agent_id,
            boot_id=link._presence.boot_id,
            journal=journal,  # type: ignore[arg-type]  # the same calls, on a simulated card
            files=SimulatedFiles(process),  # type: ignore[arg-type]
            outlet=link,
            drain=drain,
            monotonic_s=asyncio.get_running_loop().time,
        )
        async with asyncio.TaskGroup() as tasks:
            for machine in self.machines:
                driver = SimulatedDriver(process, machine)
                ejection = EJECTION if machine.self_clearing else ()
                task = PrinterTask(machine.printer_id, driver, around, ejection=ejection)
                link.tasks[machine.printer_id] = task
                tasks.create_task(task.run())
            self.world.later(self.world.random.uniform(0.1, 5.0), link.connect)
            tasks.create_task(drain.watch(link.tasks.values, link.drain))
            await drain.empty.wait()
            process.kill("drained")

    def _died(self) -> None:
        self.link.die()
        for machine in self.machines:
            machine.lose_host()
        away_s = self.world.random.choice((5.0, 60.0, 1800.0)) if self.world.troubled else 5.0
        self.world.later(away_s, self._again)

    def _again(self) -> None:
        if not self.process.alive:
            self.boot()

    def lose_power(self) -> None:
        """End the process and forget what was not on the card."""
        self.process.kill("power cut")
        self.card.lose_power()
        for machine in self.machines:
            if self.world.random.random() < 0.5:
                machine.power_cycle()

    def swap_card(self) -> None:
        """Put in a blank card."""
        self.process.kill("card wiped")
        self.card = self.new_card()

    def _presence(self, boot_id: str) -> Presence:
        return Presence(
            agent_id=self.agent_id,
            online=True,
            boot_id=boot_id,
            connection_id="",
            journal_id=self.card.journal_id,
            protocol_min=1,
            protocol_max=1,
            printers=tuple(
                PrinterDescription(
                    printer_id=machine.printer_id,
                    name=machine.printer_id,
                    printer_class=machine.printer_class,
                    driver="simulated",
                    material="PLA",
                    bed_policy=BedPolicy.SELF_CLEARING
                    if machine.self_clearing
                    else BedPolicy.ATTENDED,
                )
                for machine in self.machines
            ),
        )
