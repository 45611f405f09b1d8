"""The session with the broker: one connection, kept; what goes out, queued; what comes in, sorted.

Nothing here is durable and nothing waits for the network: callers leave their newest word and go
on. Reports replace each other (the latest wins), events are offered again by their outbox,
telemetry is what is dropped first. After a reconnect everything that is level is said anew, so
nothing rests on what a broker kept. MQTT 3.1.1, clean sessions.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import uuid4

import aiomqtt
import structlog

from agent.link_faults import reason_of
from agent.swallowed import cancellations, heed_cancellation
from agent.tls import context_of
from agent.writing import write_while_open
from protocols.errors import ProtocolError
from protocols.wire.codec import Message, encode, receive
from protocols.wire.complaints import Complaints
from protocols.wire.from_agent import (
    CommandResult,
    Presence,
    PrinterDescription,
    Reported,
    Telemetry,
    UpdateReport,
)
from protocols.wire.to_agent import Command, CoordinatorStatus, Desired, Sync
from protocols.wire.topics import Topic, build, subscription
from protocols.wire.vocabulary import PrinterId

log = structlog.get_logger(__name__)

RECONNECT_S_MAX = 60.0
KEEPALIVE_S = 30
PUBLISH_S_MAX = 20.0  # for the broker's acknowledgement; after that the connection is dead
FAREWELL_S_MAX = 2.0
SPREAD_S_MAX = 300.0

# An outbox offers again what did not fit; more than this in flight only makes a loss longer.
EVENTS_MAX = 256
RESULTS_MAX = 64
INCOMING_MAX = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where the broker is and how to enter; `tls` with the system's authorities or `ca_file`."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None
    tls: bool = False
    ca_file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Whom the link tells; all of these return at once.

    Attributes:
        desired: a document for one of the agent's printers.
        command: one thing to do.
        turned: the connection, or the coordinator, came or went.
    """

    desired: Callable[[Desired], None]
    command: Callable[[Command], None]
    turned: Callable[[], None]


@dataclass(frozen=True, slots=True)
class _Parcel:
    """One message on its way out, and what to forget once it is gone."""

    topic: Topic
    printer_id: PrinterId | None
    payload: bytes
    sent: Callable[[], None]


class Link:
    """The agent's voice and ears. `run` keeps the connection; the rest may be called any time."""

    def __init__(
        self,
        broker: Broker,
        presence: Presence,
        listener: Listener,
        *,
        reconnect_s_min: float = 1.0,
    ) -> None:
        """Make a link that is not connected yet.

        Args:
            broker: where to.
            presence: what is said of this agent; the connection's id is put in for each.
            listener: whom to tell.
            reconnect_s_min: first wait after a loss; doubles up to a minute, with jitter.
        """
        self._broker = broker
        self._presence = presence
        self._listener = listener
        self._reconnect_s_min = reconnect_s_min
        self._wake = asyncio.Event()
        self._reports: dict[PrinterId, Reported] = {}
        self._unsaid: dict[PrinterId, None] = {}
        self._events: deque[tuple[PrinterId, bytes]] = deque()
        self._results: deque[CommandResult] = deque(maxlen=RESULTS_MAX)
        self._telemetry: Telemetry | None = None
        self._presence_due = False
        self._coordinator: CoordinatorStatus | None = None
        self._repeating = False
        self.connected = False
        self.session = 0
        self._complaints = Complaints()

    @property
    def heard(self) -> bool:
        """Whether the coordinator would hear us: connected, and nobody said that it is down."""
        return self.connected and (self._coordinator is None or self._coordinator.up)

    @property
    def dropped(self) -> int:
        """How many messages were none, or none for us."""
        return self._complaints.count

    def report(self, reported: Reported) -> None:
        """Say how a printer stands; replaces what was not said yet."""
        self._reports[reported.printer_id] = reported
        self._unsaid[reported.printer_id] = None
        self._wake.set()

    def offer_event(self, printer_id: PrinterId, payload: bytes) -> bool:
        """Take one event of an outbox to be said in order; False: not now, offer it again."""
        if not self.connected or len(self._events) >= EVENTS_MAX:
            return False
        self._events.append((printer_id, payload))
        self._wake.set()
        return True

    def drain(self, on: bool = True, update: UpdateReport | None = None) -> None:
        """Say, from now on, whether this agent is being drained, and how its update goes."""
        update = update or self._presence.update
        self._presence = replace(self._presence, draining=on, update=update)
        self._presence_due = True
        self._wake.set()

    def present(self, printers: tuple[PrinterDescription, ...]) -> None:
        """Say, now and from now on, that this agent has these printers."""
        gone = {each.printer_id for each in self._presence.printers} - {
            each.printer_id for each in printers
        }
        for printer_id in gone:
            self._reports.pop(printer_id, None)
            self._unsaid.pop(printer_id, None)
        self._presence = replace(self._presence, printers=printers)
        self._presence_due = True
        self._wake.set()

    def answer(self, result: CommandResult) -> None:
        """Answer a command; when too many wait, the oldest answer is dropped."""
        self._results.append(result)
        self._wake.set()

    def sample(self, telemetry: Telemetry) -> None:
        """Say telemetry if there is anybody to hear it; the newest replaces the unsaid."""
        if self.connected:
            self._telemetry = telemetry
            self._wake.set()

    async def run(self) -> None:
        """Keep a connection until cancelled; then say goodbye."""
        wait_s, complained = self._reconnect_s_min, False
        while True:
            before = self.session
            try:
                await self._live()
            except* (aiomqtt.MqttError, OSError, TimeoutError) as failures:
                where = f"{self._broker.host}:{self._broker.port}"
                reason = reason_of(failures.exceptions[0], where, self._broker.username)
            if self.session > before:
                wait_s, complained = self._reconnect_s_min, False
            if not complained:
                log.warning("link.lost", broker=self._broker.host, reason=reason)
                complained = True
            await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))
            wait_s = min(2 * wait_s, RECONNECT_S_MAX)

    async def _live(self) -> None:
        """One connection, from its beginning to its end."""
        presence = replace(self._presence, online=True, connection_id=uuid4().hex)
        agent_id, before = presence.agent_id, cancellations()
        async with self._client(presence) as client:
            for topic in (Topic.DESIRED, Topic.COMMANDS):
                await client.subscribe(subscription(topic, agent_id), topic.qos)
            for topic in (Topic.COORDINATOR_STATUS, Topic.COORDINATOR_SYNC):
                await client.subscribe(subscription(topic), topic.qos)
            heed_cancellation(before)
            try:
                await self._say_presence(client, presence)
                # Only now: what is retained there is ours; a death that follows is a stale one.
                await client.subscribe(subscription(Topic.PRESENCE, agent_id), Topic.PRESENCE.qos)
                heed_cancellation(before)
                self._came()
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._hear(client, presence, tasks), name="link.hear")
                    tasks.create_task(self._speak(client, presence), name="link.speak")
            except asyncio.CancelledError:
                await self._farewell(client, presence)
                raise
            finally:
                self._went()

    def _client(self, presence: Presence) -> aiomqtt.Client:
        broker = self._broker
        will = replace(presence, online=False)
        client = aiomqtt.Client(
            broker.host,
            broker.port,
            username=broker.username,
            password=broker.password,
            identifier=f"farmhand-agent-{presence.agent_id}",
            protocol=aiomqtt.ProtocolVersion.V311,
            clean_session=True,
            keepalive=KEEPALIVE_S,
            timeout=PUBLISH_S_MAX,
            max_queued_incoming_messages=INCOMING_MAX,
            tls_context=context_of(broker.ca_file) if broker.tls else None,
            will=aiomqtt.Will(
                build(Topic.PRESENCE, presence.agent_id),
                encode(will),
                Topic.PRESENCE.qos,
                Topic.PRESENCE.retain,
            ),
        )
        write_while_open(client)
        return client

    def _came(self) -> None:
        self.connected = True
        self.session += 1
        self._say_all_again()
        log.info("link.connected", broker=self._broker.host, session=self.session)
        self._listener.turned()

    def _went(self) -> None:
        self.connected = False
        self._coordinator = None
        self._repeating = False
        self._events.clear()
        self._telemetry = None
        self._listener.turned()

    def _say_all_again(self) -> None:
        self._unsaid = dict.fromkeys(self._reports)
        self._wake.set()

    async def _say_presence(self, client: aiomqtt.Client, presence: Presence) -> None:
        topic = build(Topic.PRESENCE, presence.agent_id)
        before = cancellations()
        await client.publish(topic, encode(presence), Topic.PRESENCE.qos, Topic.PRESENCE.retain)
        heed_cancellation(before)

    async def _farewell(self, client: aiomqtt.Client, presence: Presence) -> None:
        """Go offline by our own word; a clean disconnect discards the will."""
        try:
            # Not asyncio.timeout: broken in a cancelled task on Python 3.11.2.
            farewell = self._say_presence(client, replace(presence, online=False))
            await asyncio.wait_for(farewell, FAREWELL_S_MAX)
        except (aiomqtt.MqttError, TimeoutError) as error:
            log.info("link.farewell_failed", reason=str(error))

    async def _speak(self, client: aiomqtt.Client, presence: Presence) -> None:
        agent_id = presence.agent_id
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._presence_due:
                self._presence_due = False
                now = self._presence
                current = replace(
                    presence, draining=now.draining, printers=now.printers, update=now.update
                )
                await self._say_presence(client, current)
            while (parcel := self._next()) is not None:
                name = build(parcel.topic, agent_id, parcel.printer_id)
                await client.publish(name, parcel.payload, parcel.topic.qos, parcel.topic.retain)
                parcel.sent()
                heed_cancellation()

    def _next(self) -> _Parcel | None:
        """Return what is most pressing; telemetry comes last."""
        if self._unsaid:
            printer_id = next(iter(self._unsaid))
            reported = self._reports[printer_id]

            def said() -> None:
                if self._reports.get(printer_id) is reported:
                    self._unsaid.pop(printer_id, None)

            return _Parcel(Topic.REPORTED, printer_id, encode(reported), said)
        if self._events:
            printer_id, payload = self._events[0]
            return _Parcel(Topic.EVENTS, printer_id, payload, lambda: _drop_first(self._events))
        if self._results:
            result = self._results[0]
            return _Parcel(
                Topic.RESULTS, None, encode(result), lambda: _drop(self._results, result)
            )
        if self._telemetry is not None:
            telemetry, self._telemetry = self._telemetry, None
            return _Parcel(Topic.TELEMETRY, None, encode(telemetry), lambda: None)
        return None

    async def _hear(
        self, client: aiomqtt.Client, presence: Presence, tasks: asyncio.TaskGroup
    ) -> None:
        async for arrived in client.messages:
            payload = arrived.payload
            if not payload:
                continue  # a retained message was deleted
            topic = arrived.topic.value
            try:
                message = receive(topic, payload if isinstance(payload, bytes) else b"")
            except ProtocolError as error:
                self._complain(topic, error)
                continue
            if isinstance(message, Sync):
                self._repeat_soon(message, tasks)
            else:
                self._sort(message, presence)

    def _complain(self, topic: str, error: ProtocolError) -> None:
        """Count a message that is dropped; now and then tell of it."""
        if count := self._complaints.note(asyncio.get_running_loop().time()):
            log.warning("message.dropped", topic=topic[:200], reason=str(error), count=count)

    def _sort(self, message: Message, presence: Presence) -> None:
        match message:
            case Desired():
                self._listener.desired(message)
            case Command():
                self._listener.command(message)
            case CoordinatorStatus():
                self._note_coordinator(message)
            case Presence():
                self._note_own_presence(message, presence)
            case _:
                log.debug("message.ignored", kind=message.kind)

    def _note_coordinator(self, status: CoordinatorStatus) -> None:
        known = self._coordinator
        others = known is not None and status.coordinator_id != known.coordinator_id
        if known is not None and known.up and not status.up and others:
            return  # the death of an earlier coordinator
        if known is None or known.up != status.up:
            name = "coordinator.came" if status.up else "coordinator.went"
            log.info(name, coordinator_id=status.coordinator_id)
        self._coordinator = status
        self._listener.turned()

    def _note_own_presence(self, seen: Presence, ours: Presence) -> None:
        if not seen.online:
            log.info("link.stale_death_corrected", connection_id=seen.connection_id)
            self._presence_due = True
            self._wake.set()
        elif seen.connection_id != ours.connection_id:
            log.error("link.identity_shared", boot_id=seen.boot_id, journal_id=seen.journal_id)

    def _repeat_soon(self, sync: Sync, tasks: asyncio.TaskGroup) -> None:
        """Say everything again after a random part of the spread; one repetition at a time."""
        if not self._repeating:
            self._repeating = True
            wait_s = random.uniform(0.0, min(max(sync.spread_s, 0.0), SPREAD_S_MAX))
            tasks.create_task(self._repeat(wait_s), name="link.repeat")

    async def _repeat(self, wait_s: float) -> None:
        await asyncio.sleep(wait_s)
        self._repeating = False
        self._presence_due = True
        self._say_all_again()


def _drop_first(queue: deque[tuple[PrinterId, bytes]]) -> None:
    if queue:
        queue.popleft()


def _drop(queue: deque[CommandResult], result: CommandResult) -> None:
    if result in queue:
        queue.remove(result)
