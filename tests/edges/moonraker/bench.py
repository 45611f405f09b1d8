"""A driver on a real Moonraker before a stand-in for Klipper."""

import time
from pathlib import Path
from typing import Any

from agent.printers.moonraker import Moonraker
from protocols.wire.vocabulary import PrinterId
from tests.edges.octoprint.bench import PATIENCE_S, HostBench, plate_of
from tests.fakes.moonraker_server import MoonrakerServer


class MoonBench(HostBench):
    """One printer behind a Moonraker; drivers come and go."""

    server: MoonrakerServer

    def __init__(self, server: MoonrakerServer, folder: Path, **settings: Any) -> None:
        super().__init__(server, folder, **settings)
        self.klippy = server.klippy
        self.endless = plate_of(folder, "endless.gcode", layers=2, dwell_ms=600_000)

    def fresh(self) -> Moonraker:
        return Moonraker(
            PrinterId("one"),
            self.settings,
            state_dir=self.folder / "state",
            start_seen_s=3.0,
            settle_s=1.0,
            back_off_s_max=1.0,
        )

    def until_klipper(self, state: str) -> None:
        """Return once Klipper's print is in a state."""
        ends_s = time.monotonic() + PATIENCE_S
        while self.klippy.status("print_stats")["state"] != state:
            assert time.monotonic() < ends_s, f"it is never {state}"
            time.sleep(0.02)

    def until_told(self, job: str, status: str) -> None:
        """Return once Moonraker's history tells how a file's last print ended."""
        ends_s = time.monotonic() + PATIENCE_S
        while self.server.printed(job)[:1] != [status]:
            assert time.monotonic() < ends_s, f"{job} is {self.server.printed(job)}"
            time.sleep(0.02)

    def tidy(self) -> None:
        """Have the printer rest."""
        self.klippy.hurry()
        if not self.klippy.ready:
            self.klippy.restart()
            while self.server.state != "ready":
                time.sleep(0.02)
        self.klippy.script("CANCEL_PRINT", "SDCARD_RESET_FILE", "TURN_OFF_HEATERS")
        self.klippy.dawdle()
