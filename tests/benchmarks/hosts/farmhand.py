"""Farmhand's own serial driver; all printers in one process, as in an agent."""

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.hosts.host import Host

MODULE = "tests.benchmarks.hosts.farmhand_process"


class Farmhand(Host):
    shares_a_process = True

    def __init__(self, window: int) -> None:
        self.name = f"farmhand-{window}"
        self._window = window

    def command(self, ports: Sequence[Path], gcode: Path, folder: Path) -> list[str]:
        return [sys.executable, "-m", MODULE, str(self._window), str(gcode), *map(str, ports)]
