"""The session with the agents: begun anew whenever it breaks; any MQTT 3.1.1 broker will do.

Theory: a session is clean and begins with subscribing, so that what is retained arrives; then the
coordinator says that it is up and asks every agent to repeat itself. Nothing is remembered from
one session to the next, here or in the broker: `on_connected` lets the owner say everything again.

aiomqtt drives paho on this loop. Its own queue would grow without limit and cost two tasks a
message; what arrives is handed to the `Inbox` instead. Telemetry does not come this way.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import aiomqtt
import structlog

from coordinator.adapters.mqtt_link.address import BrokerAddress
from coordinator.adapters.mqtt_link.inbox import TAKEN_MAX, Inbox, LinkCounters
from coordinator.adapters.mqtt_link.reading import read_on
from coordinator.adapters.mqtt_link.swallowed import cancellations, heed_cancellation
from coordinator.adapters.mqtt_link.telemetry import TelemetryFeed
from coordinator.adapters.mqtt_link.writing import write_while_open
from coordinator.errors import Unavailable
from protocols.wire.codec import encode
from protocols.wire.compat import PROTOCOL_MINOR
from protocols.wire.from_agent import Telemetry
from protocols.wire.to_agent import Command, CoordinatorStatus, Desired, Sync
from protocols.wire.topics import Topic, build, subscription
from protocols.wire.vocabulary import AgentId, PrinterId

log = structlog.get_logger(__name__)

KEEPALIVE_S = 20
# The broker is next door or a data centre away; who needs longer for one small message is gone.
ANSWER_S = 5.0
# A session's beginning takes several turns of a loop that has most to do just then.
BEGIN_S = 15.0
RETRY_S_MIN, RETRY_S_MAX = 0.1, 5.0
# More messages than one transaction takes in: telemetry makes room.
WAITING_FEW = TAKEN_MAX
# As many documents as are due are said at once; the library would warn of each beyond ten.
PENDING_MAX = 1000
# Within this time all agents repeat themselves; a farm of ten thousand would want a minute.
SYNC_SPREAD_S = 2.0

_REFUSED = 0x80  # in the answer to a subscription; MQTT 3.1.1, 3.9.3


class MqttLink:
    """The port `AgentLink`, and what agents say to us."""

    def __init__(
        self,
        address: BrokerAddress,
        *,
        coordinator_id: str,
        telemetry_address: BrokerAddress | None = None,
        explain: Callable[[BaseException], str] = lambda _error: "",
    ) -> None:
        """Take the broker's address; nothing happens before `run`.

        Args:
            telemetry_address: the same broker, where the second connection needs another name.
            explain: a sentence about an error, empty where there is none to say.
        """
        self.counters = LinkCounters()
        self.inbox = Inbox(self.counters)
        self._address = address
        self._telemetry_address = telemetry_address or address
        self._explain = explain
        self._coordinator_id = coordinator_id
        self._client: aiomqtt.Client | None = None
        self._asked = 0
        self._is_up = asyncio.Event()
        self._why = "nothing was heard of it yet"

    @property
    def connected(self) -> bool:
        """Whether a session stands and everything is subscribed."""
        return self._is_up.is_set()

    @property
    def trouble(self) -> str:
        """Why no agent can be reached, and what to do; empty where the broker answers."""
        return "" if self.connected else self._unreachable().message

    async def wait_connected(self) -> None:
        """Return once a session stands."""
        await self._is_up.wait()

    async def publish_desired(self, agent_id: AgentId, desired: Desired) -> None:
        """Say what is wanted, retained; returns once the broker has it.

        Raises:
            Unavailable: no connection to the broker.
        """
        topic = build(Topic.DESIRED, agent_id, desired.printer_id)
        await self._deliver(Topic.DESIRED, topic, encode(desired))

    async def forget_printer(self, agent_id: AgentId, printer_id: PrinterId) -> None:
        """Have the broker keep nothing of a printer: an empty payload removes what is retained.

        Raises:
            Unavailable: no connection to the broker.
        """
        for kind in (Topic.DESIRED, Topic.REPORTED):
            await self._deliver(kind, build(kind, agent_id, printer_id), b"")

    async def forget_agent(self, agent_id: AgentId) -> None:
        """Have the broker keep nothing of an agent itself.

        Raises:
            Unavailable: no connection to the broker.
        """
        await self._deliver(Topic.PRESENCE, build(Topic.PRESENCE, agent_id), b"")

    async def send_command(self, command: Command) -> None:
        """Say one command, not retained; returns once the broker has it.

        Raises:
            Unavailable: no connection to the broker.
        """
        topic = build(Topic.COMMANDS, command.agent_id)
        await self._deliver(Topic.COMMANDS, topic, encode(command))

    async def _deliver(self, kind: Topic, topic: str, payload: bytes) -> None:
        client = self._client
        if client is None or not self.connected:
            raise self._unreachable()
        try:
            await self._say(client, kind, topic, payload)
        except aiomqtt.MqttError as error:
            raise self._unreachable() from error

    async def repeat_status(self) -> None:
        """Say again that we are up: the late will of a coordinator before this one says no."""
        client = self._client
        if client is not None and self.connected:
            with suppress(aiomqtt.MqttError):  # the session ends then, and the next one says it
                await self._say_status(client, up=True)

    async def ask_again(self) -> None:
        """Have all agents repeat presence and reports: something they said was dropped."""
        client = self._client
        if client is not None and self.connected:
            with suppress(aiomqtt.MqttError):  # the next session begins with asking
                await self._say_sync(client)

    async def run(
        self, on_connected: Callable[[], Awaitable[None]], take: Callable[[Telemetry], None]
    ) -> None:
        """Hold the sessions until cancelled; then say goodbye. What arrives is in the `inbox`.

        Args:
            on_connected: awaited at the beginning of each session.
            take: given telemetry; what it raises ends nothing.
        """
        feed = TelemetryFeed(
            self._telemetry_address,
            client_id=f"{self._coordinator_id}-telemetry",
            counters=self.counters,
            take=take,
            its_turn=self.wait_connected,
            behind=lambda: not self.connected or self.inbox.waiting > WAITING_FEW,
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(feed.run(), name="link-telemetry")
            tasks.create_task(self._hold(on_connected), name="link-session")

    async def _hold(self, on_connected: Callable[[], Awaitable[None]]) -> None:
        """Hold the session with all but telemetry."""
        retry_s, told = RETRY_S_MIN, False
        while True:
            try:
                async with self._session() as client:
                    log.info("link.connected", broker=str(self._address))
                    retry_s, told = RETRY_S_MIN, False
                    await on_connected()
                    async for _ in client.messages:
                        pass  # none stays there: this waits for the session's end
            except aiomqtt.MqttError as error:
                if cancellations():
                    raise asyncio.CancelledError from error  # the goodbye failed
                self._why = self._explain(error) or _words_of(error)
                if not told:
                    log.warning("link.lost", broker=str(self._address), error=self._why)
                    told = True
            await asyncio.sleep(retry_s * random.uniform(0.5, 1.0))
            retry_s = min(retry_s * 2, RETRY_S_MAX)

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[aiomqtt.Client]:
        """Connect, subscribe and lend the session; say goodbye where there is time for it."""
        before = cancellations()
        async with self._new_client() as client:
            try:
                heed_cancellation(before)
                await self._begin(client)
                client.timeout = ANSWER_S
                self.counters.sessions += 1
                self._client = client
                self._is_up.set()
                yield client
            except aiomqtt.MqttError:
                raise
            except BaseException:
                # A client that leaves in good order leaves no will: say it ourselves.
                with suppress(aiomqtt.MqttError):
                    await self._say_status(client, up=False)
                raise
            finally:
                self._client = None
                self._is_up.clear()

    async def _begin(self, client: aiomqtt.Client) -> None:
        heard = [topic for topic in Topic if topic.value.from_agent]
        wanted = [topic for topic in heard if topic is not Topic.TELEMETRY]
        before = cancellations()
        answers = await client.subscribe([(subscription(topic), topic.qos) for topic in wanted])
        heed_cancellation(before)
        if any(getattr(answer, "value", answer) == _REFUSED for answer in answers):
            raise aiomqtt.MqttError("the broker refuses our subscriptions: check its access list")
        # The answers come behind all that is retained.
        await self._say_status(client, up=True, patience_s=BEGIN_S)
        await self._say_sync(client, patience_s=BEGIN_S)

    async def _say_sync(self, client: aiomqtt.Client, *, patience_s: float = ANSWER_S) -> None:
        self._asked += 1
        sync = Sync(id=f"{self._coordinator_id}-{self._asked}", spread_s=SYNC_SPREAD_S)
        kind = Topic.COORDINATOR_SYNC
        await self._say(client, kind, build(kind), encode(sync), patience_s)

    async def _say_status(
        self, client: aiomqtt.Client, *, up: bool, patience_s: float = ANSWER_S
    ) -> None:
        kind = Topic.COORDINATOR_STATUS
        await self._say(client, kind, build(kind), self._status(up=up), patience_s)

    async def _say(
        self,
        client: aiomqtt.Client,
        kind: Topic,
        topic: str,
        payload: bytes,
        patience_s: float = ANSWER_S,
    ) -> None:
        before = cancellations()
        await client.publish(topic, payload, kind.qos, kind.retain, timeout=patience_s)
        heed_cancellation(before)
        self.counters.traffic.sent[topic.rpartition("/")[2]] += 1

    def _status(self, *, up: bool) -> bytes:
        return encode(
            CoordinatorStatus(
                up=up,
                coordinator_id=self._coordinator_id,
                protocol_minor=PROTOCOL_MINOR,
            )
        )

    def _unreachable(self) -> Unavailable:
        return Unavailable(
            "broker_unreachable",
            f"no connection to the MQTT broker {self._address} ({self._why}): "
            "check that it runs, its address and the credentials",
        )

    def _new_client(self) -> aiomqtt.Client:
        rule = Topic.COORDINATOR_STATUS
        client = aiomqtt.Client(
            self._address.host,
            self._address.port,
            username=self._address.username,
            password=self._address.password,
            identifier=self._coordinator_id,
            protocol=aiomqtt.ProtocolVersion.V311,
            clean_session=True,
            keepalive=KEEPALIVE_S,
            timeout=BEGIN_S,
            will=aiomqtt.Will(build(rule), self._status(up=False), rule.qos, rule.retain),
            queue_type=_door_to(self.inbox),
            tls_context=self._address.tls_context(),
        )
        client.pending_calls_threshold = PENDING_MAX
        read_on(client, lambda: self.inbox.arrived)
        write_while_open(client)
        return client


def _words_of(error: aiomqtt.MqttError) -> str:
    """Return why a session broke; the library wraps the system's own words."""
    cause = error.__cause__ or error.__context__
    return (isinstance(cause, OSError) and cause.strerror) or str(error) or type(error).__name__


def _door_to(inbox: Inbox) -> type[asyncio.Queue[aiomqtt.Message]]:
    """Return a kind of queue that holds nothing; aiomqtt makes its queue itself."""

    class Door(asyncio.Queue[aiomqtt.Message]):
        def put_nowait(self, item: aiomqtt.Message) -> None:
            payload = item.payload if isinstance(item.payload, bytes) else b""
            inbox.put(item.topic.value, payload)

    return Door
