"""Part `telemetry`: what a message costs from the broker's socket to the state in memory.

A generator in this process says prepared messages at a steady rate over many connections through a
real mosquitto; each consumer is a process of its own and counts its own CPU. CPU per message is the
figure to trust: it hardly depends on what else the machine does.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from protocols.wire.codec import encode
from protocols.wire.from_agent import PrinterSample, Telemetry
from protocols.wire.topics import Topic, build
from protocols.wire.vocabulary import AgentId, PrinterId, PrinterState, RunId, Temperature
from tests.benchmarks.farm_peer import Peer, publication
from tests.benchmarks.installing import NotInstallable, environment
from tests.fakes.mosquitto import start_mosquitto
from tests.fakes.processes import environment as ours

# paho's own thread first: it is what the others are compared with.
REFERENCE, OURS = "paho-thread", "farmhand"
CLIENTS = (REFERENCE, "paho-loop", "aiomqtt", "gmqtt", "amqtt", OURS)
GMQTT = Path(__file__).parent / "hosts" / "gmqtt.lock"

# As long as a wall clock in microseconds is now, so that the time can be put in its place.
NO_TIME = 1111111111.111111
TIME_BYTES = b"1111111111.111111"
SETTLE_S = 0.3
# Some agents share a connection: to connect ten thousand takes longer than to measure them.
CONNECTIONS_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What agents say: so many printers in a message, so many messages a second in all."""

    printers: int
    messages_per_s: int
    agents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one client needed.

    Attributes:
        cpu_us: CPU time of all its threads per message.
        delay_ms_p50: from the agent's clock to the state in memory, with `delay_ms_p99`.
        arrived: messages that were taken in, of all that were said: 1 where none was lost.
        bytes_per_printer: how much its memory grew by the state of a printer.
    """

    client: str
    printers: int
    cpu_us: float
    delay_ms_p50: float
    delay_ms_p99: float
    arrived: float
    bytes_per_printer: float

    @property
    def printers_per_core(self) -> float:
        """How many printers at 1 Hz one core holds, if it did nothing else."""
        return 1e6 / self.cpu_us * self.printers


def telemetry(agent: int, printers: int) -> Telemetry:
    """Return what an agent with busy printers says."""
    warm = {"tool0": Temperature(214.9, 215.0), "bed": Temperature(60.1, 60.0)}
    return Telemetry(
        agent_id=AgentId(f"agent-{agent:05d}"),
        at_unix_s=NO_TIME,
        printers=tuple(
            PrinterSample(
                printer_id=PrinterId(f"printer-{agent:05d}-{number}"),
                state=PrinterState.PRINTING,
                run_id=RunId("run-01jc0000000000000000000000"),
                temperatures=warm,
                line=12345,
                line_count=100_000,
                layer=33,
                layer_count=200,
                progress=0.12345,
                remaining_s=3600.5,
            )
            for number in range(printers)
        ),
    )


@contextmanager
def consumer(client: str, port: int) -> Iterator[Callable[[], dict[str, Any]]]:
    """Run a process of `farm_consumers`; lend, once it is subscribed, what asks for its figures.

    Raises:
        NotInstallable: its library could not be had here.
    """
    more = {}
    if client == "gmqtt":
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        packages = environment(GMQTT).parent / "lib" / version / "site-packages"
        more["FARMHAND_BENCH_PACKAGES"] = str(packages)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.farm_consumers", client, str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**ours(), **more},
    )
    asked, answers = process.stdin, process.stdout
    assert asked is not None
    assert answers is not None

    def figures() -> dict[str, Any]:
        asked.write("\n")
        asked.flush()
        found: dict[str, Any] = json.loads(answers.readline())
        return found

    try:
        if answers.readline() != "ready\n":
            raise NotInstallable(f"{client} does not run here")
        yield figures
    finally:
        process.kill()
        process.wait()


def measure(client: str, shape: Shape, seconds: float) -> Cost:
    """Say telemetry for some seconds, and return what it cost a client."""
    with tempfile.TemporaryDirectory(prefix="farmhand-bench-") as name, ExitStack() as stack:
        port = stack.enter_context(start_mosquitto(Path(name)))
        figures = stack.enter_context(consumer(client, port))
        before = figures()
        said = asyncio.run(generate(port, shape, seconds))
        after = figures()
    count = after["count"] - before["count"]
    delays = sorted(after["delays_s"])
    return Cost(
        client=client,
        printers=shape.printers,
        cpu_us=(after["cpu_s"] - before["cpu_s"]) / max(1, count) * 1e6,
        delay_ms_p50=percentile(delays, 0.5) * 1e3,
        delay_ms_p99=percentile(delays, 0.99) * 1e3,
        arrived=count / max(1, said),
        bytes_per_printer=(after["resident_bytes"] - before["resident_bytes"])
        / max(1, after["printers"]),
    )


async def generate(port: int, shape: Shape, seconds: float) -> int:
    """Say messages at a steady rate, the agents in turn; return how many."""
    packets: list[tuple[bytearray, int]] = []
    peers = [
        await Peer.connect(port, f"agent-{number}", heard=lambda *_: None)
        for number in range(min(shape.agents, CONNECTIONS_MAX))
    ]
    for number in range(shape.agents):
        said = telemetry(number, shape.printers)
        made = publication(build(Topic.TELEMETRY, said.agent_id), encode(said))
        packets.append((bytearray(made), made.index(TIME_BYTES)))
    sent, began_s = 0, time.monotonic()
    while (elapsed_s := time.monotonic() - began_s) < seconds:
        now = b"%.6f" % time.time()
        while sent < elapsed_s * shape.messages_per_s:
            packet, at = packets[sent % shape.agents]
            packet[at : at + len(now)] = now
            peers[sent % len(peers)].send(bytes(packet))
            sent += 1
        await asyncio.sleep(0.001)
    await asyncio.sleep(SETTLE_S)
    for peer in peers:
        peer.close()
    return sent


def percentile(ordered: Sequence[float], part: float) -> float:
    """Return the value below which that part of them lies; not a number without any."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else float("nan")


def middle(costs: Sequence[Cost]) -> Cost:
    """Return the medians of several trials of one client and shape."""
    figures = ("cpu_us", "delay_ms_p50", "delay_ms_p99", "arrived", "bytes_per_printer")
    return Cost(
        client=costs[0].client,
        printers=costs[0].printers,
        **{name: median(getattr(cost, name) for cost in costs) for name in figures},
    )


def shapes(printers: int) -> tuple[Shape, Shape]:
    """Return the worst case, an agent for each printer, and agents of eight; each at 1 Hz."""
    eights = max(1, printers // 8)
    return (
        Shape(printers=1, messages_per_s=printers, agents=printers),
        Shape(printers=8, messages_per_s=eights, agents=eights),
    )


def run(printers: int, trials: int, seconds: float, say: Callable[[str], None]) -> list[Cost]:
    """Measure every client with both shapes; they take turns within a trial."""
    found: list[Cost] = []
    for shape in shapes(printers):
        costs: dict[str, list[Cost]] = {client: [] for client in CLIENTS}
        for number in range(1, trials + 1):
            for client in CLIENTS:
                try:
                    cost = measure(client, shape, seconds)
                except NotInstallable as error:
                    say(f"without {client}: {error}")
                    continue
                costs[client].append(cost)
                say(f"{number}/{trials} {row(cost, cost.cpu_us)}")
        found += [middle(some) for some in costs.values() if some]
    return found


def table(costs: Sequence[Cost]) -> Iterator[str]:
    """Yield the lines of the report."""
    for printers in dict.fromkeys(cost.printers for cost in costs):
        mine = [cost for cost in costs if cost.printers == printers]
        reference = next((cost.cpu_us for cost in mine if cost.client == REFERENCE), float("nan"))
        yield f"telemetry at 1 Hz, {printers} printer(s) an agent:"
        yield (
            f"{'client':>12} {'CPU us/message':>15} {'x paho':>7} {'printers/core':>14} "
            f"{'p50 ms':>8} {'p99 ms':>8} {'arrived':>8} {'B/printer':>10}"
        )
        yield from (row(cost, reference) for cost in mine)


def row(cost: Cost, reference_us: float) -> str:
    """Return one client's line."""
    return (
        f"{cost.client:>12} {cost.cpu_us:15.1f} {cost.cpu_us / reference_us:7.2f} "
        f"{cost.printers_per_core:14,.0f} {cost.delay_ms_p50:8.2f} "
        f"{cost.delay_ms_p99:8.2f} {cost.arrived:8.1%} {cost.bytes_per_printer:10,.0f}"
    )
