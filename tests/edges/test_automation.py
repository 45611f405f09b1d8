"""Programs at a real broker: told the farm, asking with a key, and kept to their topics."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from coordinator.adapters.embedded_broker.broker import (
    BrokerWish,
    EmbeddedBroker,
    embedded_broker,
)
from coordinator.adapters.homeassistant.link import BrokerLink
from coordinator.adapters.mqtt_link.address import BrokerAddress
from coordinator.domain.automation.topics import Topics
from coordinator.domain.broker_access import programs_of
from protocols.wire.topics import parse
from protocols.wire.vocabulary import AgentId
from tests.fakes.enrolled_agents import credential_of
from tests.fakes.mosquitto import start_mosquitto
from tests.fakes.processes import Coordinator, coordinator, stop

PATIENCE_S = 30.0
TOPICS = Topics("farmhand/farm")
HOME, OTHER = "home.assistant", "node.red"
PASSWORD = "a-password-for-tests-only"
LAST = TOPICS.answer("last")


@pytest.fixture(params=["mosquitto", "amqtt"])
async def broker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[EmbeddedBroker]:
    wish = BrokerWish(
        kind=request.param,
        folder=tmp_path / "broker",
        enrolled=True,
        credentials=[credential_of(AgentId("pi-a"))],
        programs=programs_of(
            TOPICS, {HOME: PASSWORD, OTHER: PASSWORD}, discovery_prefix="homeassistant"
        ),
    )
    async with embedded_broker(wish) as running:
        yield running


def client(broker: EmbeddedBroker, user: str, password: str = PASSWORD) -> aiomqtt.Client:
    return aiomqtt.Client(
        "127.0.0.1",
        int(broker.url.rpartition(":")[2]),
        username=user,
        password=password,
        identifier=f"{user}-1",
        protocol=aiomqtt.ProtocolVersion.V311,
    )


def own(broker: EmbeddedBroker) -> aiomqtt.Client:
    return aiomqtt.Client(
        "127.0.0.1",
        int(broker.own_url.rpartition(":")[2]),
        username=broker.own.automation_username,
        password=broker.own.password,
        protocol=aiomqtt.ProtocolVersion.V311,
    )


async def heard(ear: aiomqtt.Client, last: str, *others: str) -> set[str]:
    """Return the topics that are heard besides this one, before it or until these others are."""
    topics: set[str] = set()
    async with asyncio.timeout(PATIENCE_S):
        async for message in ear.messages:
            topics.add(message.topic.value)
            if topics >= {last, *others}:
                return topics - {last}
    raise AssertionError("the connection ended")


async def test_a_program_hears_what_is_told_and_nothing_that_others_ask(
    broker: EmbeddedBroker,
) -> None:
    secret = [TOPICS.requests, "farmhand/v1/agents/pi-a/presence", TOPICS.press("p1", "clear")]
    open_to_all = [TOPICS.printer("p1"), TOPICS.status, TOPICS.answer("r1")]
    async with client(broker, HOME) as ear, own(broker) as farm:
        for each in (*secret, TOPICS.told, TOPICS.answer("+"), "farmhand/#", "#"):
            await ear.subscribe(each, qos=1)
        for each in (*secret, *open_to_all, LAST):
            await farm.publish(each, b"x", qos=1)
        assert await heard(ear, LAST) == set(open_to_all)


async def test_a_program_asks_and_presses_and_says_nothing_else(broker: EmbeddedBroker) -> None:
    may = {TOPICS.requests, TOPICS.press("p1", "clear"), "homeassistant/status"}
    may_not = {
        TOPICS.printer("p1"),
        TOPICS.answer("r1"),
        "farmhand/v1/agents/pi-a/presence",
        "farmhand/v1/agents/pi-a/commands",
    }
    # What Mosquitto lets everybody say below their own name, is no agent's where that has a dot.
    assert parse(f"farmhand/v1/agents/{HOME}/presence") is None
    async with own(broker) as farm:
        await farm.subscribe("#", qos=1)
        async with client(broker, HOME) as program:
            for each in sorted(may | may_not):
                await program.publish(each, b"x", qos=int(each in may))
            await program.publish(TOPICS.requests, b"last", qos=1)
        async with client(broker, OTHER) as program:  # the broker is there still
            await program.publish("homeassistant/last", b"x", qos=1)
        assert await heard(farm, "homeassistant/last", *may) == may


@pytest.mark.parametrize("answer", ["_on_connect", "_on_subscribe"])
async def test_a_link_ends_though_the_broker_answers_in_that_very_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    """What waits in aiomqtt swallows a cancellation that comes in the same turn of the loop."""
    answered = getattr(aiomqtt.Client, answer)
    cancelled = asyncio.Event()

    def cancel_then_answer(*arguments: object) -> None:
        if not cancelled.is_set():
            running.cancel()
            cancelled.set()
        answered(*arguments)

    monkeypatch.setattr(aiomqtt.Client, answer, cancel_then_answer)
    with start_mosquitto(tmp_path) as port:
        link = BrokerLink(
            BrokerAddress.of(f"mqtt://127.0.0.1:{port}", username=None, password=None),
            client_id="c-automation",
            status_topic=TOPICS.status,
            mark_topic=TOPICS.mark,
            hears=[TOPICS.requests],
            looks_at=[*TOPICS.kept],
        )
        running = asyncio.create_task(link.run())
        async with asyncio.timeout(PATIENCE_S):
            await cancelled.wait()
            # It ends, by this one cancellation; else it would go on for ever.
            await asyncio.wait({running})
    assert running.cancelled()
    assert not link.session


async def test_who_has_no_password_does_not_come_in(broker: EmbeddedBroker) -> None:
    with pytest.raises(aiomqtt.MqttError):
        async with client(broker, HOME, "wrong"):
            pass


class Program:
    """A script at the farm's broker."""

    def __init__(self, mqtt: aiomqtt.Client) -> None:
        self.mqtt = mqtt
        self.last: dict[str, Any] = {}

    async def until(self, topic: str, payload: bytes | None = None) -> Any:
        """Return what is said on a topic next."""
        async with asyncio.timeout(PATIENCE_S):
            async for message in self.mqtt.messages:
                said = message.payload if isinstance(message.payload, bytes) else b""
                if message.topic.value == topic and payload in (None, said):
                    return said
        raise AssertionError("the connection ended")


@asynccontextmanager
async def files(**named: str) -> AsyncIterator[str]:
    """Serve files; lend the address."""

    async def give(request: web.Request) -> web.Response:
        return web.Response(text=named[request.match_info["name"]])

    app = web.Application()
    app.router.add_get("/{name}.gcode", give)
    server = TestServer(app)
    await server.start_server()
    yield str(server.make_url("/"))
    await server.close()


async def asks_otherwise(script: Program, farm: Coordinator, job_id: str) -> None:
    """Order what the farm has; with no key, and with one that may not; and retain a key."""
    (plate,) = (await asyncio.to_thread(farm.ask, f"jobs/{job_id}"))[1]["plates"]
    create = ("key", "create", "reader", "--scope", "farm:read", "--json")
    made = (await asyncio.to_thread(farm.farmhand, *create)).json
    order = {"do": "submit", "sha256": plate["sha256"], "name": "again"}
    for number, (key, code) in enumerate(
        ((farm.token, ""), ("farm_no_such", "unauthorized"), (made["key"], "not_permitted"))
    ):
        said = {"id": f"s{number}", "key": key, **order}
        await script.mqtt.publish(TOPICS.requests, json.dumps(said), qos=1, retain=True)
        answer = json.loads(await script.until(TOPICS.answer(said["id"])))
        assert answer.get("code", "") == code, answer
        assert answer["ok"] == (not code)
    # A topic that retains something has told it before the next answer comes.
    await script.mqtt.subscribe(TOPICS.requests, qos=1)
    await script.mqtt.publish(TOPICS.requests, '{"id": "last"}', qos=1)
    async with asyncio.timeout(PATIENCE_S):
        async for message in script.mqtt.messages:
            assert not message.retain
            if message.topic.value == TOPICS.answer("last"):
                return


async def test_a_script_orders_a_job_with_a_key_and_sees_the_coordinator_go(
    tmp_path: Path,
) -> None:
    """One real coordinator, its own broker, and what a script of twenty lines does."""
    settings = {
        "FARMHAND_HOMEASSISTANT": "component",
        "FARMHAND_OUTBOUND_NETWORKS": "127.0.0.0/8",
    }
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(files(lid="G28\nG1 X10\n"))
        farm = stack.enter_context(coordinator(tmp_path / "s", **settings))
        port = int(farm.facts["mqtt_url"].rpartition(":")[2])
        mqtt = await stack.enter_async_context(aiomqtt.Client("127.0.0.1", port))
        script = Program(mqtt)
        await mqtt.subscribe([(TOPICS.told, 1), (TOPICS.answer("+"), 1)])
        await script.until(TOPICS.status, b"online")
        said = {"id": "r1", "key": farm.token, "do": "submit", "url": f"{address}lid.gcode"}
        await mqtt.publish(TOPICS.requests, json.dumps(said), qos=1)
        answer = json.loads(await script.until(TOPICS.answer("r1")))
        assert answer["ok"], answer
        assert answer["result"]["name"] == "lid.gcode"
        await asks_otherwise(script, farm, answer["result"]["job_id"])
        assert (await asyncio.to_thread(stop, farm.process, within_s=PATIENCE_S)) == 0
        await script.until(TOPICS.status, b"offline")
        assert "automation.failed" not in farm.log.read_text()
