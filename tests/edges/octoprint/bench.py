"""A driver on a real OctoPrint, and plates that take as long as a test needs."""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.printers.driver import Observation, PlateFile, RunState
from agent.printers.octoprint import OctoPrint
from protocols.wire.vocabulary import PrinterId, PrinterState, RunId

PATIENCE_S = 60.0
LAYER = ["G1 X10 Y10 F6000", "G1 X50 Y10 E1", "G1 X50 Y50 E2"]


def plate_of(folder: Path, name: str, *, layers: int, dwell_ms: int) -> PlateFile:
    """Make a plate that takes `layers` times `dwell_ms`."""
    lines = ["G90", "M82", "M104 S50"]
    for layer in range(layers):
        lines += [";LAYER_CHANGE", f"G1 Z{0.2 * (layer + 1):.1f}", *LAYER]
        lines += ["G92 E0", f"G4 P{dwell_ms}"]
    path = folder / name
    path.write_text("\n".join([*lines, f"; {name}", ""]))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return PlateFile(path=path, sha256=digest, name=name)


class HostBench:
    """One printer behind a host; drivers come and go."""

    def __init__(self, server: Any, folder: Path, **settings: Any) -> None:
        self.server, self.folder = server, folder
        self.settings = {
            "url": server.url,
            "api_key": server.key,
            "allow": ["cold", "unhomed"],
            **settings,
        }
        self.short = plate_of(folder, "short.gcode", layers=5, dwell_ms=20)
        self.long = plate_of(folder, "long.gcode", layers=200, dwell_ms=100)
        self.driver = self.fresh()
        self.task: asyncio.Task[None] | None = None

    def fresh(self) -> OctoPrint:
        return OctoPrint(
            PrinterId("one"),
            self.settings,
            state_dir=self.folder / "state",
            start_seen_s=10.0,
            settle_s=1.0,
            back_off_s_max=1.0,
        )

    async def connect(self) -> None:
        self.task = asyncio.create_task(self.driver.run(), name="driver")
        await self.until(lambda seen: seen.state is PrinterState.IDLE)

    async def reconnect(self) -> None:
        """Another process on the same state folder, connected to whatever the printer does."""
        await self.die()
        self.driver = self.fresh()
        self.task = asyncio.create_task(self.driver.run(), name="driver")
        await self.until(lambda seen: seen.state is not PrinterState.OFFLINE)

    async def die(self) -> None:
        if self.task is not None:
            self.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.task
            self.task = None

    async def until(self, holds: Callable[[Observation], Any]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds(self.driver.observation):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await self.driver.changed()

    async def until_run(self, state: RunState) -> None:
        await self.until(lambda seen: seen.run is not None and seen.run.state is state)

    async def start(self, plate: PlateFile, run: str) -> RunId:
        run_id = RunId(run)
        await self.driver.check(plate)
        await self.driver.start(plate, run_id)
        return run_id

    async def person(self, path: str, body: Any) -> None:
        """Do something on OctoPrint's page."""
        await asyncio.to_thread(self.server.ask, path, body)

    def tidy_after(self, job: str) -> None:
        """Return once OctoPrint's history tells how a job ended."""
        ends_s = time.monotonic() + PATIENCE_S
        while not self.server.printed(job):
            assert time.monotonic() < ends_s, f"{job} did not end"
            time.sleep(0.05)

    def tidy(self) -> None:
        """Have the printer rest."""
        if self.server.state in ("Printing", "Paused", "Pausing", "Starting"):
            self.server.ask("api/job", {"command": "cancel"})
        ends_s = time.monotonic() + PATIENCE_S
        while self.server.state != "Operational" and time.monotonic() < ends_s:
            if self.server.state == "Closed":
                self.server.ask("api/connection", {"command": "connect"})
            time.sleep(0.1)
