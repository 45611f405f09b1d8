"""How soon a printer moves after its lease, and the farm hears of it; how fast plates arrive."""

import asyncio
import hashlib
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from agent.printers.driver import PlateFile
from agent.printers.host_driver import HostDriver
from agent.printers.moonraker import Moonraker
from agent.printers.octoprint import OctoPrint
from agent.printers.prusalink import PrusaLink
from protocols.wire.vocabulary import PrinterId, PrinterState, RunId
from tests.fakes.places import PLACES, Place
from tests.fakes.processes import Coordinator, coordinator, started, until

LOOK_S = 0.005
STORED_BYTES = 50_000_000
DRIVERS: dict[str, type[HostDriver]] = {
    "octoprint": OctoPrint,
    "moonraker": Moonraker,
    "prusalink": PrusaLink,
}
LAYER = "G1 X10 Y10 F6000\nG1 X50 Y10 E1\nG1 X50 Y50 E2\nG92 E0\nG4 P{dwell_ms}\n"


@dataclass
class Bed:
    """One printer of a farm that runs."""

    folder: Path
    farm: Coordinator
    place: Place

    def is_(self, state: str) -> bool:
        """Whether the coordinator says so of the printer."""
        return bool(self.farm.ask("printers/p1")[1]["seen"] == state)

    def submit(self, number: int, *, layers: int, dwell_ms: int) -> str:
        """Have a plate of this many layers printed; returns its job."""
        path = self.folder / f"plate-{number}.gcode"
        body = LAYER.format(dwell_ms=dwell_ms) * layers
        path.write_text(f"G28\nG90\nM82\nM104 S200\nG1 Z0.2\n{body}; {number}\n")
        until(lambda: self.farm.ask("printers/p1/clear", method="POST")[0] == 200, "the bed")
        return str(self.farm.farmhand("job", "submit", "--json", path).json["id"])

    def run(self, job: str) -> Any:
        """Return the only run of a job, None before there is one."""
        runs = self.farm.ask(f"jobs/{job}")[1]["runs"]
        return runs[0] if runs else None

    def ended(self, job: str) -> bool:
        """Whether the only run of a job has finished."""
        return bool(self.run(job)["state"] == "finished")


@contextmanager
def bed(folder: Path, kind: str) -> Iterator[Bed]:
    """A farm with one printer of a kind."""
    (at := folder / kind).mkdir()
    (at / "place").mkdir()
    with PLACES[kind](at / "place") as place, coordinator(at / "s") as farm:
        config = at / "agent.toml"
        config.write_text(
            f'agent_id = "pi-1"\nstate_dir = "{at}/agent"\n'
            f'mqtt_url = "{farm.facts["mqtt_url"]}"\ncoordinator_url = "{farm.url}"\n'
            '[[printers]]\nid = "p1"\nprinter_class = "farmhand-220"\nmaterial = "PLA"\n'
            f'driver = "{place.driver}"\n'
            f'settings = {{ {place.settings}, allow = ["cold", "unhomed"] }}\n'
        )
        token = {"FARMHAND_AGENT_TOKEN": farm.token}
        with started("agent", "--config", config, log=at / "agent.log", **token):
            yield Bed(at, farm, place)


def starts(here: Bed, trials: int) -> list[float]:
    """Return the seconds from each lease to the printer's first movement, or to the host's word."""
    waits = []
    for number in range(trials):
        moves = here.place.moves or partial(_more_than, here.place.begun(), here.place.begun)
        with ThreadPoolExecutor(1) as beside:  # the command ends after the print has begun
            moved = beside.submit(_when, moves)
            job = here.submit(number, layers=2, dwell_ms=200)
            moved_s = moved.result()
        here.place.hurry()
        run = until(partial(here.run, job), "the run")
        waits.append(moved_s - datetime.fromisoformat(run["leased_at"]).timestamp())
        until(partial(here.ended, job), "the end")
    return waits


def changes(here: Bed, samples: int, number: int) -> list[float]:
    """Return the seconds from each change of state at the host to when the coordinator tells it."""
    here.place.dawdle()
    job = here.submit(number, layers=900, dwell_ms=300)
    until(partial(here.is_, "printing"), "the print")
    waits = []
    for sample in range(samples):
        paused = sample % 2 == 0
        changed_s = here.place.steer(paused)
        waits.append(_when(partial(here.is_, "paused" if paused else "printing")) - changed_s)
    here.farm.ask(f"jobs/{job}/cancel", method="POST")
    here.place.hurry()
    return waits


def _more_than(before: int, count: Callable[[], int]) -> bool:
    return count() > before


def _when(holds: Callable[[], bool]) -> float:
    """Return the wall clock's seconds as soon as something holds."""
    ends_s = time.monotonic() + 60.0
    while not holds():
        assert time.monotonic() < ends_s, "it never came"
        time.sleep(LOOK_S)
    return time.time()


def percentile(waits: Sequence[float], percent: int) -> float:
    """Return the smallest of the values that so many percent do not exceed."""
    ordered = sorted(waits)
    return ordered[min(len(ordered) - 1, round(len(ordered) * percent / 100))]


def words(waits: Sequence[float]) -> str:
    """Return what stands in a report."""
    middle, late = statistics.median(waits), percentile(waits, 99)
    return f"p50 {middle * 1000:.0f} ms, p99 {late * 1000:.0f} ms, {len(waits)} samples"


async def store(folder: Path, kind: str, settings: dict[str, Any]) -> float:
    """Return the MB/s at which a large plate comes to lie at a host, looked at there."""
    path = folder / f"large-{kind}.gcode"
    line = b"G1 X10.123 Y20.456 E1.23456\n"
    path.write_bytes(line * (STORED_BYTES // len(line)) + os.urandom(8).hex().encode())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    plate = PlateFile(path=path, sha256=digest, name="large")
    driver = DRIVERS[kind](PrinterId("p1"), settings)  # type: ignore[arg-type, call-arg]
    task = asyncio.create_task(driver.run(), name="driver")
    while driver.observation.state is not PrinterState.IDLE:
        await driver.changed()
    began_s = time.monotonic()
    await driver._host.store(plate)
    await driver._host.prepare(plate, RunId("run-large"))
    took_s = time.monotonic() - began_s
    task.cancel()
    await asyncio.wait((task,))
    return STORED_BYTES / 1e6 / took_s
