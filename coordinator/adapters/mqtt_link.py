"""The way to the agents: one MQTT 3.1.1 session, begun anew whenever it breaks.

Theory: a session is clean and begins with subscribing, so that what is retained arrives; then the
coordinator says that it is up and asks every agent to repeat itself. Nothing is remembered from
one session to the next, here or in the broker: `on_connected` lets the owner say everything again.

aiomqtt drives paho on this loop. Its own queue would grow without limit; `_Inbox` takes its place.
"""

import asyncio
import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiomqtt
import structlog

from coordinator.errors import SettingsInvalid, Unavailable
from protocols.errors import ProtocolError
from protocols.wire.codec import Message, encode, receive
from protocols.wire.compat import PROTOCOL_MINOR
from protocols.wire.complaints import Complaints
from protocols.wire.to_agent import CoordinatorStatus, Desired, Sync
from protocols.wire.topics import ROOT, Topic, build, subscription
from protocols.wire.vocabulary import AgentId

log = structlog.get_logger(__name__)

Handler = Callable[[Message], Awaitable[None]]

KEEPALIVE_S = 20
# The broker is next door or a data centre away; who needs longer for one small message is gone.
ANSWER_S = 5.0
RETRY_S_MIN, RETRY_S_MAX = 0.1, 5.0
# Telemetry of a thousand printers for some seconds; whoever falls further behind shows old values.
TELEMETRY_WAITING_MAX = 5_000
# Everything else: ten thousand agents that present themselves and report at once.
WAITING_MAX = 50_000
# Within this time all agents repeat themselves; a farm of ten thousand would want a minute.
SYNC_SPREAD_S = 2.0

_REFUSED = 0x80  # in the answer to a subscription; MQTT 3.1.1, 3.9.3
_TELEMETRY = f"{ROOT}/telemetry/"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAddress:
    """Where the broker is, and who we are there."""

    host: str
    port: int
    tls: bool = False
    username: str | None = None
    password: str | None = None

    @classmethod
    def of(cls, url: str, *, username: str | None, password: str | None) -> "BrokerAddress":
        """Return what a URL says: `mqtt://host:1883` or `mqtts://host:8883`.

        Raises:
            SettingsInvalid: it is no such URL.
        """
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or port == -1:
            raise SettingsInvalid(
                f"broker_url {url!r} is no address of a broker: write mqtt://HOST:1883 "
                "or mqtts://HOST:8883"
            )
        tls = parts.scheme == "mqtts"
        return cls(
            host=parts.hostname,
            port=port or (8883 if tls else 1883),
            tls=tls,
            username=parts.username or username,
            password=parts.password or password,
        )

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


@dataclass(slots=True)
class LinkCounters:
    """What went wrong so far, for health and metrics."""

    sessions: int = 0
    malformed: int = 0
    telemetry_dropped: int = 0
    dropped: int = 0


class MqttLink:
    """The port `AgentLink`, and what agents say to us."""

    def __init__(self, address: BrokerAddress, *, coordinator_id: str, term: int = 0) -> None:
        """Take the broker's address; nothing happens before `run`."""
        self.counters = LinkCounters()
        self._complaints = Complaints()
        self._address = address
        self._coordinator_id = coordinator_id
        self._term = term
        self._client: aiomqtt.Client | None = None
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
        client = self._client
        if client is None or not self.connected:
            raise self._unreachable()
        topic = build(Topic.DESIRED, agent_id, desired.printer_id)
        try:
            await self._say(client, Topic.DESIRED, topic, encode(desired))
        except aiomqtt.MqttError as error:
            raise self._unreachable() from error

    async def repeat_status(self) -> None:
        """Say again that we are up: the late will of a coordinator before this one says no."""
        client = self._client
        if client is not None and self.connected:
            with suppress(aiomqtt.MqttError):  # the session ends then, and the next one says it
                await self._say_status(client, up=True)

    async def run(self, handle: Handler, on_connected: Callable[[], Awaitable[None]]) -> None:
        """Hold a session until cancelled; then say goodbye.

        Args:
            handle: takes each message, one at a time; what it raises ends this.
            on_connected: awaited at the beginning of each session.
        """
        retry_s, told = RETRY_S_MIN, False
        while True:
            try:
                async with self._session() as client:
                    log.info("link.connected", broker=str(self._address))
                    retry_s, told = RETRY_S_MIN, False
                    await on_connected()
                    await self._listen(client, handle)
            except aiomqtt.MqttError as error:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise asyncio.CancelledError from error  # the goodbye failed
                self._why = _words_of(error)
                if not told:
                    log.warning("link.lost", broker=str(self._address), error=self._why)
                    told = True
            await asyncio.sleep(retry_s * random.uniform(0.5, 1.0))
            retry_s = min(retry_s * 2, RETRY_S_MAX)

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[aiomqtt.Client]:
        """Connect, subscribe and lend the session; say goodbye where there is time for it."""
        async with self._new_client() as client:
            await self._begin(client)
            self.counters.sessions += 1
            self._client = client
            self._is_up.set()
            try:
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
        wanted = [topic for topic in Topic if topic.value.from_agent]
        answers = await client.subscribe([(subscription(topic), topic.qos) for topic in wanted])
        if any(getattr(answer, "value", answer) == _REFUSED for answer in answers):
            raise aiomqtt.MqttError("the broker refuses our subscriptions: check its access list")
        await self._say_status(client, up=True)
        sync = Sync(id=f"{self._coordinator_id}-{self.counters.sessions}", spread_s=SYNC_SPREAD_S)
        await self._say(client, Topic.COORDINATOR_SYNC, build(Topic.COORDINATOR_SYNC), encode(sync))

    async def _listen(self, client: aiomqtt.Client, handle: Handler) -> None:
        """Hand over what arrives, until the session breaks."""
        async for arrived in client.messages:
            payload = arrived.payload if isinstance(arrived.payload, bytes) else b""
            if not payload:
                continue  # a retained message was deleted
            try:
                message = receive(arrived.topic.value, payload)
            except ProtocolError as error:
                self._complain(arrived.topic.value, error)
                continue
            await handle(message)

    def _complain(self, topic: str, error: ProtocolError) -> None:
        """Count a message that is dropped; now and then tell of it."""
        count = self._complaints.note(asyncio.get_running_loop().time())
        self.counters.malformed = self._complaints.count
        if count:
            log.warning("message.dropped", topic=topic[:200], reason=str(error), count=count)

    async def _say_status(self, client: aiomqtt.Client, *, up: bool) -> None:
        topic = build(Topic.COORDINATOR_STATUS)
        await self._say(client, Topic.COORDINATOR_STATUS, topic, self._status(up=up))

    async def _say(self, client: aiomqtt.Client, kind: Topic, topic: str, payload: bytes) -> None:
        before = _cancellations()
        await client.publish(topic, payload, kind.qos, kind.retain, timeout=ANSWER_S)
        if _cancellations() > before:
            # `asyncio.wait_for` of Python 3.11, which aiomqtt waits with, swallows a cancellation
            # that comes in the same turn of the loop as the broker's answer.
            raise asyncio.CancelledError

    def _status(self, *, up: bool) -> bytes:
        return encode(
            CoordinatorStatus(
                up=up,
                coordinator_id=self._coordinator_id,
                term=self._term,
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
        return aiomqtt.Client(
            self._address.host,
            self._address.port,
            username=self._address.username,
            password=self._address.password,
            identifier=self._coordinator_id,
            protocol=aiomqtt.ProtocolVersion.V311,
            clean_session=True,
            keepalive=KEEPALIVE_S,
            timeout=ANSWER_S,
            will=aiomqtt.Will(build(rule), self._status(up=False), rule.qos, rule.retain),
            queue_type=_inbox_of(self.counters),
            tls_context=ssl.create_default_context() if self._address.tls else None,
        )


def _cancellations() -> int:
    """Return how often this task was cancelled so far."""
    task = asyncio.current_task()
    return task.cancelling() if task is not None else 0


def _words_of(error: aiomqtt.MqttError) -> str:
    """Return why a session broke; the library wraps the system's own words."""
    cause = error.__cause__ or error.__context__
    return (isinstance(cause, OSError) and cause.strerror) or str(error) or type(error).__name__


def _inbox_of(counters: LinkCounters) -> type[asyncio.Queue[aiomqtt.Message]]:
    """Return a kind of queue that counts here; aiomqtt makes its queue itself."""

    class Inbox(_Inbox):
        def __init__(self, maxsize: int = 0) -> None:
            super().__init__(maxsize)
            self.counters = counters

    return Inbox


class _Inbox(asyncio.Queue[aiomqtt.Message]):
    """Messages that wait for the handler. Telemetry is the first to be let go."""

    counters: LinkCounters

    def put_nowait(self, item: aiomqtt.Message) -> None:
        """Add a message, or count it as dropped."""
        if item.topic.value.startswith(_TELEMETRY):
            if self.qsize() >= TELEMETRY_WAITING_MAX:
                self._drop("telemetry_dropped")
                return
        elif self.qsize() >= WAITING_MAX:
            self._drop("dropped")
            return
        super().put_nowait(item)

    def _drop(self, counter: str) -> None:
        before = getattr(self.counters, counter)
        if before == 0:
            log.warning("messages.dropped", kind=counter, waiting=self.qsize())
        setattr(self.counters, counter, before + 1)
