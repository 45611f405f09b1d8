"""Thousands of simulated agents in one process: the real wire, no G-code, no disk.

`python -m tests.benchmarks.farm_fleet PORT --agents 1000`: connects them, prints `ready`, then a
line for everything that the measurements look at: what, an id, and the second it happened
(CLOCK_MONOTONIC, which all processes of a machine share). Each agent is `ModelAgent`, which keeps
the rules of the wire, on a connection of its own: it arms, starts only with a permit for its own
nonce, finishes after `--print-s` seconds (never for 0), and repeats events until acknowledged.
"""

import argparse
import asyncio
import os
import random
import sys
import time
from dataclasses import replace

from protocols.wire.codec import encode, receive
from protocols.wire.from_agent import Presence
from protocols.wire.to_agent import CoordinatorStatus, Desired, Sync
from protocols.wire.topics import Topic, build, subscription
from protocols.wire.vocabulary import EventKind, RunPhase, nonce_of
from tests.benchmarks.farm_peer import Peer
from tests.fakes.model_agent import ModelAgent

# What is not acknowledged by then is said again, as an agent's outbox does.
REPEAT_S = 10.0
# As the agent itself does after a loss.
RECONNECT_S_MIN, RECONNECT_S_MAX = 1.0, 60.0


def tell(what: str, name: str) -> None:
    """Say when something happened."""
    sys.stdout.write(f"{what} {name} {time.monotonic():.6f}\n")


class SimulatedAgent:
    """One agent with one printer, on a connection of its own."""

    def __init__(self, number: int, port: int, print_s: float) -> None:
        """Make it; nothing is said before `live`."""
        self.model = ModelAgent(f"{number:05d}")
        self._port = port
        self._print_s = print_s
        self._peer: Peer | None = None
        self._session = 0
        self.left = False

    async def live(self, connected: asyncio.Semaphore) -> None:
        """Connect, and again whenever the connection is lost, until it leaves."""
        wait_s = RECONNECT_S_MIN
        while not self.left:
            # Of this connection: the end of one before may be heard after it began.
            lost = asyncio.Event()
            try:
                async with connected:
                    await self._connect(lost)
                wait_s = RECONNECT_S_MIN
                await lost.wait()
            except (OSError, TimeoutError):
                pass
            self._peer = None
            await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))
            wait_s = min(2 * wait_s, RECONNECT_S_MAX)

    async def _connect(self, lost: asyncio.Event) -> None:
        model = self.model
        self._session += 1
        presence = self._presence()
        topic = build(Topic.PRESENCE, model.agent_id)
        will = encode(replace(presence, online=False))
        self._peer = await Peer.connect(
            self._port,
            model.agent_id,
            heard=self._hear,
            lost=lost.set,
            will=(topic, will),
            topics=(
                subscription(Topic.DESIRED, model.agent_id),
                build(Topic.COORDINATOR_STATUS),
                build(Topic.COORDINATOR_SYNC),
            ),
        )
        self.say_all()
        tell("connected", model.agent_id)

    def _presence(self) -> Presence:
        connection_id = f"{self.model.boot_id}-{self._session}"
        return replace(self.model.presence(), connection_id=connection_id)

    def say_all(self) -> None:
        """Say presence, report and every event that is not acknowledged."""
        topic = build(Topic.PRESENCE, self.model.agent_id)
        self._say(topic, encode(self._presence()), retain=True)
        self._report()
        self.repeat_events()

    def repeat_events(self) -> None:
        """Say every event that is not acknowledged."""
        for event in self.model.outbox:
            topic = build(Topic.EVENTS, self.model.agent_id, self.model.printer_id)
            self._say(topic, encode(event))

    def _report(self) -> None:
        topic = build(Topic.REPORTED, self.model.agent_id, self.model.printer_id)
        self._say(topic, encode(self.model.reported()), retain=True)

    def leave(self) -> None:
        """Go without a word, for good: the broker says the will."""
        self.left = True
        if self._peer is not None:
            self._peer.close()

    def say_measured(self, topic: str, payload: bytes) -> None:
        """Say telemetry, where there is a connection."""
        self._say(topic, payload)

    def _say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        if self._peer is not None:
            self._peer.say(topic, payload, retain=retain)

    def _hear(self, topic: str, payload: bytes) -> None:
        match receive(topic, payload):
            case Desired() as document:
                self._obey(document)
            case Sync() as sync:
                loop = asyncio.get_running_loop()
                loop.call_later(random.uniform(0.0, sync.spread_s), self.say_all)
            case CoordinatorStatus():
                pass

    def _obey(self, document: Desired) -> None:
        """Take the one step that a document makes due."""
        model, unsaid = self.model, len(self.model.outbox)
        model.obey(document)
        tell("desired", model.agent_id)
        if unsaid and not model.outbox:
            tell("acknowledged", model.agent_id)
        run, assigned, cleared = model.run, document.assignment, document.cleared
        if run is not None and assigned is not None and assigned.run_id == run.run_id:
            if document.permit is not None and document.permit == model.armed:
                self._start()
                return
            if run.phase is RunPhase.READY and not run.nonces and cleared is not None:
                run.nonces.append(nonce_of(model.boot_id, os.urandom(8).hex()))
                model.armed = run.nonces[-1]
        self._report()

    def _start(self) -> None:
        """Execute the first line."""
        model = self.model
        assert model.run is not None
        tell("started", model.run.job_id)
        model.run.phase, model.printing, model.armed = RunPhase.PRINTING, model.run.run_id, None
        model.occupation += 1
        self.happened(EventKind.STARTED)
        if self._print_s:
            asyncio.get_running_loop().call_later(self._print_s, self._finish)

    def _finish(self) -> None:
        assert self.model.run is not None
        self.model.end(RunPhase.FINISHED, EventKind.FINISHED)
        tell("finished", self.model.run.job_id)
        self._say_last()

    def happened(self, event: EventKind) -> None:
        """Note an event of the run, and say it."""
        self.model.note(event)
        self._say_last()

    def _say_last(self) -> None:
        topic = build(Topic.EVENTS, self.model.agent_id, self.model.printer_id)
        self._say(topic, encode(self.model.outbox[-1]))
        self._report()


async def run(port: int, agents: int, print_s: float) -> None:
    """Let the agents live until cancelled."""
    fleet = [SimulatedAgent(number, port, print_s) for number in range(agents)]
    at_once = asyncio.Semaphore(50)
    async with asyncio.TaskGroup() as tasks:
        for agent in fleet:
            tasks.create_task(agent.live(at_once))
        tasks.create_task(_flush())
        while True:
            await asyncio.sleep(REPEAT_S)
            for agent in fleet:
                agent.repeat_events()


async def _flush() -> None:
    """Hand over what was told: a write for each line would be most of the cost."""
    while True:
        await asyncio.sleep(0.005)
        sys.stdout.flush()


def main() -> None:
    """Run a fleet as its own process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--agents", type=int, default=1000)
    parser.add_argument("--print-s", type=float, default=0.5)
    wanted = parser.parse_args()
    asyncio.run(run(wanted.port, wanted.agents, wanted.print_s))


if __name__ == "__main__":
    main()
