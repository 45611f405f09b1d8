"""The coordinator's process: the real use cases on a store whose transactions are durable or not.

What `coordinator/app.py` wires around them is modelled: bells, the inbox, the session.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

from coordinator.errors import FarmError, NotNow, Unavailable
from coordinator.usecases.absorbing import absorb
from coordinator.usecases.dispatching import dispatch_jobs, flush_outbox
from coordinator.usecases.farm import Farm
from coordinator.usecases.preparing import prepare_jobs
from coordinator.usecases.slicing import slice_plates
from coordinator.usecases.starting import recover, repeat_desired
from protocols.wire.codec import Message
from protocols.wire.to_agent import Command, CoordinatorStatus, Desired, Sync
from protocols.wire.vocabulary import AgentId, PrinterId
from tests.fakes.manual_clock import CountingIds
from tests.fakes.memory_store import MemoryStore, MemoryUnit
from tests.simulation.judge import Judge
from tests.simulation.slicers import Files, SimulatedArtifacts, SimulatedSlicer
from tests.simulation.wire import Broker, Session
from tests.simulation.world import NOON, Process, World

# How often each bell rings when nobody pokes it: rarer than in the product, to save a story's time.
BELLS_S = {
    "dispatch": 300.0,
    "outbox": 300.0,
    "repeat": 600.0,
    "prepare": 300.0,
    "slice": 300.0,
}
RECONNECT_S = (1.0, 30.0)
SYNC_SPREAD_S = 2.0


class JudgedStore(MemoryStore):
    """The one database, with a judge who sees every commit."""

    def __init__(self, judge: Judge) -> None:
        super().__init__()
        self.judge = judge

    @asynccontextmanager
    async def write(self) -> AsyncIterator[MemoryUnit]:
        async with self._writer:
            before, unit = self.tables, MemoryUnit(self.tables.copy())
            yield unit
            self.tables = unit.tables
            if unit.changed:
                self.judge.committed(before, unit.tables)


class StoreSession:
    """Implements `coordinator.ports.Store` for one process, which may die in a transaction."""

    def __init__(self, process: Process, store: JudgedStore) -> None:
        self._process = process
        self._store = store

    @asynccontextmanager
    async def write(self) -> AsyncIterator[MemoryUnit]:
        """Begin a transaction; until it is committed a crash leaves nothing of it."""
        world = self._process.world
        await self._process.step("begin", world.random.uniform(0.0, 0.02))
        if world.strikes(0.004):
            world.faults["store unavailable"] += 1
            raise Unavailable("locked", "the database is locked")
        async with self._store.write() as unit:
            yield unit
            await self._process.step("before the commit")
        await self._process.step("after the commit")

    @asynccontextmanager
    async def read(self) -> AsyncIterator[MemoryUnit]:
        """See one state of things."""
        await self._process.step("read")
        async with self._store.read() as unit:
            yield unit


class SkewedClock:
    """Implements `coordinator.ports.Clock`."""

    def __init__(self, world: World, skew_s: list[float]) -> None:
        self._world = world
        self._skew_s = skew_s

    def now(self) -> datetime:
        """Return what the wall clock shows, right or wrong."""
        return NOON + timedelta(seconds=self._world.now_s() + self._skew_s[0])

    def monotonic(self) -> float:
        """Return seconds."""
        return self._world.now_s()


class CoordinatorLink:
    """Implements `coordinator.ports.AgentLink`, and holds a session."""

    def __init__(self, process: Process, broker: Broker) -> None:
        self.inbox: asyncio.Queue[Message] = asyncio.Queue()
        self.on_connected: Callable[[], None] = lambda: None
        self._process = process
        self._broker = broker
        self._sessions = 0
        self._connection: Session | None = None

    @property
    def trouble(self) -> str:
        """Why nothing can be said, empty in a session."""
        return "" if self._connection is not None else "no broker"

    async def publish_desired(self, agent_id: AgentId, desired: Desired) -> None:
        """Say a document; returns once the broker has it."""
        await self._process.step("publish", 0.01)
        session = self._connection
        if session is None:
            raise Unavailable("broker_unreachable", "no broker")
        topic = ("desired", agent_id, desired.printer_id)
        self._broker.publish(session, topic, desired, retain=True)
        if not session.open:
            await asyncio.sleep(10.0)
            raise Unavailable("broker_unreachable", "no answer")

    async def forget_printer(self, agent_id: AgentId, printer_id: PrinterId) -> None:
        """Nobody retires anything in these histories."""
        raise Unavailable("broker_unreachable", "no broker")

    async def forget_agent(self, agent_id: AgentId) -> None:
        """Nobody retires anything in these histories."""
        raise Unavailable("broker_unreachable", "no broker")

    async def ask_again(self) -> None:
        """Nobody asks for more than agents say by themselves."""

    async def send_command(self, command: Command) -> None:
        """Nobody gives commands in these histories."""
        raise Unavailable("broker_unreachable", "no broker")

    def connect(self) -> None:
        """Open a session, now or when there is a broker."""
        if not self._process.alive:
            return
        world = self._process.world
        down = CoordinatorStatus(up=False, coordinator_id=self._process.name)
        session = Session(
            client_id=self._process.name,
            wants=lambda topic: topic[0] in _HEARD,
            take=lambda message: self._take(session, message),
            closed=lambda: self._closed(session),
            will=(_STATUS, down),
        )
        if not self._broker.connect(session):
            world.later(world.random.uniform(*RECONNECT_S), self.connect)
            return
        self._connection = session
        self._sessions += 1
        self._broker.subscribe(session)
        self._say_status()
        sync = Sync(id=f"{self._process.name}-{self._sessions}", spread_s=SYNC_SPREAD_S)
        self._broker.publish(session, ("sync", "", ""), sync, retain=False)
        self.on_connected()

    def cut(self) -> None:
        """Break the cable."""
        if self._connection is not None:
            self._broker.cut(self._connection)

    def die(self) -> None:
        """End with the process."""
        if self._connection is not None:
            self._broker.leave(self._connection)

    def _closed(self, session: Session) -> None:
        if self._process.alive and session is self._connection:
            self._connection = None
            world = self._process.world
            world.later(world.random.uniform(*RECONNECT_S), self.connect)

    def _say_status(self) -> None:
        if self._connection is not None:
            up = CoordinatorStatus(up=True, coordinator_id=self._process.name)
            self._broker.publish(self._connection, _STATUS, up, retain=True)

    def _take(self, session: Session, message: Message) -> None:
        if not self._process.alive or session is not self._connection:
            return
        if isinstance(message, CoordinatorStatus):
            # The death of a coordinator before this one must not be what the broker retains.
            if not message.up:
                self._say_status()
        else:
            self.inbox.put_nowait(message)


_STATUS = ("status", "", "")
_HEARD = ("presence", "reported", "events", "status")


class CoordinatorHost:
    """A machine that keeps a coordinator."""

    def __init__(
        self,
        world: World,
        broker: Broker,
        store: JudgedStore,
        files: Files,
        name: str,
        *,
        crash: float,
    ) -> None:
        self.world = world
        self.name = name
        self._files = files
        self.skew_s = [0.0]
        self.retired = False
        self._broker = broker
        self._store = store
        self._crash = crash

    def boot(self, starts: "Starts") -> None:
        """Start the coordinator."""
        self._starts = starts
        start = starts.next()
        process = Process(
            self.world, f"coordinator {self.name} ({start})", crash=self._crash, skew_s=self.skew_s
        )
        process.on_death = self._died
        self.process = process
        self.link = CoordinatorLink(process, self._broker)
        self._wanted = {name: asyncio.Event() for name in BELLS_S}
        self.farm = Farm(
            store=StoreSession(process, self._store),
            artifacts=SimulatedArtifacts(process, self._files),  # type: ignore[arg-type]
            slicer=SimulatedSlicer(process, self._files, self._store.judge),
            link=self.link,
            clock=SkewedClock(self.world, self.skew_s),
            ids=starts.ids,
            poke=self._poke,
        )
        self.link.on_connected = lambda: self._poke("repeat")
        self.world.tell(f"{process.name} starts")
        process.begin(self._main)

    def _poke(self, work: str) -> None:
        if work in self._wanted:
            self._wanted[work].set()

    async def _main(self) -> None:
        verbs: dict[str, Callable[[Farm], Awaitable[Any]]] = {
            "dispatch": dispatch_jobs,
            "outbox": flush_outbox,
            "repeat": repeat_desired,
            "prepare": prepare_jobs,
            "slice": slice_plates,
        }
        while True:
            with suppress(Unavailable):
                await recover(self.farm)
                break
            await asyncio.sleep(5.0)
        async with asyncio.TaskGroup() as tasks:
            for name, verb in verbs.items():
                tasks.create_task(self._answer(name, verb))
            tasks.create_task(self._listen())
            self.link.connect()

    async def _answer(self, name: str, verb: Callable[[Farm], Awaitable[Any]]) -> None:
        wanted = self._wanted[name]
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(BELLS_S[name]):
                    await wanted.wait()
            wanted.clear()
            try:
                await verb(self.farm)
            except (NotNow, Unavailable):
                await asyncio.sleep(1.0)
                wanted.set()

    async def _listen(self) -> None:
        while True:
            message = await self.link.inbox.get()
            with suppress(NotNow, Unavailable):
                await absorb(self.farm, message)

    async def ask(self, verb: Callable[[Farm], Awaitable[Any]]) -> bool:
        """Let somebody ask for something over the API; whether it was done."""
        if self.retired or not self.process.alive:
            return False
        work = asyncio.ensure_future(verb(self.farm))
        dead = self.process.died
        await asyncio.wait((work, dead), return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            work.cancel()
            return False
        if isinstance(work.exception(), FarmError):
            return False
        work.result()
        return True

    def _died(self) -> None:
        self.link.die()
        away_s = self.world.random.choice((5.0, 60.0, 3600.0)) if self.world.troubled else 5.0
        self.world.later(away_s, self._again)

    def _again(self) -> None:
        if not self.process.alive and not self.retired:
            self.boot(self._starts)


class Starts:
    """What coordinators share: the count of their starts, and ids."""

    def __init__(self) -> None:
        self.ids = CountingIds()
        self._last = 0

    def next(self) -> int:
        """Return the number of the next start."""
        self._last += 1
        return self._last
