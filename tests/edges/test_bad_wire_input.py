"""Anything at all on the wire: counted, told in one line, dropped; what comes next is handled."""

import asyncio
import copy
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import aiomqtt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from agent.app import App
from agent.link import Broker, Link, Listener
from agent.settings import AgentSettings
from coordinator.adapters.mqtt_link.address import BrokerAddress
from coordinator.adapters.mqtt_link.link import MqttLink
from protocols.errors import ProtocolError
from protocols.wire.codec import CARRIES, MESSAGE_BYTES_MAX, Message, encode, receive
from protocols.wire.from_agent import Presence, Reported
from protocols.wire.to_agent import (
    Assignment,
    BedClearance,
    CoordinatorStatus,
    Desired,
    PlateReference,
)
from protocols.wire.topics import ROOT, Topic, build, parse
from protocols.wire.vocabulary import Epoch, JobId, RunId
from tests.fakes.model_agent import ModelAgent
from tests.fakes.mosquitto import start_mosquitto
from tests.fakes.processes import coordinator, until
from tests.fakes.scripted_driver import ScriptedDriver
from tests.protocols.wire.examples import AGENT, EXAMPLES, PRINTER

PATIENCE_S = 20.0
FUTURE_REASON = "unsupported protocol: unknown kind of message 'teleport'"
FUZZ = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ODD = (None, True, -1, 2**70, 1e308, "", "x" * 300, "a/b", "\x00", [], {}, [[]], {"kind": 1})

Said = list[tuple[str, bytes]]


def mutated(chance: Random, payload: bytes) -> bytes:
    """Return a payload with something about it changed."""
    match chance.randrange(5):
        case 0:
            return payload[: chance.randrange(len(payload))]
        case 1:
            place = chance.randrange(len(payload))
            return payload[:place] + bytes([chance.randrange(256)]) + payload[place + 1 :]
        case 2:
            return payload + b" " * (MESSAGE_BYTES_MAX - len(payload) + chance.choice((0, 1)))
        case _:
            document = json.loads(payload)
            for _ in range(chance.randint(1, 3)):
                _change(chance, document)
            return json.dumps(document).encode()


def _change(chance: Random, document: Any) -> None:
    """Replace or remove something somewhere in a document."""
    while True:
        keys = list(document) if isinstance(document, dict) else list(range(len(document)))
        if not keys:
            return
        key = chance.choice(keys)
        if isinstance(document[key], dict | list) and document[key] and chance.random() < 0.6:
            document = document[key]
        elif chance.random() < 0.2:
            del document[key]
            return
        else:
            document[key] = copy.deepcopy(chance.choice(ODD))
            return


def topics(from_agent: bool) -> list[tuple[str, Topic]]:
    """Return every topic that one side listens to, with right and wrong ids in it."""
    named = [
        (f"{ROOT}/" + topic.value.pattern.format(agent=AGENT, printer=printer, shard=shard), topic)
        for topic in Topic
        if topic.value.from_agent is from_agent
        for printer in (PRINTER, "p-9", "P.1", "x" * 64)
        for shard in (0, 99)
    ]
    return list(dict.fromkeys(named))


@st.composite
def noise(draw: st.DrawFn, *, from_agent: bool) -> Said:
    """Draw messages that one side hears: bytes, and golden payloads changed or out of place."""
    names = [name for name, _ in topics(from_agent)]
    golden = [encode(message) for message in EXAMPLES.values()]
    said: Said = []
    for _ in range(draw(st.integers(1, 25))):
        chance = Random(draw(st.integers(0, 2**32)))
        said.append(
            (
                chance.choice(names),
                draw(st.binary(max_size=200) | st.just(mutated(chance, chance.choice(golden)))),
            )
        )
    return said


def refused(said: Said) -> int:
    """Return how many of these are no message; an empty payload only ends a retained one."""
    count = 0
    for topic, payload in said:
        try:
            receive(topic, payload)
        except ProtocolError:
            count += bool(payload)
    return count


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with start_mosquitto(tmp_path_factory.mktemp("broker")) as port:
        yield port


async def say(port: int, said: Said) -> None:
    async with aiomqtt.Client("127.0.0.1", port) as client:
        for topic, payload in said:
            await client.publish(topic, payload, 1)


class Heard:
    """What a link handed over, and a way to wait for it."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.turned = asyncio.Event()

    def note(self, message: Message) -> None:
        self.messages.append(message)
        self.turned.set()

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():
                await self.turned.wait()
                self.turned.clear()


@asynccontextmanager
async def running(work: Awaitable[None]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        assert not task.done(), task
        task.cancel()
        await asyncio.wait((task,))


def told(logs: list[Any]) -> list[Any]:
    return [line for line in logs if line["event"] == "message.dropped"]


@FUZZ
@given(said=noise(from_agent=False))
async def test_an_agent_drops_what_is_no_message_and_hears_the_next(port: int, said: Said) -> None:
    heard = Heard()
    ears = Listener(desired=heard.note, command=heard.note, turned=heard.turned.set)
    presence = EXAMPLES["presence"]
    assert isinstance(presence, Presence)
    link = Link(Broker(host="127.0.0.1", port=port), presence, ears)
    good = Desired(printer_id=PRINTER, epoch=Epoch(3), revision=4)
    with capture_logs() as logs:
        async with running(link.run()):
            await heard.until(lambda: link.connected)
            await say(port, [*said, (build(Topic.DESIRED, AGENT, PRINTER), encode(good))])
            await heard.until(lambda: good in heard.messages)
            assert (link.dropped, link.session) == (refused(said), 1)
    assert len(told(logs)) == min(1, refused(said))


async def read(link: MqttLink, heard: Heard) -> None:
    """Take messages out of a coordinator's inbox."""
    while True:
        for message in await link.inbox.take():
            heard.note(message)


@FUZZ
@given(said=noise(from_agent=True))
async def test_a_coordinator_drops_what_is_no_message_and_hears_the_next(
    port: int, said: Said
) -> None:
    heard, up = Heard(), asyncio.Event()
    link = MqttLink(BrokerAddress(host="127.0.0.1", port=port), coordinator_id="main")

    async def on_connected() -> None:
        up.set()

    good = replace(EXAMPLES["presence"], connection_id="the-last-one")  # type: ignore[arg-type]
    with capture_logs() as logs:
        async with running(link.run(on_connected, heard.note)), running(read(link, heard)):
            await asyncio.wait_for(up.wait(), PATIENCE_S)
            await say(port, [*said, (build(Topic.PRESENCE, AGENT), encode(good))])
            await heard.until(lambda: good in heard.messages)
            assert link.counters.sessions == 1
            assert link.counters.malformed == refused(said)
    assert len(told(logs)) == min(1, refused(said))


def storm(seed: int, *, from_agent: bool, count: int) -> Said:
    """Return golden payloads of one side, each changed, on the topics where they belong."""
    chance = Random(seed)
    carried = [
        (name, CARRIES[topic])
        for name, topic in topics(from_agent)
        if receivable(name) or chance.random() < 0.2
    ]
    golden = {type(message): encode(message) for message in EXAMPLES.values()}
    chosen = [chance.choice(carried) for _ in range(count)]
    return [(name, mutated(chance, golden[kind])) for name, kind in chosen]


def receivable(name: str) -> bool:
    """Whether a topic is about the agent and printer of the examples."""
    address = parse(name)
    return address is not None and address.printer_id in (None, PRINTER)


async def test_a_coordinator_in_a_storm_of_rubbish_still_serves_a_sound_agent(
    tmp_path: Path,
) -> None:
    plate = tmp_path / "plate.gcode"
    plate.write_text("G28\nG1 X1\n")
    sound = ModelAgent("sound")
    with (
        start_mosquitto(tmp_path) as port,
        coordinator(tmp_path / "s", "--broker-url", f"mqtt://127.0.0.1:{port}") as farm,
    ):
        stray = json.loads(encode(EXAMPLES["presence"]))
        stray["printers"][0]["printer_id"] = "a/b"  # no topic can be made of it
        unnamed = (build(Topic.PRESENCE, AGENT), json.dumps(stray).encode())
        await say(port, [unnamed, *storm(1, from_agent=True, count=600)])
        agent, printer = sound.agent_id, sound.printer_id
        await say(
            port,
            [
                (build(Topic.PRESENCE, agent), encode(sound.presence())),
                (build(Topic.REPORTED, agent, printer), encode(sound.reported())),
            ],
        )
        clear = f"printers/{printer}/clear"
        await asyncio.to_thread(until, lambda: farm.ask(clear, method="POST")[0] == 200, "it")
        await asyncio.to_thread(farm.farmhand, "job", "submit", plate)
        async with aiomqtt.Client("127.0.0.1", port) as client, asyncio.timeout(PATIENCE_S):
            await client.subscribe(build(Topic.DESIRED, agent, printer), 1)
            async for arrived in client.messages:
                if json.loads(bytes(arrived.payload))["assignment"]:  # type: ignore[arg-type]
                    break
        said = farm.log.read_text()
    assert "Traceback" not in said
    assert said.count("message.dropped") == 1


async def test_an_agent_in_a_storm_of_rubbish_still_prints(tmp_path: Path) -> None:
    driver, content = ScriptedDriver(), b"G28\n"
    reference = PlateReference(
        sha256=sha256(content).hexdigest(), size_bytes=len(content), url="/p", name="p"
    )
    run = Assignment(run_id=RunId("sound"), job_id=JobId("job"), plate=reference)
    with start_mosquitto(tmp_path) as port:
        (tmp_path / "state" / "plates").mkdir(parents=True)
        (tmp_path / "state" / "plates" / reference.sha256).write_bytes(content)
        app = App(
            AgentSettings.model_validate(
                {
                    "agent_id": AGENT,
                    "mqtt_url": f"mqtt://127.0.0.1:{port}",
                    "state_dir": tmp_path / "state",
                    "printers": [{"id": PRINTER, "printer_class": "test"}],
                }
            ),
            lambda *_words, **_named: driver,
        )
        with capture_logs() as logs:
            async with running(app.run()):
                await heard_of(port, Presence)
                await say(port, storm(2, from_agent=False, count=600))
                desired = Desired(printer_id=PRINTER, epoch=Epoch(10**9), revision=10**9, term=99)
                await lead(port, replace(desired, assignment=run), driver)
    assert "sound" in driver.starts
    assert [line for line in logs if line["log_level"] == "error"] == []


async def heard_of(port: int, kind: type[Message]) -> None:
    """Wait until an agent says something of a kind."""
    async with aiomqtt.Client("127.0.0.1", port) as client, asyncio.timeout(PATIENCE_S):
        await client.subscribe(f"{ROOT}/agents/#", 1)
        async for arrived in client.messages:
            if isinstance(receive(arrived.topic.value, bytes(arrived.payload)), kind):  # type: ignore[arg-type]
                return


async def lead(port: int, desired: Desired, driver: ScriptedDriver) -> None:
    """Grant a run whatever it asks for, until it starts; what else goes on is stopped."""
    topic = build(Topic.DESIRED, AGENT, PRINTER)
    status = CoordinatorStatus(up=True, coordinator_id="c", term=10**9)
    async with aiomqtt.Client("127.0.0.1", port) as client, asyncio.timeout(PATIENCE_S):
        await client.subscribe(f"{ROOT}/agents/{AGENT}/printers/+/reported", 1)
        await client.publish(build(Topic.COORDINATOR_STATUS), encode(status), 1)
        await client.publish(topic, encode(desired), 1)
        async for arrived in client.messages:
            reported = receive(arrived.topic.value, bytes(arrived.payload))  # type: ignore[arg-type]
            assert isinstance(reported, Reported)
            if desired.assignment is not None and desired.assignment.run_id in driver.starts:
                return
            desired = replace(
                desired,
                revision=desired.revision + 1,
                permit=reported.run.nonce if reported.run else None,
                cleared=BedClearance(
                    journal_id=reported.journal_id, occupation=reported.occupation
                ),
            )
            await client.publish(topic, encode(desired), 1)


async def test_a_kind_of_a_future_version_is_refused_loudly_on_both_sides(port: int) -> None:
    heard = Heard()
    ears = Listener(desired=heard.note, command=heard.note, turned=heard.turned.set)
    presence = EXAMPLES["presence"]
    assert isinstance(presence, Presence)
    agent = Link(Broker(host="127.0.0.1", port=port), presence, ears)
    main = MqttLink(BrokerAddress(host="127.0.0.1", port=port), coordinator_id="main")

    async def on_connected() -> None:
        heard.turned.set()

    future = b'{"kind":"teleport"}'
    with capture_logs() as logs:
        async with (
            running(agent.run()),
            running(main.run(on_connected, heard.note)),
            running(read(main, heard)),
        ):
            await heard.until(lambda: agent.connected and bool(heard.messages))
            both = [build(topic, AGENT, PRINTER) for topic in (Topic.DESIRED, Topic.REPORTED)]
            good = Desired(printer_id=PRINTER, epoch=Epoch(3), revision=4)
            said = [(name, future) for name in both] + [(both[0], encode(good))]
            await say(port, [*said, (build(Topic.PRESENCE, AGENT), encode(presence))])
            await heard.until(lambda: good in heard.messages and presence in heard.messages)
            await heard.until(lambda: bool(agent.dropped and main.counters.malformed))
    assert [line["reason"] for line in told(logs)] == [FUTURE_REASON] * 2
