"""Telemetry from the bytes of a broker: whole or in pieces, too much of it, and what is none."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.adapters.mqtt_link import telemetry as feeding
from coordinator.adapters.mqtt_link.address import BrokerAddress
from coordinator.adapters.mqtt_link.inbox import LinkCounters
from coordinator.adapters.mqtt_link.telemetry import Connection, TelemetryFeed
from protocols.wire.codec import MESSAGE_BYTES_MAX, encode
from protocols.wire.from_agent import PrinterSample, Telemetry
from protocols.wire.topics import Topic, build
from protocols.wire.vocabulary import AgentId, PrinterId, PrinterState
from tests.benchmarks.farm_peer import packet, publication


def telemetry(agent: str, at_unix_s: float) -> Telemetry:
    sample = PrinterSample(printer_id=PrinterId("p1"), state=PrinterState.IDLE)
    return Telemetry(agent_id=AgentId(agent), at_unix_s=at_unix_s, printers=(sample,))


def topic(agent: str) -> bytes:
    return build(Topic.TELEMETRY, AgentId(agent)).encode()


@given(
    payloads=st.lists(st.binary(max_size=300), max_size=5),
    cuts=st.lists(st.integers(0, 2000), max_size=8),
)
def test_however_the_bytes_are_cut_the_same_is_heard(
    payloads: list[bytes], cuts: list[int]
) -> None:
    async def listen() -> list[bytes]:
        heard: list[bytes] = []
        connection = Connection(b"", lambda _, payload: heard.append(payload))
        data = b"".join(publication("t", payload) for payload in payloads)
        ends = sorted({min(cut, len(data)) for cut in cuts} | {len(data)})
        for start, end in zip([0, *ends], ends, strict=False):
            connection.data_received(data[start:end])
        return heard

    assert asyncio.run(listen()) == payloads


async def test_what_is_far_too_long_is_let_go_and_the_next_is_heard() -> None:
    heard: list[bytes] = []
    connection = Connection(b"", lambda _, payload: heard.append(payload))
    data = publication("t", b"x" * (3 * MESSAGE_BYTES_MAX)) + publication("t", b"next")
    for start in range(0, len(data), 65_536):
        connection.data_received(data[start : start + 65_536])
    assert heard == [b"next"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (packet(0x20, b"\x00\x05"), "credentials"),
        (packet(0x20, b"\x00\x00") + packet(0x90, b"\x00\x01\x80"), "access list"),
    ],
)
async def test_a_broker_that_refuses_is_told(answer: bytes, reason: str) -> None:
    connection = Connection(b"", lambda *_: None)
    connection.data_received(answer)
    with pytest.raises(ConnectionError, match=reason):
        await connection.subscribed


def a_feed(taken: list[Telemetry], counters: LinkCounters) -> TelemetryFeed:
    address = BrokerAddress(host="127.0.0.1", port=1)
    return TelemetryFeed(address, client_id="c", counters=counters, take=taken.append)


async def test_of_each_agent_only_the_newest_is_read_when_behind() -> None:
    taken: list[Telemetry] = []
    counters = LinkCounters()
    feed = a_feed(taken, counters)
    for agent, at in (("pi-1", 1.0), ("pi-2", 1.0), ("pi-1", 2.0)):
        feed.offer(topic(agent), encode(telemetry(agent, at)))
    feed.offer(topic("pi-3"), b"{}")
    await asyncio.sleep(0)
    assert taken == [telemetry("pi-1", 2.0), telemetry("pi-2", 1.0)]
    assert (counters.superseded, counters.malformed) == (1, 1)


async def test_others_have_their_turn_while_much_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeding, "DECODED_A_TURN", 2)
    monkeypatch.setattr(feeding, "AGENTS_MAX", 3)
    taken: list[Telemetry] = []
    counters = LinkCounters()
    feed = a_feed(taken, counters)
    for number in range(5):
        feed.offer(topic(f"pi-{number}"), encode(telemetry(f"pi-{number}", 1.0)))
    assert counters.dropped == 2
    await asyncio.sleep(0)
    assert len(taken) == 2
    await asyncio.sleep(0)
    assert len(taken) == 3


async def test_while_something_waits_that_must_arrive_telemetry_is_read_a_little_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feeding, "DECODED_BEHIND", 1)
    monkeypatch.setattr(feeding, "TURN_BEHIND_S", 0.0)
    taken: list[Telemetry] = []
    feed = TelemetryFeed(
        BrokerAddress(host="127.0.0.1", port=1),
        client_id="c",
        counters=LinkCounters(),
        take=taken.append,
        behind=lambda: True,
    )
    for number in range(9):
        feed.offer(topic(f"pi-{number}"), encode(telemetry(f"pi-{number}", 1.0)))
    async with asyncio.timeout(10):
        while len(taken) < 9:
            before = len(taken)
            await asyncio.sleep(0)
            assert len(taken) <= before + 1


async def test_nothing_is_connected_before_it_is_its_turn() -> None:
    asked = asyncio.Event()

    async def never() -> None:
        asked.set()
        await asyncio.get_running_loop().create_future()

    async with start_broker_that_counts() as (port, count):
        feed = TelemetryFeed(
            BrokerAddress(host="127.0.0.1", port=port),
            client_id="c",
            counters=LinkCounters(),
            take=lambda _: None,
            its_turn=never,
        )
        listening = asyncio.create_task(feed.run())
        await asked.wait()
        await asyncio.sleep(0)
        assert count() == 0
        listening.cancel()


@asynccontextmanager
async def start_broker_that_counts() -> AsyncIterator[tuple[int, Callable[[], int]]]:
    """Lend the port of a server, and how many came to it."""
    came: list[object] = []

    def note(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(writer)

    async with await asyncio.start_server(note, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], lambda: len(came)
