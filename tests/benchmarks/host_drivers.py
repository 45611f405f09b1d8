"""Measure printers behind a host: what they cost an agent, and how soon they print.

Usage: ./farmhand bench hosts [--seconds s] [--trials n]
"""

import argparse
import asyncio
import hashlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.printers.driver import PlateFile
from agent.printers.octoprint import OctoPrint
from protocols.wire.vocabulary import PrinterId, PrinterState
from tests.benchmarks.farm_processes import resident_mib
from tests.benchmarks.hosts.octoprint import free_port
from tests.fakes.fake_octoprint import KEY
from tests.fakes.octoprint_server import OctoPrintServer
from tests.fakes.processes import Coordinator, coordinator, started, until

COUNTS = (1, 20)
FAKE = "tests.benchmarks.hosts.fake_octoprint_process"
STORED_BYTES = 50_000_000
PRINT = "".join(f"G1 X{10 + n % 90} Y{20 + n % 70} E{n} F6000\nG4 P50\n" for n in range(40))


def main(argv: Sequence[str]) -> int:
    """Run the measurements; returns 0."""
    parser = argparse.ArgumentParser(
        prog="farmhand bench hosts",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="of watching (20)")
    parser.add_argument("--trials", type=int, default=5, help="of a start (5)")
    wanted = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="farmhand-bench-") as name:
        folder = Path(name)
        for count in COUNTS:
            (at := folder / f"agent-{count}").mkdir()
            memory_mib, cores = cost(at, count, wanted.seconds)
            say(f"{count:2} printers that print: {memory_mib:.1f} MiB, {cores:.4f} cores")
        server = OctoPrintServer(folder)
        try:
            server.start()
            stored_s = asyncio.run(store(folder, server))
            say(f"50 MB stored and checked: {STORED_BYTES / 1e6 / stored_s:.0f} MB/s")
            (at := folder / "farm").mkdir()
            waits = sorted(begin(at, server, wanted.trials))
            starts = ", ".join(f"{each:.2f}" for each in waits)
            say(f"lease to the print being seen: {statistics.median(waits):.2f} s ({starts})")
        finally:
            server.kill()
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


async def store(folder: Path, server: OctoPrintServer) -> float:
    """Return the seconds that a large plate takes to lie at OctoPrint, checked by its hash."""
    path = folder / "large.gcode"
    line = b"G1 X10.123 Y20.456 E1.23456\n"
    path.write_bytes(line * (STORED_BYTES // len(line)) + os.urandom(8).hex().encode())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    plate = PlateFile(path=path, sha256=digest, name="large")
    driver = OctoPrint(PrinterId("p1"), {"url": server.url, "api_key": server.key})
    task = asyncio.create_task(driver.run(), name="driver")
    while driver.observation.state is not PrinterState.IDLE:
        await driver.changed()
    began_s = time.monotonic()
    await driver._host.store(plate)
    took_s = time.monotonic() - began_s
    task.cancel()
    await asyncio.wait((task,))
    return took_s


def begin(folder: Path, server: OctoPrintServer, trials: int) -> list[float]:
    """Return the seconds from each lease until OctoPrint was seen to print."""
    waits = []
    settings = f'url = "{server.url}", api_key = "{server.key}", allow = ["cold", "unhomed"]'
    with coordinator(folder / "s") as farm:
        config = agent_config(folder, farm, [settings])
        token = {"FARMHAND_AGENT_TOKEN": farm.token}
        with started("agent", "--config", config, log=folder / "agent.log", **token):
            for trial in range(trials):
                waits.append(begin_one(folder / f"plate-{trial}.gcode", farm, trial))
    return waits


def begin_one(path: Path, farm: Coordinator, before: int) -> float:
    path.write_text(f"{PRINT}; {before}\n")
    until(lambda: count_of(farm, "needs_clearing") == 1, "the bed")
    until(lambda: farm.ask("printers/p0/clear", method="POST")[0] == 200, "the printer")
    farm.farmhand("job", "submit", path)
    until(lambda: ended(farm) == before + 1, "the end")
    runs = [run for job in farm.jobs() for run in farm.ask(f"jobs/{job['id']}")[1]["runs"]]
    last = max(runs, key=lambda run: str(run["leased_at"]))
    leased, begun = (datetime.fromisoformat(last[name]) for name in ("leased_at", "started_at"))
    return (begun - leased).total_seconds()


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


def ended(farm: Coordinator) -> int:
    return sum(job["state"] == "finished" for job in farm.jobs())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
