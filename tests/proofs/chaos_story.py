"""What happened, told in order: the first thing to read when a run of chaos fails."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

LINES_OF_ONE_MAX = 12
LINES_MAX = 60


@dataclass
class Story:
    """Lines with the seconds since the beginning, in memory and in a file as they come."""

    path: Path
    lines: list[str] = field(default_factory=list)
    _began_s: float = field(default_factory=time.monotonic)

    @property
    def now_s(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began_s

    def tell(self, text: str) -> None:
        """Add a line."""
        line = f"{self.now_s:8.2f}  {text}"
        self.lines.append(line)
        with self.path.open("a") as file:
            file.write(line + "\n")

    def about(self, names: Sequence[str]) -> list[str]:
        """Return the last lines that speak of any of these, and every fault among them."""
        told = [number for number, line in enumerate(self.lines) if _speaks_of(line, names)]
        told = told[-LINES_OF_ONE_MAX:]
        first, last = (told[0], told[-1] + 1) if told else (0, len(self.lines))
        faults = [number for number in range(first, last) if " ** " in self.lines[number]]
        return [self.lines[number] for number in sorted({*told, *faults})][-LINES_MAX:]


def _speaks_of(line: str, names: Sequence[str]) -> bool:
    words = line.replace(":", " ").replace(",", " ").split()
    return any(name in words for name in names)


def say(text: str) -> None:
    """Tell the person who waits."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
