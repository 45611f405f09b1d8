"""The ways in which a coordinator can hear telemetry, each as a process that counts its own cost.

`python -m tests.benchmarks.farm_consumers CLIENT PORT`: subscribes, says `ready`; from then on each
line on its standard input is answered with its figures so far, as JSON. All do the same work for a
message: the real codec, then the state in memory that the API reads.
"""

import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import aiomqtt
import paho.mqtt.client as paho
import structlog
from amqtt.client import MQTTClient
from paho.mqtt.enums import CallbackAPIVersion

from coordinator.adapters.mqtt_link.address import BrokerAddress
from coordinator.adapters.mqtt_link.inbox import LinkCounters
from coordinator.adapters.mqtt_link.telemetry import TelemetryFeed
from coordinator.usecases.live import Live
from protocols.wire.codec import receive
from protocols.wire.from_agent import Telemetry
from protocols.wire.topics import Topic, subscription

FILTER = subscription(Topic.TELEMETRY)
DELAYS_MAX = 1_000_000
MISC_S = 0.2  # how often paho looks after its pings where no thread of its own does


class Work:
    """What is done with each message, and what it cost."""

    def __init__(self) -> None:
        self.count = 0
        self.delays_s: list[float] = []
        self.live = Live()

    def take(self, topic: str, payload: bytes) -> None:
        """Decode a message and keep it."""
        message = receive(topic, payload)
        assert isinstance(message, Telemetry)
        self.keep(message)

    def keep(self, message: Telemetry) -> None:
        """Keep a message as the newest of its printers; count it, and how old it is."""
        for sample in message.printers:
            self.live.owners.setdefault(sample.printer_id, message.agent_id)
        self.live.absorb(message, datetime.now(UTC))
        self.count += 1
        if len(self.delays_s) < DELAYS_MAX:
            self.delays_s.append(time.time() - message.at_unix_s)

    def figures(self) -> str:
        """Return count, CPU seconds of all threads, resident bytes and delays; delays anew."""
        delays, self.delays_s = self.delays_s, []
        page = resource.getpagesize()
        return json.dumps(
            {
                "count": self.count,
                "cpu_s": time.process_time(),
                "resident_bytes": int(Path("/proc/self/statm").read_text().split()[1]) * page,
                "printers": len(self.live.samples),
                "delays_s": delays,
            }
        )


def connected(work: Work, port: int, subscribed: Callable[[], object]) -> paho.Client:
    """Return paho, connected and subscribing, with the work in its callback."""
    client = paho.Client(CallbackAPIVersion.VERSION2, "consumer", protocol=paho.MQTTv311)
    client.on_message = lambda _client, _data, message: work.take(message.topic, message.payload)
    client.on_subscribe = lambda *_: subscribed()
    client.connect("127.0.0.1", port)
    client.subscribe(FILTER)
    return client


async def paho_thread(work: Work, port: int, ready: asyncio.Event) -> None:
    """paho's own thread."""
    loop = asyncio.get_running_loop()
    connected(work, port, lambda: loop.call_soon_threadsafe(ready.set)).loop_start()
    await asyncio.Event().wait()


async def paho_loop(work: Work, port: int, ready: asyncio.Event) -> None:
    """paho, read when our loop says that there is something."""
    client = connected(work, port, ready.set)
    asyncio.get_running_loop().add_reader(client.socket(), client.loop_read)
    while True:
        client.loop_misc()
        client.loop_write()
        await asyncio.sleep(MISC_S)


async def with_aiomqtt(work: Work, port: int, ready: asyncio.Event) -> None:
    """aiomqtt, as its documentation shows it."""
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe(FILTER)
        ready.set()
        async for message in client.messages:
            work.take(message.topic.value, bytes(message.payload))


async def with_gmqtt(work: Work, port: int, ready: asyncio.Event) -> None:
    """gmqtt, which is no dependency of ours: the environment says where it is."""
    sys.path.append(os.environ["FARMHAND_BENCH_PACKAGES"])
    import gmqtt

    client = gmqtt.Client("consumer")
    client.on_message = lambda _c, topic, payload, _q, _p: work.take(topic, payload) or 0
    client.on_subscribe = lambda *_: ready.set()
    await client.connect("127.0.0.1", port, version=gmqtt.constants.MQTTv311)
    client.subscribe(FILTER)
    await asyncio.Event().wait()


async def with_amqtt(work: Work, port: int, ready: asyncio.Event) -> None:
    """amqtt's client."""
    client = MQTTClient()
    await client.connect(f"mqtt://127.0.0.1:{port}")
    await client.subscribe([(FILTER, 0)])
    ready.set()
    while True:
        message = await client.deliver_message()
        work.take(message.topic, bytes(message.data))


async def farmhand(work: Work, port: int, ready: asyncio.Event) -> None:
    """What the coordinator has: a connection of its own, read in large pieces."""
    feed = TelemetryFeed(
        BrokerAddress(host="127.0.0.1", port=port),
        client_id="consumer",
        counters=LinkCounters(),
        take=work.keep,
        subscribed=ready.set,
    )
    await feed.run()


CLIENTS: dict[str, Callable[[Work, int, asyncio.Event], Awaitable[None]]] = {
    "paho-thread": paho_thread,
    "paho-loop": paho_loop,
    "aiomqtt": with_aiomqtt,
    "gmqtt": with_gmqtt,
    "amqtt": with_amqtt,
    "farmhand": farmhand,
}


def say(line: str) -> None:
    """Answer whoever started this."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def main(name: str, port: int) -> None:
    """Consume until killed."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    work, ready = Work(), asyncio.Event()

    def answer() -> None:
        sys.stdin.readline()
        say(work.figures())

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(CLIENTS[name](work, port, ready))
        await ready.wait()
        asyncio.get_running_loop().add_reader(sys.stdin, answer)
        say("ready")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
