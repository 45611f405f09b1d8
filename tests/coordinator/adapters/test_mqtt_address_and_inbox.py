"""Where a broker is, and which messages are let go when too many wait."""

import asyncio

import aiomqtt
import pytest

from coordinator.adapters import mqtt_link
from coordinator.adapters.mqtt_link import BrokerAddress, LinkCounters, MqttLink
from coordinator.errors import SettingsInvalid
from protocols.wire.topics import Topic, build
from protocols.wire.vocabulary import AgentId

TELEMETRY = build(Topic.TELEMETRY, AgentId("pi-1"))
PRESENCE = build(Topic.PRESENCE, AgentId("pi-1"))


def address(url: str) -> BrokerAddress:
    return BrokerAddress.of(url, username="farm", password="geheim")


def test_a_url_tells_host_port_and_tls() -> None:
    plain, secret = address("mqtt://broker.example"), address("mqtts://[::1]")
    assert (plain.host, plain.port, plain.tls) == ("broker.example", 1883, False)
    assert (secret.host, secret.port, secret.tls) == ("::1", 8883, True)


def test_who_stands_in_the_url_wins_and_no_password_is_shown() -> None:
    named = address("mqtt://anna:word@broker:1884")
    assert (named.username, named.password, str(named)) == ("anna", "word", "mqtt://broker:1884")
    assert address("mqtt://broker").username == "farm"


@pytest.mark.parametrize(
    "url", ["broker", "http://broker", "mqtt://", "mqtt://b:x", "mqtt://b:99999"]
)
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(SettingsInvalid, match="is no address of a broker: write mqtt://"):
        address(url)


def inbox(counters: LinkCounters) -> asyncio.Queue[aiomqtt.Message]:
    return mqtt_link._inbox_of(counters)()


def message(topic: str) -> aiomqtt.Message:
    return aiomqtt.Message(topic, b"", 0, False, 0, None)


def test_telemetry_is_let_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_link, "TELEMETRY_WAITING_MAX", 2)
    monkeypatch.setattr(mqtt_link, "WAITING_MAX", 4)
    counters = LinkCounters()
    waiting = inbox(counters)
    for topic in (TELEMETRY, TELEMETRY, TELEMETRY, PRESENCE, TELEMETRY, PRESENCE, PRESENCE):
        waiting.put_nowait(message(topic))
    kept = [waiting.get_nowait().topic.value for _ in range(waiting.qsize())]
    assert kept == [TELEMETRY, TELEMETRY, PRESENCE, PRESENCE]
    assert (counters.telemetry_dropped, counters.dropped) == (2, 1)


async def test_it_is_not_connected_before_it_runs() -> None:
    assert not MqttLink(address("mqtt://broker"), coordinator_id="c").connected
