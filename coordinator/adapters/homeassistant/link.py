"""The session with the broker of Home Assistant and other programs, begun anew whenever it breaks.

Theory. It is a session of its own, whichever broker it is: what outsiders say never stands in one
line with what agents say. It begins by asking what the broker retains of this farm, so that what is
gone can be taken back; how much that is no broker says, so a message to ourselves marks its end.
The last will says that the coordinator is away; that it is there, says whoever tells the farm,
after all the rest.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from types import MappingProxyType

import aiomqtt
import structlog

from coordinator.adapters.mqtt_link.address import BrokerAddress
from coordinator.adapters.mqtt_link.swallowed import cancellations, heed_cancellation
from coordinator.adapters.mqtt_link.writing import write_while_open
from coordinator.domain.automation.topics import OFFLINE, Message
from coordinator.errors import Unavailable
from coordinator.ports_automation import Heard

log = structlog.get_logger(__name__)

KEEPALIVE_S = 20
ANSWER_S = 5.0
RETRY_S_MIN, RETRY_S_MAX = 0.1, 10.0
# What is retained comes within milliseconds; a broker that lets the mark past it gets a moment.
KEPT_S_MAX = 3.0
KEPT_AFTER_MARK_S = 0.2
# Nobody presses so many buttons; what comes beyond is dropped, and told.
HEARD_MAX = 200
# As many as are said at once are on their way at once; of more the library would warn.
PENDING_MAX = 200

_REFUSED = 0x80


class BrokerLink:
    """Implements `AutomationLink`; `run` holds the sessions."""

    def __init__(
        self,
        address: BrokerAddress,
        *,
        client_id: str,
        status_topic: str,
        mark_topic: str,
        hears: Collection[str],
        looks_at: Collection[str],
    ) -> None:
        """Take the broker's address; nothing happens before `run`.

        Args:
            status_topic: where the last will is said.
            mark_topic: one of ours that nobody else minds.
            hears: filters of what is handed on.
            looks_at: filters of what was retained, at the beginning of each session.
        """
        self._address, self._client_id = address, client_id
        self._status_topic, self._mark_topic = status_topic, mark_topic
        self._hears, self._looks_at = tuple(hears), (*looks_at, mark_topic)
        self._client: aiomqtt.Client | None = None
        self._up = asyncio.Event()
        self._sessions = 0
        self._kept: dict[str, bytes] = {}
        self._is_looking = False
        self._marked = asyncio.Event()
        self._inbox: asyncio.Queue[Heard] = asyncio.Queue(HEARD_MAX)
        self._why = "nothing was heard of it yet"

    @property
    def session(self) -> int:
        """Which session stands; 0 while none does."""
        return self._sessions if self._up.is_set() else 0

    @property
    def kept(self) -> Mapping[str, bytes]:
        """What was retained when the session began."""
        return MappingProxyType(self._kept)

    async def wait_up(self) -> None:
        """Return once a session stands."""
        await self._up.wait()

    async def hear(self) -> Heard:
        """Return the next thing that somebody said."""
        return await self._inbox.get()

    async def say(self, *messages: Message) -> None:
        """Say all of these; see the port."""
        client = self._client
        if client is None:
            raise self._unreachable()
        before = cancellations()
        # They begin in this order, and so they leave: the library writes before it waits.
        async with asyncio.TaskGroup() as tasks:
            said = [
                tasks.create_task(_said(client, each), name="automation-say") for each in messages
            ]
        heed_cancellation(before)
        for each in said:
            if (error := each.result()) is not None:
                raise self._unreachable() from error

    async def run(self) -> None:
        """Hold the sessions until cancelled; then say goodbye."""
        retry_s, told = RETRY_S_MIN, False
        while True:
            try:
                async with self._session() as client:
                    log.info("automation.connected", broker=str(self._address))
                    retry_s, told = RETRY_S_MIN, False
                    async for _ in client.messages:
                        pass  # none stays there: this waits for the session's end
            except aiomqtt.MqttError as error:
                if cancellations():
                    raise asyncio.CancelledError from error
                self._why = str(error.__cause__ or error) or type(error).__name__
                if not told:
                    log.warning("automation.lost", broker=str(self._address), error=self._why)
                    told = True
            await asyncio.sleep(retry_s * random.uniform(0.5, 1.0))
            retry_s = min(retry_s * 2, RETRY_S_MAX)

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[aiomqtt.Client]:
        before = cancellations()
        async with self._new_client() as client:
            heed_cancellation(before)
            await self._look(client)
            await self._subscribe(client, self._hears)
            self._client = client
            self._sessions += 1
            self._up.set()
            try:
                yield client
            except aiomqtt.MqttError:
                raise
            except BaseException:
                # A client that leaves in good order leaves no will: say it ourselves.
                with suppress(aiomqtt.MqttError):
                    await client.publish(
                        self._status_topic, OFFLINE, qos=1, retain=True, timeout=ANSWER_S
                    )
                raise
            finally:
                self._client = None
                self._up.clear()

    async def _look(self, client: aiomqtt.Client) -> None:
        """Take in what the broker retains of this farm."""
        self._kept.clear()
        self._marked.clear()
        self._is_looking = True
        try:
            await self._subscribe(client, self._looks_at)
            await client.publish(self._mark_topic, self._client_id, qos=1, timeout=ANSWER_S)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._marked.wait(), KEPT_S_MAX)
            await asyncio.sleep(KEPT_AFTER_MARK_S)
            await client.unsubscribe(list(self._looks_at), timeout=ANSWER_S)
        finally:
            self._is_looking = False

    async def _subscribe(self, client: aiomqtt.Client, filters: Collection[str]) -> None:
        before = cancellations()
        answers = await client.subscribe([(each, 1) for each in filters], timeout=ANSWER_S)
        heed_cancellation(before)
        if any(getattr(answer, "value", answer) == _REFUSED for answer in answers):
            raise aiomqtt.MqttError("the broker refuses our subscriptions: check its access list")

    def _take(self, message: aiomqtt.Message) -> None:
        topic = message.topic.value
        payload = message.payload if isinstance(message.payload, bytes) else b""
        if topic == self._mark_topic:
            self._marked.set()
        elif self._is_looking:
            if message.retain:
                self._kept[topic] = payload
        elif self._inbox.full():
            log.warning("automation.dropped", topic=topic)
        else:
            self._inbox.put_nowait(Heard(topic, payload, retained=message.retain))

    def _unreachable(self) -> Unavailable:
        return Unavailable(
            "broker_unreachable",
            f"no connection to the broker {self._address} of Home Assistant and programs "
            f"({self._why}): check that it runs, its address and the credentials",
        )

    def _new_client(self) -> aiomqtt.Client:
        take = self._take

        class Door(asyncio.Queue[aiomqtt.Message]):
            """Holds nothing; aiomqtt makes its queue itself."""

            def put_nowait(self, item: aiomqtt.Message) -> None:
                take(item)

        client = aiomqtt.Client(
            self._address.host,
            self._address.port,
            username=self._address.username,
            password=self._address.password,
            identifier=self._client_id,
            protocol=aiomqtt.ProtocolVersion.V311,
            clean_session=True,
            keepalive=KEEPALIVE_S,
            timeout=ANSWER_S,
            will=aiomqtt.Will(self._status_topic, OFFLINE, 1, True),
            queue_type=Door,
            tls_context=self._address.tls_context(),
            max_inflight_messages=PENDING_MAX,
        )
        client.pending_calls_threshold = PENDING_MAX
        write_while_open(client)
        return client


async def _said(client: aiomqtt.Client, message: Message) -> aiomqtt.MqttError | None:
    """Return once the broker has a message, or why it has not."""
    try:
        await client.publish(
            message.topic, message.payload, message.qos, message.retain, timeout=ANSWER_S
        )
    except aiomqtt.MqttError as error:
        return error
    return None
