"""One printer to stream to: the firmware stand-in in C on a pseudo-terminal (nullmarlin.c)."""

import json
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.benchmarks.gcode_file import BEGIN, END
from tests.benchmarks.installing import compiled

SOURCE = Path(__file__).with_name("nullmarlin.c")
POLL_S = 0.25
END_S_MAX = 5.0  # it writes its totals and ends when told to


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What a stand-in saw between the two marks.

    Attributes:
        complete: the second mark was executed.
        begin_s: when it began, by the machine's monotonic clock; `end_s` likewise.
        cpu_begin_s: CPU that the host's processes had used by then; `cpu_end_s` likewise.
        moves: moves executed.
        starvations: times the planner ran empty between moves; `gap_ms_max` the longest of them.
        gaps: the first 64 of them: moves executed by its end, seconds since the begin, how many ms.
        resends: lines asked for again; `overflow_bytes` lost in a full receive buffer.
        resident_kb: memory of the host's processes at the end.
    """

    complete: bool
    begin_s: float
    end_s: float
    cpu_begin_s: float
    cpu_end_s: float
    moves: int
    starvations: int
    starved_s: float
    gap_ms_max: float
    gaps: tuple[tuple[int, float, float], ...]
    resends: int
    overflow_bytes: int
    resident_kb: int


class StandIn:
    """A running stand-in; leaving the context ends it.

    Attributes:
        port: the path that a host opens.
    """

    def __init__(
        self, folder: Path, board: Sequence[str], *, pid_file: Path, seed: int = 1
    ) -> None:
        """Start it in a folder of its own.

        Args:
            folder: exists and is empty; takes the port, the totals and the log of commands.
            board: options of nullmarlin that tell what kind of board and link it is.
            pid_file: names the host's processes, one per line; read at both marks.
            seed: of the noise on the line.
        """
        self.port = folder / "printer"
        self._totals = folder / "totals.json"
        self._executed = folder / "executed.gcode"
        paths = {
            "--link": self.port,
            "--stats": self._totals,
            "--dump": self._executed,
            "--watch-pidfile": pid_file,
        }
        options = [str(part) for pair in paths.items() for part in pair]
        self._process = subprocess.Popen(
            [compiled(SOURCE), "--once", "--seed", str(seed), *options, *board],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert self._process.stderr is not None
        said = self._process.stderr.readline()  # it names the port once it is open
        if not self.port.exists():
            self._process.wait(END_S_MAX)
            raise RuntimeError(f"the stand-in did not start: {said.decode()}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def finish(self, seconds_max: float, alive: Callable[[], bool]) -> Totals:
        """Wait for the second mark and return what was seen, even where it never came.

        Args:
            seconds_max: patience.
            alive: says whether the host still runs; without one there is nothing to wait for.
        """
        deadline_s = time.monotonic() + seconds_max
        while time.monotonic() < deadline_s and alive():
            try:
                self._process.wait(min(POLL_S, seconds_max))
                break
            except subprocess.TimeoutExpired:
                continue
        self._end()
        seen = json.loads(self._totals.read_text())
        return Totals(
            complete=seen["complete"],
            begin_s=seen["begin_s"],
            end_s=seen["end_s"],
            cpu_begin_s=seen["host_cpu_begin_s"],
            cpu_end_s=seen["host_cpu_end_s"],
            moves=seen["moves"],
            starvations=seen["starvations"],
            starved_s=seen["starved_s"],
            gap_ms_max=seen["starved_max_ms"],
            gaps=tuple((int(moves), at_s, ms) for moves, at_s, ms in seen["gaps"]),
            resends=seen["resends"],
            overflow_bytes=seen["rx_overflow_bytes"],
            resident_kb=seen["host_rss_kb"],
        )

    def executed_moves(self) -> list[str]:
        """Return the moves that the firmware executed, in order; call after `finish`."""
        lines = self._executed.read_text(errors="replace").splitlines()
        first = lines.index(BEGIN) + 1 if BEGIN in lines else 0
        last = lines.index(END) if END in lines else len(lines)
        return [line for line in lines[first:last] if line.startswith("G1 ")]

    def _end(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(END_S_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()
