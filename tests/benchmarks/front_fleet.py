"""A fleet whose printers also measure: `python -m tests.benchmarks.front_fleet PORT --agents 500`.

Each agent of `farm_fleet` with one printer says once a second, at a time of its own, what a printer
that prints says: four temperatures, line, layer and progress, all of them changing.
"""

import argparse
import asyncio
import random
import time

from coordinator.domain.series import SLOTS, STEP_S, Measured, Span, compressed
from protocols.wire.codec import encode
from protocols.wire.from_agent import HostSample, PrinterSample, Telemetry
from protocols.wire.topics import Topic, build
from protocols.wire.vocabulary import PrinterId, PrinterState, RunId, Temperature, Tuning
from tests.benchmarks.farm_fleet import SimulatedAgent

# Of each print, with as many to a layer as make 200 of them.
LINES = 100_000


async def measure(agent: SimulatedAgent, line: int = 0) -> None:
    """Say telemetry until cancelled, from a line of the print on."""
    await asyncio.sleep(random.random())
    topic = build(Topic.TELEMETRY, agent.model.agent_id)
    while True:
        line = min(line + 10, LINES)
        run_id = agent.model.run.run_id if agent.model.run is not None else None
        sample = sample_of(agent.model.printer_id, run_id, line)
        host = HostSample(cpu_celsius=50 + random.random(), load=0.1)
        said = Telemetry(
            agent_id=agent.model.agent_id, at_unix_s=time.time(), printers=(sample,), host=host
        )
        agent.say_measured(topic, encode(said))
        await asyncio.sleep(1.0)


def sample_of(printer_id: PrinterId, run_id: RunId | None, line: int) -> PrinterSample:
    """Return what a printer says of itself at a line."""
    warm = {name: Temperature(200 + random.random(), 210.0) for name in ("tool0", "bed")}
    return PrinterSample(
        printer_id=printer_id,
        state=PrinterState.PRINTING,
        run_id=run_id,
        temperatures={**warm, "chamber": Temperature(40.5), "board": Temperature(51.0)},
        line=line,
        line_count=LINES,
        layer=line // 500,
        layer_count=200,
        progress=line / LINES,
        remaining_s=(LINES - line) / 20,
        tuning=Tuning(fan_ratio=line // 500 % 3 / 2, speed_ratio=1.0, flow_ratio=1.0),
    )


def a_day_measured(printers: int) -> bytes:
    """Return the file of measurements of a fleet that printed for a day up to now."""
    measured, now_s = Measured(), int(time.time())
    moments = [now_s - back * STEP_S[Span.DAY] for back in range(SLOTS[Span.DAY], 12, -1)]
    moments += [now_s - back * STEP_S[Span.HOUR] for back in range(SLOTS[Span.HOUR], -1, -1)]
    first = PrinterId("printer-00000")
    for at, moment_s in enumerate(moments):
        measured.take(sample_of(first, RunId("run-0"), at * 90), moment_s)
    for number in range(1, printers):  # one at a time would take half a minute
        measured._printers[PrinterId(f"printer-{number:05d}")] = measured._printers[first]
    return compressed(measured.packed())


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
