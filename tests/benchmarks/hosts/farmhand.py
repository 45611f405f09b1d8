"""Farmhand's own serial driver; all printers in one process, as in an agent."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.hosts.host import Host

FLOW_CONTROLLED_BYTES = 4000  # so says the manual of the driver
MODULE = "tests.benchmarks.hosts.farmhand_process"


class Farmhand(Host):
    shares_a_process = True

    def __init__(self, window: int) -> None:
        self.name = f"farmhand-{window}"
        self._window = window

    def command(self, ports: Sequence[Path], gcode: Path, folder: Path) -> list[str]:
        settings: dict[str, int] = {"window": self._window}
        if self.flow_control:
            settings["window_bytes"] = FLOW_CONTROLLED_BYTES
        return [sys.executable, "-m", MODULE, json.dumps(settings), str(gcode), *map(str, ports)]
