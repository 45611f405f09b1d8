"""The link to the agents over each kind of broker: our mosquitto, our amqtt, somebody's mosquitto.

An agent is a plain paho client here, so that both ends can't share a mistake.
"""

import asyncio
import contextlib
import os
import queue
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import aiomqtt
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from coordinator.adapters.embedded_broker.broker import BrokerWish, embedded_broker
from coordinator.adapters.mqtt_link.address import BrokerAddress
from coordinator.adapters.mqtt_link.link import MqttLink
from coordinator.errors import Unavailable
from protocols.wire.codec import Message, decode, encode
from protocols.wire.from_agent import Presence, PrinterSample, Telemetry
from protocols.wire.to_agent import Command, CoordinatorStatus, Desired, Sync
from protocols.wire.topics import Topic, build, subscription
from protocols.wire.vocabulary import AgentId, Epoch, JournalId, PrinterId, PrinterState
from tests.fakes.mosquitto import free_port, start_mosquitto

AGENT, PRINTER = AgentId("pi-1"), PrinterId("p1")
DESIRED_TOPIC = build(Topic.DESIRED, AGENT, PRINTER)
STATUS_TOPIC = build(Topic.COORDINATOR_STATUS)
PATIENCE_S = 20.0


@dataclass
class Broker:
    """A broker that can be killed, and comes back without a memory."""

    url: str
    kill: Callable[[], Awaitable[None]]


@asynccontextmanager
async def embedded(kind: str, folder: Path) -> AsyncIterator[Broker]:
    wish = BrokerWish(kind=kind, folder=folder / "broker")  # type: ignore[arg-type]
    async with embedded_broker(wish) as broker, asyncio.TaskGroup() as tasks:
        supervisor = tasks.create_task(broker.supervise())

        async def kill() -> None:
            os.kill(broker.pid, signal.SIGKILL)  # the supervisor starts it again

        yield Broker(broker.url, kill)
        supervisor.cancel()


@asynccontextmanager
async def external(folder: Path) -> AsyncIterator[Broker]:
    port = free_port()
    with contextlib.ExitStack() as stack:
        stack.enter_context(start_mosquitto(folder, port))

        async def kill() -> None:
            stack.close()
            stack.enter_context(start_mosquitto(folder, port))

        yield Broker(f"mqtt://127.0.0.1:{port}", kill)


@pytest.fixture(params=["mosquitto", "amqtt", "external"])
async def broker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Broker]:
    context = (
        external(tmp_path) if request.param == "external" else embedded(request.param, tmp_path)
    )
    async with context as running:
        yield running


class Agent:
    """What a plain MQTT client hears and says."""

    def __init__(self, url: str) -> None:
        self.heard: queue.Queue[tuple[str, bytes, bool]] = queue.Queue()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311)
        self._client.on_message = lambda _client, _data, message: self.heard.put(
            (message.topic, message.payload, message.retain)
        )
        subscribed = queue.Queue[None]()
        self._client.on_subscribe = lambda *_: subscribed.put(None)
        parts = urlsplit(url)
        self._client.connect(parts.hostname or "", parts.port or 0)
        self._client.loop_start()
        kinds = (
            Topic.DESIRED,
            Topic.COMMANDS,
            Topic.COORDINATOR_STATUS,
            Topic.COORDINATOR_SYNC,
        )
        self._client.subscribe([(subscription(topic), 1) for topic in kinds])
        subscribed.get(timeout=PATIENCE_S)

    async def hears(self, topic: str) -> tuple[bytes, bool]:
        """Wait for the next message on a topic; others are let go."""
        while True:
            name, payload, retain = await asyncio.to_thread(self.heard.get, timeout=PATIENCE_S)
            if name == topic:
                return payload, retain

    async def hears_status(self, *, up: bool) -> None:
        while decode((await self.hears(STATUS_TOPIC))[0], CoordinatorStatus).up is not up:
            pass

    def says(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        self._client.publish(topic, payload, qos, retain).wait_for_publish(PATIENCE_S)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@dataclass
class Coordinator:
    """A link that runs, and what it heard."""

    link: MqttLink
    heard: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)
    sessions: asyncio.Queue[None] = field(default_factory=asyncio.Queue)

    async def run(self) -> None:
        async def note_session() -> None:
            self.sessions.put_nowait(None)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read())
            await self.link.run(note_session, self._take)

    async def _read(self) -> None:
        while True:
            for message in await self.link.inbox.take():
                self.heard.put_nowait(message)

    def _take(self, telemetry: Telemetry) -> None:
        self.heard.put_nowait(telemetry)


@asynccontextmanager
async def running_link(url: str) -> AsyncIterator[Coordinator]:
    address = BrokerAddress.of(url, username=None, password=None)
    coordinator = Coordinator(MqttLink(address, coordinator_id="coordinator-1"))
    async with asyncio.timeout(PATIENCE_S * 2), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(coordinator.run())
        await coordinator.sessions.get()
        yield coordinator
        task.cancel()


def agent_of(stack: AsyncExitStack, url: str) -> Agent:
    agent = Agent(url)
    stack.callback(agent.close)
    return agent


def desired(revision: int) -> Desired:
    return Desired(printer_id=PRINTER, epoch=Epoch(1), revision=revision)


PRESENCE = Presence(
    agent_id=AGENT,
    online=True,
    boot_id="b1",
    connection_id="c1",
    journal_id=JournalId("j1"),
    protocol_min=1,
    protocol_max=1,
)
TELEMETRY = Telemetry(
    agent_id=AGENT,
    at_unix_s=1.5,
    printers=(PrinterSample(printer_id=PRINTER, state=PrinterState.IDLE),),
)


async def keep_saying_telemetry(agent: Agent) -> None:
    """Say it as agents do, again and again: what comes before somebody listens is lost."""
    topic = build(Topic.TELEMETRY, AGENT)
    while True:
        await asyncio.to_thread(agent.says, topic, encode(TELEMETRY), qos=0)
        await asyncio.sleep(0.05)


async def test_an_agent_that_comes_later_finds_what_is_desired(broker: Broker) -> None:
    async with AsyncExitStack() as stack:
        coordinator = await stack.enter_async_context(running_link(broker.url))
        await coordinator.link.publish_desired(AGENT, desired(1))
        await coordinator.link.publish_desired(AGENT, desired(2))
        agent = await asyncio.to_thread(agent_of, stack, broker.url)
        payload, retained = await agent.hears(DESIRED_TOPIC)
        assert decode(payload, Desired) == desired(2)
        assert retained


async def test_a_command_reaches_its_agent_and_is_not_kept_for_those_who_come_later(
    broker: Broker,
) -> None:
    command = Command(id="c1", agent_id=AGENT, printer_id=PRINTER, name="send")
    topic = build(Topic.COMMANDS, AGENT)
    async with AsyncExitStack() as stack:
        coordinator = await stack.enter_async_context(running_link(broker.url))
        agent = await asyncio.to_thread(agent_of, stack, broker.url)
        await coordinator.link.send_command(command)
        payload, retained = await agent.hears(topic)
        assert decode(payload, Command) == command
        assert not retained
        later = await asyncio.to_thread(agent_of, stack, broker.url)
        await coordinator.link.send_command(replace(command, id="c2"))
        assert decode((await later.hears(topic))[0], Command).id == "c2"


async def test_agents_are_told_that_it_is_up_and_asked_to_repeat_themselves(
    broker: Broker,
) -> None:
    async with AsyncExitStack() as stack:
        agent = await asyncio.to_thread(agent_of, stack, broker.url)
        async with running_link(broker.url):
            await agent.hears_status(up=True)
            payload, _ = await agent.hears(build(Topic.COORDINATOR_SYNC))
            assert decode(payload, Sync).spread_s > 0
        await agent.hears_status(up=False)


async def test_the_late_will_of_an_earlier_coordinator_does_not_stand(broker: Broker) -> None:
    async with AsyncExitStack() as stack:
        agent = await asyncio.to_thread(agent_of, stack, broker.url)
        coordinator = await stack.enter_async_context(running_link(broker.url))
        await agent.hears_status(up=True)
        will = encode(CoordinatorStatus(up=False, coordinator_id="coordinator-0"))
        await asyncio.to_thread(agent.says, STATUS_TOPIC, will, retain=True)
        await agent.hears_status(up=False)
        await coordinator.link.repeat_status()
        await agent.hears_status(up=True)


async def test_what_agents_say_is_heard_whether_it_was_said_before_or_after(
    broker: Broker,
) -> None:
    async with AsyncExitStack() as stack:
        agent = await asyncio.to_thread(agent_of, stack, broker.url)
        said = encode(PRESENCE)
        await asyncio.to_thread(agent.says, build(Topic.PRESENCE, AGENT), said, retain=True)
        coordinator = await stack.enter_async_context(running_link(broker.url))
        assert await coordinator.heard.get() == PRESENCE
        said_again = asyncio.create_task(keep_saying_telemetry(agent))
        assert await coordinator.heard.get() == TELEMETRY
        said_again.cancel()


async def test_what_is_no_message_is_counted_and_the_next_one_is_heard(broker: Broker) -> None:
    async with AsyncExitStack() as stack:
        agent = await asyncio.to_thread(agent_of, stack, broker.url)
        coordinator = await stack.enter_async_context(running_link(broker.url))
        topic = build(Topic.PRESENCE, AGENT)
        others = encode(PRESENCE).replace(b"pi-1", b"pi-2")
        for payload in (b"", b"\xff\x00", b"{}", b"[" * 100_000, others):
            await asyncio.to_thread(agent.says, topic, payload)
        await asyncio.to_thread(agent.says, topic, encode(PRESENCE))
        assert await coordinator.heard.get() == PRESENCE
        # Nothing at all is no message: it only ends what was retained.
        assert coordinator.link.counters.malformed == 4


async def test_after_the_broker_was_killed_all_begins_again(broker: Broker) -> None:
    async with AsyncExitStack() as stack:
        coordinator = await stack.enter_async_context(running_link(broker.url))
        await coordinator.link.publish_desired(AGENT, desired(1))
        await broker.kill()
        await coordinator.sessions.get()
        assert coordinator.link.connected
        # The broker forgot everything: what counts is said again by us.
        await coordinator.link.publish_desired(AGENT, desired(2))
        agent = await asyncio.to_thread(agent_of, stack, broker.url)
        payload, _ = await agent.hears(DESIRED_TOPIC)
        assert decode(payload, Desired) == desired(2)
        await asyncio.to_thread(agent.says, build(Topic.PRESENCE, AGENT), encode(PRESENCE))
        assert await coordinator.heard.get() == PRESENCE
        said_again = asyncio.create_task(keep_saying_telemetry(agent))
        assert await coordinator.heard.get() == TELEMETRY
        said_again.cancel()


async def test_agents_are_asked_again_on_demand(broker: Broker) -> None:
    async with AsyncExitStack() as stack:
        agent = await asyncio.to_thread(agent_of, stack, broker.url)
        coordinator = await stack.enter_async_context(running_link(broker.url))
        first, _ = await agent.hears(build(Topic.COORDINATOR_SYNC))
        await coordinator.link.ask_again()
        second, _ = await agent.hears(build(Topic.COORDINATOR_SYNC))
        assert decode(first, Sync).id != decode(second, Sync).id


KILLED = """
import asyncio, sys
from coordinator.adapters.mqtt_link.address import BrokerAddress
from coordinator.adapters.mqtt_link.link import MqttLink

async def nothing(*_):
    pass

address = BrokerAddress.of(sys.argv[1], username=None, password=None)
asyncio.run(MqttLink(address, coordinator_id="coordinator-2").run(nothing, nothing))
"""


async def test_the_will_of_a_killed_coordinator_says_that_it_is_down(broker: Broker) -> None:
    async with AsyncExitStack() as stack:
        agent = await asyncio.to_thread(agent_of, stack, broker.url)
        child = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, broker.url)
        await agent.hears_status(up=True)
        child.kill()
        await child.wait()
        await agent.hears_status(up=False)


async def test_without_a_broker_publishing_says_so_in_one_sentence() -> None:
    url = f"mqtt://127.0.0.1:{free_port()}"
    address = BrokerAddress.of(url, username=None, password=None)
    link = MqttLink(address, coordinator_id="coordinator-1")
    with pytest.raises(Unavailable, match=r"no connection to the MQTT broker mqtt://127"):
        await link.publish_desired(AGENT, desired(1))
    assert not link.connected


@pytest.mark.parametrize("answer", ["_on_connect", "_on_subscribe", "_on_publish"])
async def test_a_link_ends_though_the_broker_answers_in_that_very_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    answered = getattr(aiomqtt.Client, answer)
    cancelled = asyncio.get_running_loop().create_future()

    def cancel_then_answer(*arguments: object) -> None:
        if not cancelled.done():
            [session] = [each for each in asyncio.all_tasks() if each.get_name() == "link-session"]
            session.cancel()
            cancelled.set_result(session)
        answered(*arguments)

    monkeypatch.setattr(aiomqtt.Client, answer, cancel_then_answer)
    async with external(tmp_path) as broker:
        address = BrokerAddress.of(broker.url, username=None, password=None)
        link = MqttLink(address, coordinator_id="coordinator-1")
        running = asyncio.create_task(link.run(lambda: asyncio.sleep(0), lambda _: None))
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.wait({await cancelled})
        running.cancel()
        await asyncio.wait({running})
