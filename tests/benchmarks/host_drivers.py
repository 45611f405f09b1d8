"""Measure printers behind a host: what they cost an agent, and how soon they print.

Usage: ./farmhand bench hosts [--seconds s] [--trials n] [--samples n]
"""

import argparse
import asyncio
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.farm_processes import resident_mib
from tests.benchmarks.host_latency import DRIVERS, bed, changes, starts, store, words
from tests.benchmarks.hosts.octoprint import free_port
from tests.fakes.fake_octoprint import KEY
from tests.fakes.places import PLACES
from tests.fakes.processes import Coordinator, coordinator, started, until

COUNTS = (1, 20)
FAKE = "tests.benchmarks.hosts.fake_octoprint_process"


def main(argv: Sequence[str]) -> int:
    """Run the measurements; returns 0."""
    parser = argparse.ArgumentParser(
        prog="farmhand bench hosts",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="of watching (20)")
    parser.add_argument("--trials", type=int, default=5, help="of a start (5)")
    parser.add_argument("--samples", type=int, default=100, help="of a change of state (100)")
    wanted = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="farmhand-bench-") as name:
        folder = Path(name)
        for count in COUNTS:
            (at := folder / f"agent-{count}").mkdir()
            memory_mib, cores = cost(at, count, wanted.seconds)
            say(f"{count:2} printers that print: {memory_mib:.1f} MiB, {cores:.4f} cores")
        for kind in PLACES:
            with bed(folder, kind) as here:
                waits = starts(here, wanted.trials)
                say(f"{kind}: lease to first movement: {words(waits)}")
                if kind not in DRIVERS:
                    continue
                waits = changes(here, wanted.samples, wanted.trials)
                say(f"{kind}: a change of state to the coordinator: {words(waits)}")
        for kind in DRIVERS:
            (at := folder / f"store-{kind}").mkdir()
            with PLACES[kind](at) as place:
                rate = asyncio.run(store(at, kind, tomllib.loads(inline(place.settings))))
                say(f"{kind}: a plate of 50 MB: {rate:.0f} MB/s")
    return 0


def say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def cost(folder: Path, count: int, seconds: float) -> tuple[float, float]:
    """Return MiB and cores of an agent whose printers all print."""
    port = free_port()
    settings = f'url = "http://127.0.0.1:{port}", api_key = "{KEY}", allow = ["cold", "unhomed"]'
    log = folder / "fake.log"
    with coordinator(folder / "s") as farm, started(FAKE, str(port), log=log):
        config = agent_config(folder, farm, [settings] * count)
        token = {"FARMHAND_AGENT_TOKEN": farm.token}
        with started("agent", "--config", config, log=folder / "agent.log", **token) as agent:
            until(lambda: count_of(farm, "busy") == count, "all printers to print")
            time.sleep(2.0)  # what follows the beginning is not watching
            before_s, at_s = cpu_s(agent.pid), time.monotonic()
            time.sleep(seconds)
            cores = (cpu_s(agent.pid) - before_s) / (time.monotonic() - at_s)
            return resident_mib(agent.pid), cores


def inline(settings: str) -> str:
    """Return an inline table's inside as a document of its own."""
    return settings.replace(", ", "\n")


def cpu_s(pid: int) -> float:
    """Return the CPU time of a process by its own clock (clock_getcpuclockid(3), Linux)."""
    return time.clock_gettime((~pid << 3) | 2)


def agent_config(folder: Path, farm: Coordinator, settings: Sequence[str]) -> Path:
    lines = [
        f'agent_id = "pi-1"\nstate_dir = "{folder}/agent"',
        f'mqtt_url = "{farm.facts["mqtt_url"]}"\ncoordinator_url = "{farm.url}"',
    ]
    for number, table in enumerate(settings):
        lines.append(
            f'[[printers]]\nid = "p{number}"\nprinter_class = "farmhand-220"\nmaterial = "PLA"\n'
            f'driver = "octoprint"\nsettings = {{ {table} }}'
        )
    config = folder / "agent.toml"
    config.write_text("\n".join(lines))
    return config


def count_of(farm: Coordinator, status: str) -> int:
    printers: list[Any] = farm.ask("printers?limit=100")[1]["items"]
    return sum(printer["status"] == status for printer in printers)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
