"""The lightest MQTT 3.1.1 client there can be, so that thousands of simulated agents fit a process.

It says and hears what agents say and hear: QoS 0 and 1, a last will, no session. It trusts the
broker, never sends a ping (its keepalive is off) and does not repeat what was not acknowledged:
agents do that themselves. For measurements only.
"""

import asyncio
from collections.abc import Callable, Iterable

CONNECT, PUBLISH, PUBACK, SUBSCRIBE = 0x10, 0x30, 0x40, 0x82
CONNACK, SUBACK = 0x20, 0x90
ANSWER_S_MAX = 30.0  # thousands connect at once, on a machine that does other things too

Heard = Callable[[str, bytes], None]


def packet(kind: int, body: bytes) -> bytes:
    """Return a packet: kind and flags, length, body (MQTT 3.1.1, 2.2)."""
    length, size = bytearray(), len(body)
    while True:
        size, low = divmod(size, 128)
        length.append(low | (0x80 if size else 0))
        if not size:
            return bytes((kind,)) + bytes(length) + body


def text(words: str | bytes) -> bytes:
    """Return text with its length before it."""
    raw = words.encode() if isinstance(words, str) else words
    return len(raw).to_bytes(2, "big") + raw


def publication(topic: str, payload: bytes, *, retain: bool = False) -> bytes:
    """Return a packet that says something once and forgets it (QoS 0)."""
    return packet(PUBLISH | retain, text(topic) + payload)


def split(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """Return the whole packets at the beginning of the data, as first byte and body; and the rest.

    >>> split(b"\\x40\\x02\\x00\\x01\\x30")
    ([(64, b'\\x00\\x01')], b'0')
    """
    found, start, end = [], 0, len(data)
    while start + 2 <= end:
        length = shift = 0
        at = start + 1
        while at < end:
            byte = data[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        else:
            break
        if at + length > end:
            break
        found.append((data[start], data[at : at + length]))
        start = at + length
    return found, data[start:]


class Peer(asyncio.Protocol):
    """One connection; `connect` makes it."""

    def __init__(self, heard: Heard, lost: Callable[[], None]) -> None:
        """Take whom to tell of each message, and of the end."""
        self._heard = heard
        self._lost = lost
        self._rest = b""
        self._number = 0
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @classmethod
    async def connect(
        cls,
        port: int,
        name: str,
        *,
        heard: Heard,
        lost: Callable[[], None] = lambda: None,
        will: tuple[str, bytes] | None = None,
        topics: Iterable[str] = (),
    ) -> "Peer":
        """Return a connection to a broker on this machine, subscribed to topics with QoS 1.

        Args:
            will: topic and payload, said with QoS 1 and retained.

        Raises:
            OSError: nobody listens there, or the broker left.
        """
        loop = asyncio.get_running_loop()
        _, peer = await loop.create_connection(lambda: cls(heard, lost), "127.0.0.1", port)
        try:
            await peer._enter(name, will, topics)
        except BaseException:
            peer.close()  # or the broker would take it for the agent until the next one comes
            raise
        return peer

    async def _enter(
        self, name: str, will: tuple[str, bytes] | None, topics: Iterable[str]
    ) -> None:
        flags, last = 0x02, b""
        if will is not None:
            flags, last = 0x02 | 0x04 | 0x08 | 0x20, text(will[0]) + text(will[1])
        head = text("MQTT") + bytes((4, flags)) + (0).to_bytes(2, "big")
        await self._ask(packet(CONNECT, head + text(name) + last))
        wanted = b"".join(text(topic) + b"\x01" for topic in topics)
        if wanted:
            await self._ask(packet(SUBSCRIBE, b"\x00\x01" + wanted))

    def send(self, data: bytes) -> None:
        """Send a packet that is made already."""
        if self._transport is not None:
            self._transport.write(data)

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Say something with QoS 1; the acknowledgement is not waited for."""
        self._number = self._number % 65535 + 1
        head = text(topic) + self._number.to_bytes(2, "big")
        self.send(packet(PUBLISH | 0x02 | retain, head + payload))

    def close(self) -> None:
        """Go without a word: the broker says the will."""
        if self._transport is not None:
            self._transport.abort()

    async def _ask(self, data: bytes) -> None:
        self._answer = asyncio.get_running_loop().create_future()
        self.send(data)
        async with asyncio.timeout(ANSWER_S_MAX):
            await self._answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        """End."""
        self._transport = None
        if not self._answer.done():
            self._answer.set_exception(ConnectionResetError("the broker left"))
            self._answer.exception()  # nobody may be waiting any more
        self._lost()

    def data_received(self, data: bytes) -> None:
        """Take what arrived."""
        packets, self._rest = split(self._rest + data)
        for first, body in packets:
            kind = first & 0xF0
            if kind == PUBLISH:
                self._publish(first, body)
            elif kind in (CONNACK, SUBACK) and not self._answer.done():
                self._answer.set_result(None)

    def _publish(self, first: int, body: bytes) -> None:
        end = 2 + int.from_bytes(body[:2], "big")
        topic, payload = body[2:end].decode(), body[end:]
        if first & 0x06:
            self.send(packet(PUBACK, payload[:2]))
            payload = payload[2:]
        self._heard(topic, payload)
