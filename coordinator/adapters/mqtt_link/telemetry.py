"""Telemetry, on a connection of its own: it may be lost, so it must never be in the way.

Theory. Telemetry is most of what agents say and the least of what matters. On its own connection it
can neither delay a report nor fill a queue before one, in the broker as little as here. All that is
needed of MQTT 3.1.1 for it is to connect, to subscribe with QoS 0, to ping, and to read PUBLISH;
`asyncio` reads it in large pieces, where a whole client costs several times as much a message.

Only the newest message of each agent is kept until it is decoded, and only some are decoded in one
turn of the loop. So whoever is behind shows fewer values, but fresh ones, and the rest of the
coordinator gets its turn. It is listened to only once what must arrive can, and read slowly while
that waits: a coordinator that starts on a machine without time to spare would else never get to it.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from itertools import islice

import structlog

from coordinator.adapters.mqtt_link.address import BrokerAddress
from coordinator.adapters.mqtt_link.inbox import LinkCounters, decoded
from coordinator.usecases.counted import DROPPED, SUPERSEDED
from protocols.wire.codec import MESSAGE_BYTES_MAX
from protocols.wire.from_agent import Telemetry
from protocols.wire.topics import Topic, subscription

log = structlog.get_logger(__name__)

KEEPALIVE_S = 20
ANSWER_S = 5.0
RETRY_S_MIN, RETRY_S_MAX = 0.1, 5.0
# Each waits with its newest message: 50,000 x 3 KB.
AGENTS_MAX = 50_000
# A turn of 2 ms with agents of one printer, 6 ms with agents of eight.
DECODED_A_TURN = 200
# While something waits that must arrive: so many, so often.
DECODED_BEHIND, TURN_BEHIND_S = 20, 0.1

_CONNECT, _CONNACK, _PUBLISH, _SUBSCRIBE, _SUBACK = 0x10, 0x20, 0x30, 0x82, 0x90
_PING, _DISCONNECT = b"\xc0\x00", b"\xe0\x00"
_REFUSED = 0x80


async def _at_once() -> None:
    """Wait for nothing."""


class TelemetryFeed:
    """Hears telemetry for as long as `run` runs."""

    def __init__(
        self,
        address: BrokerAddress,
        *,
        client_id: str,
        counters: LinkCounters,
        take: Callable[[Telemetry], None],
        subscribed: Callable[[], object] = lambda: None,
        its_turn: Callable[[], Awaitable[None]] = _at_once,
        behind: Callable[[], bool] = lambda: False,
    ) -> None:
        """Take where to listen and who wants it.

        Args:
            take: given each message; returns at once.
            subscribed: called whenever the broker begins to send telemetry.
            its_turn: awaited before each connection.
            behind: whether something waits that must arrive.
        """
        self._address = address
        self._client_id = client_id
        self._counters = counters
        self._take = take
        self._subscribed = subscribed
        self._its_turn = its_turn
        self._behind = behind
        self._newest: dict[bytes, bytes] = {}
        self._due = False

    async def run(self) -> None:
        """Listen until cancelled; a connection that breaks is made anew."""
        retry_s, told = RETRY_S_MIN, False
        while True:
            await self._its_turn()
            try:
                async with asyncio.timeout(ANSWER_S):
                    connection = await self._connect()
                    await connection.subscribed
                retry_s, told = RETRY_S_MIN, False
                log.info("telemetry.connected", broker=str(self._address))
                self._subscribed()
                await self._keep(connection)
            except (OSError, TimeoutError) as error:
                if not told:
                    log.warning("telemetry.lost", reason=str(error) or type(error).__name__)
                    told = True
            await asyncio.sleep(retry_s * random.uniform(0.5, 1.0))
            retry_s = min(retry_s * 2, RETRY_S_MAX)

    def offer(self, topic: bytes, payload: bytes) -> None:
        """Keep a message until its turn, in place of an older one of the same agent."""
        traffic = self._counters.traffic
        traffic.received["telemetry"] += 1
        if topic in self._newest:
            traffic.lost[SUPERSEDED] += 1
        elif len(self._newest) >= AGENTS_MAX:
            traffic.lost[DROPPED] += 1
            return
        self._newest[topic] = payload
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        """Decode some of what waits."""
        behind = self._behind()
        for topic in list(islice(self._newest, DECODED_BEHIND if behind else DECODED_A_TURN)):
            name = topic.decode("utf-8", "replace")
            message = decoded(name, self._newest.pop(topic), self._counters)
            if isinstance(message, Telemetry):
                self._take(message)
        self._due = bool(self._newest)
        if self._due:
            loop = asyncio.get_running_loop()
            if behind:
                loop.call_later(TURN_BEHIND_S, self._turn)
            else:
                loop.call_soon(self._turn)

    async def _connect(self) -> "Connection":
        address = self._address
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(self._hello(), self.offer),
            address.host,
            address.port,
            ssl=address.tls_context(),
        )
        return connection

    async def _keep(self, connection: "Connection") -> None:
        """Ping until the connection is lost, which is raised."""
        try:
            while not connection.lost.done():
                await asyncio.wait({connection.lost}, timeout=KEEPALIVE_S / 2)
                connection.ping()
            connection.lost.result()
        finally:
            connection.close()

    def _hello(self) -> bytes:
        """Return CONNECT: clean session, no will (3.1)."""
        flags, last = 0x02, b""
        if self._address.username is not None:
            flags, last = flags | 0x80, _text(self._address.username)
            if self._address.password is not None:
                flags, last = flags | 0x40, last + _text(self._address.password)
        head = _text("MQTT") + bytes((4, flags)) + KEEPALIVE_S.to_bytes(2, "big")
        return _packet(_CONNECT, head + _text(self._client_id) + last)


class Connection(asyncio.Protocol):
    """One connection: says who we are, subscribes, and hands over each PUBLISH.

    Attributes:
        subscribed: done once the broker said so, or failed where it refused.
        lost: failed with the reason once the connection is gone.
    """

    def __init__(self, hello: bytes, heard: Callable[[bytes, bytes], None]) -> None:
        """Take the first packet, and whom to tell of topic and payload."""
        loop = asyncio.get_running_loop()
        self.subscribed: asyncio.Future[None] = loop.create_future()
        self.lost: asyncio.Future[None] = loop.create_future()
        self._hello = hello
        self._heard = heard
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._skip = 0
        self._silent = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say who we are."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._hello)

    def connection_lost(self, error: Exception | None) -> None:
        """Tell whoever waits."""
        self._fail(str(error) if error else "the broker closed the connection")

    def data_received(self, data: bytes) -> None:
        """Take in what arrived: whole packets are handled, the rest waits for its end."""
        self._silent = False
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        data = self._rest + data if self._rest else data
        start = 0
        while (found := _length(data, start)) is not None:
            body, size = found
            if size > MESSAGE_BYTES_MAX * 2:  # no message of ours: its bytes are let go
                self._skip = max(0, body + size - len(data))
            elif body + size > len(data):
                break
            else:
                self._packet(data[start], data[body : body + size])
            start = min(body + size, len(data))
        self._rest = data[start:]

    def ping(self) -> None:
        """Ask for a sign of life; where the last one was not answered, give up."""
        if self._silent:
            self._fail("the broker does not answer")
        elif self._transport is not None and not self._transport.is_closing():
            self._silent = True
            self._transport.write(_PING)

    def close(self) -> None:
        """Leave in good order."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(_DISCONNECT)
            self._transport.close()

    def _packet(self, first: int, body: bytes) -> None:
        kind = first & 0xF0
        if kind == _PUBLISH:
            end = 2 + int.from_bytes(body[:2], "big")
            if not first & 0x06:  # with QoS 0, as we subscribed, no number follows
                self._heard(body[2:end], body[end:])
        elif kind == _CONNACK:
            if body[1:2] != b"\x00":
                self._fail("the broker refuses our credentials")
            elif self._transport is not None:
                wanted = _text(subscription(Topic.TELEMETRY)) + bytes((Topic.TELEMETRY.qos,))
                self._transport.write(_packet(_SUBSCRIBE, b"\x00\x01" + wanted))
        elif kind == _SUBACK and not self.subscribed.done():
            if body[2:3] == bytes((_REFUSED,)):
                self._fail("the broker refuses our subscription: check its access list")
            else:
                self.subscribed.set_result(None)

    def _fail(self, reason: str) -> None:
        for waiting in (self.subscribed, self.lost):
            if not waiting.done():
                waiting.set_exception(ConnectionError(reason))
                waiting.exception()  # it may be that nobody waits
        if self._transport is not None:
            self._transport.abort()


def _length(data: bytes, start: int) -> tuple[int, int] | None:
    """Return where a packet's body begins and its length (2.2.3), None where that is not there."""
    size = shift = 0
    for at in range(start + 1, min(start + 5, len(data))):
        size |= (data[at] & 0x7F) << shift
        if data[at] < 0x80:
            return at + 1, size
        shift += 7
    return None


def _packet(kind: int, body: bytes) -> bytes:
    length, size = bytearray(), len(body)
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes((kind, *length, size)) + body


def _text(words: str) -> bytes:
    raw = words.encode()
    return len(raw).to_bytes(2, "big") + raw
