"""The farm benchmark works: small runs of it, on any machine.

How fast anything is is never asserted here; that is what the benchmark itself is for.
"""

import asyncio
from pathlib import Path

import pytest

from tests.benchmarks import farm_assignment, farm_recovery
from tests.benchmarks.farm import Found, readable, verdicts
from tests.benchmarks.farm_peer import Peer, packet, publication, split
from tests.benchmarks.farm_telemetry import OURS, REFERENCE, Cost, Shape, measure
from tests.fakes.mosquitto import start_mosquitto


def silent(_: str) -> None:
    """Tell nobody how far it is."""


@pytest.mark.parametrize("client", [REFERENCE, "aiomqtt", OURS])
def test_every_telemetry_message_arrives_and_its_cost_is_counted(client: str) -> None:
    found = measure(client, Shape(printers=2, messages_per_s=50, agents=5), seconds=0.5)
    assert found.arrived == 1
    assert found.cpu_us > 0
    assert 0 <= found.delay_ms_p50 <= found.delay_ms_p99


def test_every_simulated_agent_prints_what_is_ordered_to_its_end() -> None:
    found = farm_assignment.run(agents=5, rate_per_s=20, paced=3, say=silent)
    assert [shift.leases for shift in found.shifts] == [3, 5, 5]
    assert all(shift.lives_per_s > 0 for shift in found.shifts)
    assert "5 agents" in "\n".join(readable(Found(assignment=found)))


def test_a_killed_coordinator_knows_all_again() -> None:
    assert farm_recovery.run(3, with_broker=False) > 0


def cost(client: str, cpu_us: float) -> Cost:
    return Cost(
        client=client,
        printers=1,
        cpu_us=cpu_us,
        delay_ms_p50=1,
        delay_ms_p99=2,
        arrived=1,
        bytes_per_printer=1000,
    )


@pytest.mark.parametrize(("cpu_us", "reached"), [(100.0, [True, False]), (101.0, [False, False])])
def test_a_target_is_missed_below_its_limit_only(cpu_us: float, reached: list[bool]) -> None:
    found = Found(telemetry=[cost(REFERENCE, 50.0), cost(OURS, cpu_us)])
    assert [each for each, _ in verdicts(found)] == reached


def test_packets_are_split_wherever_the_bytes_end() -> None:
    data = publication("a/b", b"x" * 200) + packet(0x40, b"\x00\x01")
    whole, rest = split(data)
    assert ([first for first, _ in whole], rest) == ([0x30, 0x40], b"")
    for end in range(len(data)):
        first, rest = split(data[:end])
        assert split(rest + data[end:]) == (whole[len(first) :], b"")


async def test_a_peer_hears_what_another_says(tmp_path: Path) -> None:
    heard: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()

    def hear(topic: str, payload: bytes) -> None:
        heard.put_nowait((topic, payload))

    with start_mosquitto(tmp_path) as port:
        async with asyncio.timeout(30):
            one = await Peer.connect(port, "one", heard=hear, topics=["a/#"])
            other = await Peer.connect(port, "two", heard=hear, will=("a/will", b"gone"))
            other.say("a/b", b"kept", retain=True)
            other.send(publication("a/c", b"let go"))
            said = {await heard.get(), await heard.get()}
            other.close()
            said.add(await heard.get())
        one.close()
    assert said == {("a/b", b"kept"), ("a/c", b"let go"), ("a/will", b"gone")}
