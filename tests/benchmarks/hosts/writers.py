"""The least a host can do, in C: the limit for a given number of lines in flight."""

from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.hosts.host import Host
from tests.benchmarks.installing import compiled

SOURCE = Path(__file__).parents[1] / "writers.c"


class Writers(Host):
    shares_a_process = False

    def __init__(self, window: int) -> None:
        self.name = f"c-{window}"
        self._window = window

    def prepare(self) -> None:
        compiled(SOURCE)

    def command(self, ports: Sequence[Path], gcode: Path, folder: Path) -> list[str]:
        (port,) = ports
        return [str(compiled(SOURCE)), "--window", str(self._window), str(port), str(gcode)]
