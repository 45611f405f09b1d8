"""printcore, the engine of Pronterface, from the package index; all printers in one process."""

from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.hosts.host import Host
from tests.benchmarks.installing import environment

LOCK = Path(__file__).with_name("printcore.lock")
PROCESS = Path(__file__).with_name("printcore_process.py")


class Printcore(Host):
    name = "printcore"
    shares_a_process = True

    def prepare(self) -> None:
        environment(LOCK)

    def command(self, ports: Sequence[Path], gcode: Path, folder: Path) -> list[str]:
        python = environment(LOCK) / "python"
        # -P: the folder of this file has modules whose names are those of libraries.
        return [str(python), "-P", str(PROCESS), str(gcode), *map(str, ports)]
