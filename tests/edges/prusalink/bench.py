"""A driver on a real PrusaLink before a stand-in for its printer."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from agent.printers.prusalink import PrusaLink
from protocols.wire.vocabulary import PrinterId
from tests.edges.octoprint.bench import PATIENCE_S, HostBench, plate_of
from tests.fakes.prusalink_server import PrusaLinkServer


class PrusaBench(HostBench):
    """One printer behind a PrusaLink; drivers come and go."""

    server: PrusaLinkServer

    def __init__(self, server: PrusaLinkServer, folder: Path, **settings: Any) -> None:
        quick = {"poll_moving_s": 0.2, "poll_resting_s": 0.2, **settings}
        super().__init__(server, folder, **quick)
        self.board = server.board
        self.endless = plate_of(folder, "endless.gcode", layers=1000, dwell_ms=300)

    def fresh(self) -> PrusaLink:
        return PrusaLink(
            PrinterId("one"),
            self.settings,
            state_dir=self.folder / "state",
            start_seen_s=10.0,
            settle_s=1.0,
            back_off_s_max=1.0,
        )

    def until_server(self, *states: str) -> None:
        """Return once PrusaLink calls its state one of these."""
        ends_s = time.monotonic() + PATIENCE_S
        while (state := self.server.state) not in states:
            assert time.monotonic() < ends_s, f"it is {state}, not one of {states}"
            time.sleep(0.05)

    def until_listed(self, path: str) -> None:
        """Return once PrusaLink knows a file."""
        ends_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < ends_s:
            with suppress(HTTPError):
                self.server.ask(path)
                return
            time.sleep(0.05)
        raise AssertionError(f"{path} is not listed")

    def tidy(self) -> None:
        """Have the printer rest."""
        if job := self.server.ask("api/v1/job"):
            self.server.ask(f"api/v1/job/{job['id']}", verb="DELETE")
        self.board.hurry()
        self.until_server("IDLE", "STOPPED", "FINISHED")
        self.board.dawdle()
