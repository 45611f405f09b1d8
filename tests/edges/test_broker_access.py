"""At the real brokers an agent that enrolled can neither read nor write as another one."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiomqtt
import pytest

from coordinator.adapters.embedded_broker.broker import (
    BrokerWish,
    EmbeddedBroker,
    Kind,
    embedded_broker,
)
from protocols.wire.topics import Topic, build
from protocols.wire.vocabulary import AgentId, PrinterId
from tests.fakes.enrolled_agents import credential_of, secret_of

PATIENCE_S = 20.0
A, B, P = AgentId("pi-a"), AgentId("pi-b"), PrinterId("mk3")
# What a broker has delivered once it has delivered this.
LAST = build(Topic.COORDINATOR_SYNC)


@pytest.fixture(params=["mosquitto", "amqtt"])
async def broker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[EmbeddedBroker]:
    wish = BrokerWish(
        kind=request.param,
        folder=tmp_path / "broker",
        enrolled=True,
        credentials=[credential_of(A), credential_of(B)],
    )
    async with embedded_broker(wish) as running:
        yield running


def agent(
    broker: EmbeddedBroker, agent_id: str, will: aiomqtt.Will | None = None, **changes: str
) -> aiomqtt.Client:
    return aiomqtt.Client(
        "127.0.0.1",
        int(broker.url.rpartition(":")[2]),
        username=changes.get("username", agent_id),
        password=changes.get("password", secret_of(agent_id)),
        identifier=changes.get("identifier", f"farmhand-agent-{agent_id}"),
        protocol=aiomqtt.ProtocolVersion.V311,
        will=will,
    )


def farm(broker: EmbeddedBroker, *, second: bool = False) -> aiomqtt.Client:
    own = broker.own
    return aiomqtt.Client(
        "127.0.0.1",
        int(broker.own_url.rpartition(":")[2]),
        username=own.telemetry_username if second else own.username,
        password=own.password,
        protocol=aiomqtt.ProtocolVersion.V311,
    )


@dataclass
class Ear:
    """A client, and what it hears."""

    client: aiomqtt.Client
    heard: list[str] = field(default_factory=list)

    async def until(self, topic: str) -> list[str]:
        async with asyncio.timeout(PATIENCE_S):
            async for message in self.client.messages:
                if message.topic.value == topic:
                    return self.heard
                self.heard.append(message.topic.value)
        raise AssertionError("the connection ended")


@asynccontextmanager
async def listening(client: aiomqtt.Client, *filters: str) -> AsyncIterator[Ear]:
    """Connect and subscribe, whether or not the broker refuses some of it."""
    async with client as connected:
        await connected.subscribe([(each, 1) for each in (*filters, LAST)])
        yield Ear(connected)


EVERYTHING = [
    build(Topic.DESIRED, B, P),
    build(Topic.REPORTED, B, P),
    build(Topic.EVENTS, B, P),
    build(Topic.PRESENCE, B),
    build(Topic.COMMANDS, B),
    build(Topic.RESULTS, B),
    build(Topic.TELEMETRY, B),
]
WILDCARDS = ["#", "farmhand/#", "farmhand/v1/telemetry/#", "farmhand/v1/agents/+/#", "+/+/+/+/+"]


async def test_an_agent_hears_nothing_of_another_one_whatever_it_subscribes_to(
    broker: EmbeddedBroker,
) -> None:
    async with farm(broker) as coordinator:
        for topic in EVERYTHING:  # some retained from before, some while it listens
            await coordinator.publish(topic, b"secret", 1, retain=True)
        async with listening(agent(broker, A), *WILDCARDS, *EVERYTHING) as ear:
            for topic in EVERYTHING:
                await coordinator.publish(topic, b"secret", 1)
            await coordinator.publish(LAST, b"all said", 1)
            assert await ear.until(LAST) == []


async def test_an_agent_hears_what_is_meant_for_it(broker: EmbeddedBroker) -> None:
    desired, commands = build(Topic.DESIRED, A, P), build(Topic.COMMANDS, A)
    status = build(Topic.COORDINATOR_STATUS)
    async with farm(broker) as coordinator:
        await coordinator.publish(desired, b"{}", 1, retain=True)
        filters = [f"farmhand/v1/agents/{A}/printers/+/desired", commands, status]
        async with listening(agent(broker, A), *filters) as ear:
            assert await ear.until(desired) == []
            for topic in (commands, status, LAST):
                await coordinator.publish(topic, b"{}", 1)
            assert await ear.until(LAST) == [commands, status]


async def test_what_an_agent_says_in_the_name_of_another_nobody_hears(
    broker: EmbeddedBroker,
) -> None:
    own = [
        build(Topic.REPORTED, A, P),
        build(Topic.EVENTS, A, P),
        build(Topic.PRESENCE, A),
        build(Topic.RESULTS, A),
        build(Topic.TELEMETRY, A),
    ]
    forged = [
        *EVERYTHING,
        build(Topic.DESIRED, A, P),
        build(Topic.COMMANDS, A),
        build(Topic.COORDINATOR_STATUS),
        "elsewhere",
    ]
    async with listening(farm(broker), "#") as ear, agent(broker, A) as speaker:
        for topic in forged:
            await speaker.publish(topic, b"forged", 1, retain=True)
        for topic in own:
            await speaker.publish(topic, b"true", 1)
        async with farm(broker, second=True) as coordinator:
            await coordinator.publish(LAST, b"all said", 1)
        assert await ear.until(LAST) == own
    async with listening(farm(broker), "#") as ear:  # and nothing was retained of it
        await ear.client.publish(LAST, b"again", 1)
        assert await ear.until(LAST) == []


async def test_a_will_in_the_name_of_another_is_never_heard_and_ones_own_is(
    broker: EmbeddedBroker,
) -> None:
    own = build(Topic.PRESENCE, A)
    async with listening(farm(broker), "#") as ear:
        for topic in (build(Topic.PRESENCE, B), build(Topic.COORDINATOR_STATUS), own):
            await dies(agent(broker, A, aiomqtt.Will(topic, b"gone", 1, True)))
        assert await ear.until(own) == []


async def dies(client: aiomqtt.Client) -> None:
    """Connect if the broker lets it, and end without a word."""
    with suppress(aiomqtt.MqttError):
        await client.__aenter__()
        client._client.socket().shutdown(socket.SHUT_RDWR)
        async for _ in client.messages:
            pass  # until the connection's end was noticed


@pytest.mark.parametrize(
    "shown",
    [
        {"password": secret_of(B)},
        {"password": ""},
        {"username": "pi-c"},
        {"username": "+"},
        {"username": "#"},
        {"username": "coordinator.link"},
    ],
    ids=str,
)
async def test_who_does_not_know_the_secret_stays_outside(
    broker: EmbeddedBroker, shown: dict[str, str]
) -> None:
    with pytest.raises(aiomqtt.MqttError):
        async with agent(broker, A, **shown):
            pass


@pytest.mark.parametrize("kind", ["mosquitto", "amqtt"])
async def test_beside_a_shared_user_an_agent_that_enrolled_comes_in_by_its_own_name(
    tmp_path: Path, kind: Kind
) -> None:
    wish = BrokerWish(
        kind=kind,
        folder=tmp_path,
        username="farm",
        password="a long password",
        credentials=[credential_of(A)],
    )
    async with embedded_broker(wish) as broker:
        assert broker.own.username == broker.own.telemetry_username == "farm"
        async with agent(broker, A), farm(broker), farm(broker, second=True):
            pass
        with pytest.raises(aiomqtt.MqttError):
            async with agent(broker, A, password="a long password"):
                pass


async def test_nobody_stays_anonymous(broker: EmbeddedBroker) -> None:
    with pytest.raises(aiomqtt.MqttError):
        async with aiomqtt.Client("127.0.0.1", int(broker.url.rpartition(":")[2])):
            pass


async def test_an_agent_can_not_end_anothers_connection_by_its_client_id(
    tmp_path: Path,
) -> None:
    # amqtt ends the older connection before it asks who the newer one is.
    wish = BrokerWish(
        kind="mosquitto",
        folder=tmp_path,
        enrolled=True,
        credentials=[credential_of(A), credential_of(B)],
    )
    commands = build(Topic.COMMANDS, B)
    async with (
        embedded_broker(wish) as broker,
        listening(agent(broker, B), commands) as ear,
    ):
        with suppress(aiomqtt.MqttError):
            async with agent(broker, A, identifier=f"farmhand-agent-{B}"):
                pass  # it may come in, but by its own name
        async with farm(broker) as coordinator:
            await coordinator.publish(commands, b"{}", 1)
            assert await ear.until(commands) == []


async def test_an_agent_that_comes_is_let_in_and_one_that_goes_is_mute_and_deaf(
    broker: EmbeddedBroker,
) -> None:
    new = "pi-new"
    with pytest.raises(aiomqtt.MqttError):
        async with agent(broker, new):
            pass
    pid = broker.pid
    await broker.admit([credential_of(A), credential_of(B), credential_of(new)])
    async with await let_in(broker, new), farm(broker) as coordinator:
        pass
    async with listening(farm(broker), "#") as ear:
        gone = agent(broker, B)
        await gone.__aenter__()
        await broker.admit([credential_of(A), credential_of(new)])
        await shut_out(broker, B)
        with suppress(aiomqtt.MqttError):  # a broker may answer, or hang up
            await gone.publish(build(Topic.PRESENCE, B), b"still here", 1, timeout=1.0)
        async with farm(broker, second=True) as coordinator:
            await coordinator.publish(LAST, b"all said", 1)
        assert await ear.until(LAST) == []
    assert broker.pid == pid


async def let_in(broker: EmbeddedBroker, agent_id: str) -> aiomqtt.Client:
    """Return a client for an agent as soon as the broker has read its list again."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                async with agent(broker, agent_id):
                    return agent(broker, agent_id)
            except aiomqtt.MqttError:
                await asyncio.sleep(0.02)  # it is another process


async def shut_out(broker: EmbeddedBroker, agent_id: str) -> None:
    """Return as soon as the broker lets an agent in no more."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                async with agent(broker, agent_id, identifier=f"farmhand-agent-{agent_id}"):
                    await asyncio.sleep(0.02)
            except aiomqtt.MqttError:
                return
