"""What CuraEngine says while it slices, and mending the header that it leaves wrong.

On its command line the engine writes a placeholder header (`;TIME:6666`) into the file before it
knows the figures, and tells the true one on standard error only.
"""

import math
import re
from dataclasses import dataclass, field
from pathlib import Path

from slicing.engine import EngineResult, EngineTask, Report
from slicing.errors import ModelUnprintable, PlateRejected

_PROGRESS = re.compile(r"Progress:([\w+]+):\d+:\d+\s+([\d.]+)%")
_TIME = re.compile(r"Print time \(s\): (\d+)$")
_VOLUME = re.compile(r"Filament \(mm\^3\): (-?\w+)$")
_HEADER_STARTS = "Gcode header after slicing:"
_HEADER_ENDS = "End of gcode header."

# The placeholder's first and last line, and how far into the file it can reach.
_PLACEHOLDER = re.compile(rb"\A;FLAVOR:.*?^;MAXZ:[^\n]*\n", re.DOTALL | re.MULTILINE)
_HEAD_BYTES = 4096


@dataclass(slots=True)
class CuraWords:
    """Listens to one slicing, line by line."""

    report: Report
    header: list[str] = field(default_factory=list)
    time_s: float = 0.0
    volume_mm3: float = 0.0
    _in_header: bool = False

    def hear(self, line: str) -> None:
        """Take one line of its output."""
        if step := _PROGRESS.match(line):
            # A share of one, whatever the sign behind it says.
            self.report(min(float(step[2]), 1.0), step[1])
        elif line in (_HEADER_STARTS, _HEADER_ENDS):
            self._in_header = line == _HEADER_STARTS
        elif self._in_header:
            self.header.append(line)
        elif time := _TIME.match(line):
            self.time_s = float(time[1])
        elif volume := _VOLUME.match(line):
            self.volume_mm3 = float(volume[1])

    def result(self, task: EngineTask, version: str) -> EngineResult:
        """Return its figures, once the file is there.

        Raises:
            ModelUnprintable: it laid down nothing: it ends well all the same.
        """
        if not (math.isfinite(self.volume_mm3) and self.volume_mm3 > 0):
            raise ModelUnprintable(
                "The slicer found nothing to print: the model is thinner than the nozzle's line, "
                "or its surface is torn."
            )
        filament = task.configuration.material.filament
        length_mm = self.volume_mm3 / (math.pi * (filament.diameter_mm / 2) ** 2)
        weight_g = self.volume_mm3 / 1000 * filament.density_g_cm3
        return EngineResult(
            version=version,
            time_s=self.time_s,
            filament_mm=round(length_mm, 2),
            filament_g=round(weight_g, 2),
            cost=round(weight_g / 1000 * filament.cost_per_kg, 2),
        )


def mend_header(path: Path, header: list[str]) -> None:
    """Write the true header over the placeholder, in place: no byte behind it moves.

    Raises:
        PlateRejected: the file does not begin with a placeholder.
    """
    with path.open("r+b") as file:
        found = _PLACEHOLDER.match(file.read(_HEAD_BYTES))
        if found is None:
            raise PlateRejected("The slicer's file has no header, so it is not whole: slice again.")
        room = found.end()
        lines = [line.encode() + b"\n" for line in header if line.startswith(";")]
        if sum(map(len, lines)) + 2 > room:  # the bounds are the least of it
            lines = [line for line in lines if not line.startswith((b";MIN", b";MAX"))]
        text = b"".join(lines)
        file.seek(0)
        file.write(text + b";" + b"-" * (room - len(text) - 2) + b"\n")
