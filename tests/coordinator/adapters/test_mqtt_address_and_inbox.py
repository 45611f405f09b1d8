"""Where a broker is, and which messages are let go when too many wait."""

import pytest

from coordinator.adapters.mqtt_link import inbox as waiting_line
from coordinator.adapters.mqtt_link.address import BrokerAddress
from coordinator.adapters.mqtt_link.inbox import Inbox, LinkCounters
from coordinator.adapters.mqtt_link.link import MqttLink
from coordinator.adapters.mqtt_link.reading import PACKETS_A_TURN, read_on
from coordinator.errors import SettingsInvalid
from protocols.wire.codec import Message, encode
from protocols.wire.from_agent import Presence, Reported
from protocols.wire.topics import Topic, build
from protocols.wire.vocabulary import AgentId, Epoch, JournalId, PrinterId, PrinterState

AGENT = AgentId("pi-1")
PRESENCE = (
    build(Topic.PRESENCE, AGENT),
    encode(
        Presence(
            agent_id=AGENT,
            online=True,
            boot_id="b1",
            connection_id="c1",
            journal_id=JournalId("j1"),
            protocol_min=1,
            protocol_max=1,
        )
    ),
)


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


def reported(number: int, sequence: int = 1) -> tuple[str, bytes]:
    printer_id = PrinterId(f"p{number}")
    report = Reported(
        agent_id=AGENT,
        printer_id=printer_id,
        journal_id=JournalId("j1"),
        boot_id="b1",
        sequence=sequence,
        epoch=Epoch(0),
        revision=0,
        state=PrinterState.IDLE,
    )
    return build(Topic.REPORTED, AGENT, printer_id), encode(report)


def words(messages: list[Message]) -> list[str]:
    return [
        f"{each.printer_id}.{each.sequence}" if isinstance(each, Reported) else each.kind
        for each in messages
    ]


async def test_a_younger_report_takes_the_place_of_the_one_that_waits() -> None:
    counters = LinkCounters()
    inbox = Inbox(counters)
    for topic, payload in (reported(1), reported(2), PRESENCE, PRESENCE, reported(1, 2)):
        inbox.put(topic, payload)
    assert words(await inbox.take()) == ["p1.2", "p2.1", "presence", "presence"]
    assert counters.superseded == 1


async def test_a_full_line_drops_and_asks_again_once_it_is_empty(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting_line, "WAITING_MAX", 2)
    monkeypatch.setattr(waiting_line, "TAKEN_MAX", 1)
    counters = LinkCounters()
    inbox = Inbox(counters)
    for topic, payload in (reported(1), PRESENCE, PRESENCE, reported(2), reported(1, 2)):
        inbox.put(topic, payload)
    assert (counters.dropped, counters.superseded) == (2, 1)
    assert words(await inbox.take()) == ["p1.2"]
    assert not inbox.lacks_something()
    assert words(await inbox.take()) == ["presence"]
    assert [inbox.lacks_something(), inbox.lacks_something()] == [True, False]


async def test_what_is_no_message_is_counted_and_left_out() -> None:
    counters = LinkCounters()
    inbox = Inbox(counters)
    inbox.put(PRESENCE[0], b"{}")
    inbox.put(*PRESENCE)
    assert words(await inbox.take()) == ["presence"]
    assert counters.malformed == 1


async def test_it_is_not_connected_before_it_runs() -> None:
    assert not MqttLink(address("mqtt://broker"), coordinator_id="c").connected


class Scripted:
    """A client of the library: each read takes one thing that came, a message or another packet."""

    def __init__(self, *came: str) -> None:
        self.came = list(came)
        self.messages = self.reads = 0
        self._client = self

    def loop_read(self, max_packets: int = 1) -> int:
        self.reads += 1
        if not self.came:
            return 0  # nothing came: no error
        what = self.came.pop(0)
        self.messages += what == "message"
        return 7 if what == "lost" else 0


@pytest.mark.parametrize(
    ("came", "reads", "result"),
    [
        (("message",) * 3, 4, 0),
        (("message", "answer", "message"), 2, 0),
        (("message", "lost", "message"), 2, 7),
        (("message",) * (PACKETS_A_TURN + 5), PACKETS_A_TURN, 0),
    ],
)
def test_in_one_turn_of_the_loop_is_read_on_while_messages_come(
    came: tuple[str, ...], reads: int, result: int
) -> None:
    client = Scripted(*came)
    read_on(client, lambda: client.messages)  # type: ignore[arg-type]
    assert client.loop_read() == result
    assert client.reads == reads
