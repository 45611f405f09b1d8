"""The link against a real mosquitto."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from agent.link import Broker, Link, Listener
from protocols.wire.codec import encode, receive
from protocols.wire.from_agent import Presence, Reported, Telemetry
from protocols.wire.to_agent import Command, CoordinatorStatus, Desired, Sync
from protocols.wire.topics import Topic, build, subscription
from protocols.wire.vocabulary import AgentId, Epoch, JournalId, PrinterId, PrinterState
from tests.fakes.mosquitto import free_port, start_mosquitto

AGENT, PRINTER = AgentId("pi-1"), PrinterId("p1")
PRESENCE = Presence(
    agent_id=AGENT,
    online=True,
    boot_id="boot",
    connection_id="",
    journal_id=JournalId("j"),
    protocol_min=1,
    protocol_max=1,
)


class Ears:
    """What the link told, and a way to wait for it."""

    def __init__(self) -> None:
        self.documents: list[Desired] = []
        self.commands: list[Command] = []
        self.turned = asyncio.Event()

    def listener(self) -> Listener:
        return Listener(
            desired=self._note(self.documents),
            command=self._note(self.commands),
            turned=self.turned.set,
        )

    def _note(self, kept: list[Any]) -> Callable[[Any], None]:
        def note(item: Any) -> None:
            kept.append(item)
            self.turned.set()

        return note

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not is_so():
                await self.turned.wait()
                self.turned.clear()


class Coordinator:
    """The other end: everything that agents say, and a pen."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client

    async def say(self, message: Any, topic: Topic, printer_id: PrinterId | None = None) -> None:
        agent_id = None if "coordinator" in topic.value.pattern else AGENT
        name = build(topic, agent_id, printer_id)
        await self._client.publish(name, encode(message), topic.qos, topic.retain)

    async def say_raw(self, topic: str, payload: bytes, retain: bool = False) -> None:
        await self._client.publish(topic, payload, 1, retain)

    async def hear(self, kind: type[Any], is_it: Callable[[Any], bool] = lambda _: True) -> Any:
        async with asyncio.timeout(20):
            async for arrived in self._client.messages:
                message = receive(arrived.topic.value, arrived.payload)  # type: ignore[arg-type]
                if isinstance(message, kind) and is_it(message):
                    return message
        raise AssertionError("the connection ended")


@asynccontextmanager
async def coordinator(port: int) -> AsyncIterator[Coordinator]:
    async with aiomqtt.Client("127.0.0.1", port) as client:
        for topic in Topic:
            if topic.value.from_agent:
                await client.subscribe(subscription(topic), 1)
        yield Coordinator(client)


@asynccontextmanager
async def linked(port: int) -> AsyncIterator[tuple[Link, Ears]]:
    ears = Ears()
    broker = Broker(host="127.0.0.1", port=port)
    link = Link(broker, PRESENCE, ears.listener(), reconnect_s_min=0.05)
    task = asyncio.create_task(link.run(), name="link")
    try:
        yield link, ears
    finally:
        task.cancel()
        await asyncio.wait((task,))


def reported(sequence: int) -> Reported:
    return Reported(
        agent_id=AGENT,
        printer_id=PRINTER,
        journal_id=JournalId("j"),
        boot_id="boot",
        sequence=sequence,
        epoch=Epoch(0),
        revision=0,
        state=PrinterState.IDLE,
    )


@pytest.fixture
def port(tmp_path: Path) -> Any:
    with start_mosquitto(tmp_path) as port:
        yield port


async def test_an_agent_comes_and_says_goodbye(port: int) -> None:
    async with coordinator(port) as other:
        async with linked(port):
            came = await other.hear(Presence)
            assert came.online
        left = await other.hear(Presence, lambda said: not said.online)
        assert left.connection_id == came.connection_id != ""


async def test_an_agent_that_dies_is_reported_dead_by_the_broker(port: int) -> None:
    async with coordinator(port) as other, linked(port) as (link, ears):
        came = await other.hear(Presence)
        await ears.until(lambda: link.connected)
        thief = aiomqtt.Client("127.0.0.1", port, identifier=f"farmhand-agent-{AGENT}")
        async with thief:  # the broker drops the older connection of the same name
            dead = await other.hear(Presence, lambda said: not said.online)
        assert dead.connection_id == came.connection_id
        again = await other.hear(Presence, lambda said: said.online)
        assert again.connection_id != came.connection_id
        await ears.until(lambda: link.session == 2 and link.connected)


async def test_documents_and_commands_arrive(port: int) -> None:
    desired = Desired(printer_id=PRINTER, epoch=Epoch(3), revision=4)
    command = Command(id="c1", agent_id=AGENT, name="jog", printer_id=PRINTER)
    async with coordinator(port) as other:
        await other.say(desired, Topic.DESIRED, PRINTER)  # retained, before the agent is there
        async with linked(port) as (_, ears):
            await ears.until(lambda: ears.documents == [desired])
            await other.say(command, Topic.COMMANDS)
            await ears.until(lambda: ears.commands == [command])


async def test_what_is_no_message_is_counted_and_dropped(port: int) -> None:
    topic = build(Topic.DESIRED, AGENT, PRINTER)
    good = Desired(printer_id=PRINTER, epoch=Epoch(1), revision=1)
    async with coordinator(port) as other, linked(port) as (link, ears):
        await other.hear(Presence)
        for junk in (b"\xff\x00", b"{}", b'{"kind":"poem"}', b"[" * 5000, encode(reported(1))):
            await other.say_raw(topic, junk)
        stranger = topic.replace("/p1/", "/P.1/")
        await other.say_raw(stranger, encode(good))
        await other.say_raw(build(Topic.DESIRED, AGENT, PrinterId("p2")), encode(good))
        await other.say(good, Topic.DESIRED, PRINTER)
        await ears.until(lambda: ears.documents == [good])
        assert link.dropped == 7


async def test_only_the_newest_report_is_said(port: int) -> None:
    async with coordinator(port) as other, linked(port) as (link, _):
        await other.hear(Presence)
        for sequence in range(1, 6):
            link.report(reported(sequence))
        assert (await other.hear(Reported)).sequence == 5


async def test_a_stale_death_is_corrected(port: int) -> None:
    stale = Presence(
        agent_id=AGENT,
        online=False,
        boot_id="earlier",
        connection_id="earlier",
        journal_id=JournalId("j"),
        protocol_min=1,
        protocol_max=1,
    )
    async with coordinator(port) as other, linked(port):
        came = await other.hear(Presence)
        await other.say(stale, Topic.PRESENCE)
        await other.hear(Presence, lambda said: not said.online)
        assert await other.hear(Presence, lambda said: said.online) == came


async def test_everything_is_said_again_when_the_coordinator_asks(port: int) -> None:
    async with coordinator(port) as other, linked(port) as (link, _):
        await other.hear(Presence)
        link.report(reported(1))
        await other.hear(Reported)
        await other.say(Sync(id="s", spread_s=0.01), Topic.COORDINATOR_SYNC)
        assert (await other.hear(Presence)).online
        assert (await other.hear(Reported)).sequence == 1


async def test_nobody_hears_while_the_coordinator_is_down(port: int) -> None:
    async with coordinator(port) as other, linked(port) as (link, ears):
        await ears.until(lambda: link.heard)
        down = CoordinatorStatus(up=False, coordinator_id="c")
        await other.say(down, Topic.COORDINATOR_STATUS)
        await ears.until(lambda: not link.heard)
        assert link.connected
        up = CoordinatorStatus(up=True, coordinator_id="d")
        await other.say(up, Topic.COORDINATOR_STATUS)
        await ears.until(lambda: link.heard)


async def test_the_late_death_of_an_earlier_coordinator_says_nothing(port: int) -> None:
    async with coordinator(port) as other, linked(port) as (link, ears):
        await ears.until(lambda: link.connected)
        await other.hear(Presence)
        await other.say(CoordinatorStatus(up=True, coordinator_id="d"), Topic.COORDINATOR_STATUS)
        await other.say(CoordinatorStatus(up=False, coordinator_id="c"), Topic.COORDINATOR_STATUS)
        await other.say(Sync(id="s", spread_s=0.0), Topic.COORDINATOR_SYNC)
        await other.hear(Presence)  # said again: what came before it was heard
        assert link.heard


async def test_a_broker_that_lost_everything_is_told_again(tmp_path: Path) -> None:
    port = free_port()
    async with linked(port) as (link, ears):
        link.report(reported(1))
        with start_mosquitto(tmp_path, port):
            await ears.until(lambda: link.connected)
        await ears.until(lambda: not link.connected)
        assert not link.offer_event(PRINTER, b"{}")
        link.sample(Telemetry(agent_id=AGENT, at_unix_s=1.0, printers=()))
        with start_mosquitto(tmp_path, port):
            await ears.until(lambda: link.connected)
            async with coordinator(port) as other:
                assert (await other.hear(Reported)).sequence == 1
                assert link.session == 2
