"""One trial: one host streams one scenario's file, and what came of it."""

import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from tests.benchmarks.gcode_file import moves, write_gcode
from tests.benchmarks.hosts.host import Host, last_words
from tests.benchmarks.scenarios import Scenario
from tests.benchmarks.stand_in import StandIn, Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One trial in figures; of all printers together where there are several.

    Attributes:
        complete: every printer came to the end of its file in time.
        intact: the moves that the firmware executed are the file's, none lost, none twice.
        lines_per_s: moves per second, per printer.
        cpu_ms_per_1000_lines: of the host's processes, children included.
        cores: CPU seconds per second.
        resident_mb: memory of the host's processes at the end.
        starvations: times a planner ran empty in mid-print; `gap_ms_max` the longest.
        gaps: where that was, printer by printer, as in `Totals`: after which move, at which second.
    """

    scenario: str
    host: str
    complete: bool
    intact: bool
    lines_per_s: float
    cpu_ms_per_1000_lines: float
    cores: float
    resident_mb: float
    starvations: int
    starved_s: float
    gap_ms_max: float
    gaps: tuple[tuple[int, float, float], ...]
    resends: int
    overflow_bytes: int


def measure(scenario: Scenario, host: Host, *, seed: int) -> Measurement:
    """Stream a scenario's file with one host; `seed` is of the noise on the line."""
    with tempfile.TemporaryDirectory(prefix="farmhand-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        gcode = folder / "arcs.gcode"
        write_gcode(gcode, scenario.moves)
        folders = [folder / str(number) for number in range(scenario.printers)]
        for each in folders:
            each.mkdir()
        pid_files = [each / "pids" for each in folders]
        stand_ins = [
            stack.enter_context(StandIn(each, scenario.board, pid_file=pids, seed=seed))
            for each, pids in zip(folders, pid_files, strict=True)
        ]
        ports = [stand_in.port for stand_in in stand_ins]
        host.flow_control = scenario.flow_control
        with host.streaming(ports, gcode, folders, pid_files) as alive:
            totals = [stand_in.finish(scenario.seconds_max, alive) for stand_in in stand_ins]
        if not all(seen.complete for seen in totals):
            sys.stderr.write("".join(map(last_words, folders)))
        wanted = moves(scenario.moves)
        intact = all(stand_in.executed_moves() == wanted for stand_in in stand_ins)
    return summary(scenario, host, totals, intact)


def summary(scenario: Scenario, host: Host, totals: Sequence[Totals], intact: bool) -> Measurement:
    """Return one measurement for the totals of all printers."""
    executed = sum(seen.moves for seen in totals)
    elapsed_s = max(seen.end_s for seen in totals) - min(seen.begin_s for seen in totals)
    resident_kb = [seen.resident_kb for seen in totals]
    if host.shares_a_process:  # each stand-in watched the same process
        cpu_s = max(s.cpu_end_s for s in totals) - min(s.cpu_begin_s for s in totals)
        memory_kb = max(resident_kb)
    else:
        cpu_s = sum(seen.cpu_end_s - seen.cpu_begin_s for seen in totals)
        memory_kb = sum(resident_kb)
    return Measurement(
        scenario=scenario.name,
        host=host.name,
        complete=all(seen.complete for seen in totals),
        intact=intact,
        lines_per_s=mean(rate(seen) for seen in totals),
        cpu_ms_per_1000_lines=cpu_s * 1e6 / executed if executed else 0.0,
        cores=cpu_s / elapsed_s if elapsed_s > 0 else 0.0,
        resident_mb=memory_kb / 1024,
        starvations=sum(seen.starvations for seen in totals),
        starved_s=sum(seen.starved_s for seen in totals),
        gap_ms_max=max(seen.gap_ms_max for seen in totals),
        gaps=tuple(gap for seen in totals for gap in seen.gaps),
        resends=sum(seen.resends for seen in totals),
        overflow_bytes=sum(seen.overflow_bytes for seen in totals),
    )


def rate(seen: Totals) -> float:
    """Return moves per second of one printer, 0 where nothing moved."""
    elapsed_s = seen.end_s - seen.begin_s
    return seen.moves / elapsed_s if elapsed_s > 0 else 0.0
