"""A fleet whose printers also measure: `python -m tests.benchmarks.front_fleet PORT --agents 500`.

Each agent of `farm_fleet` with one printer says once a second, at a time of its own, what a printer
that prints says: four temperatures, line, layer and progress, all of them changing.
"""

import argparse
import asyncio
import random
import time

from protocols.wire.codec import encode
from protocols.wire.from_agent import HostSample, PrinterSample, Telemetry
from protocols.wire.topics import Topic, build
from protocols.wire.vocabulary import PrinterState, Temperature
from tests.benchmarks.farm_fleet import SimulatedAgent

# Of each print, with as many to a layer as make 200 of them.
LINES = 100_000


async def measure(agent: SimulatedAgent, line: int = 0) -> None:
    """Say telemetry until cancelled, from a line of the print on."""
    await asyncio.sleep(random.random())
    topic = build(Topic.TELEMETRY, agent.model.agent_id)
    while True:
        line = min(line + 10, LINES)
        warm = {name: Temperature(200 + random.random(), 210.0) for name in ("tool0", "bed")}
        sample = PrinterSample(
            printer_id=agent.model.printer_id,
            state=PrinterState.PRINTING,
            run_id=agent.model.run.run_id if agent.model.run is not None else None,
            temperatures={**warm, "chamber": Temperature(40.5), "board": Temperature(51.0)},
            line=line,
            line_count=LINES,
            layer=line // 500,
            layer_count=200,
            progress=line / LINES,
            remaining_s=(LINES - line) / 20,
        )
        host = HostSample(cpu_celsius=50 + random.random(), load=0.1)
        said = Telemetry(
            agent_id=agent.model.agent_id, at_unix_s=time.time(), printers=(sample,), host=host
        )
        agent.say_measured(topic, encode(said))
        await asyncio.sleep(1.0)


async def run(port: int, agents: int) -> None:
    """Let the agents live until cancelled."""
    fleet = [SimulatedAgent(number, port, 0.0) for number in range(agents)]
    at_once = asyncio.Semaphore(50)
    async with asyncio.TaskGroup() as tasks:
        for agent in fleet:
            tasks.create_task(agent.live(at_once))
            tasks.create_task(measure(agent))


def main() -> None:
    """Run a fleet as its own process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--agents", type=int, default=500)
    wanted = parser.parse_args()
    asyncio.run(run(wanted.port, wanted.agents))


if __name__ == "__main__":
    main()
