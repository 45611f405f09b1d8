"""The end of a demo: what was done, in figures, and whether the printers did just that."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coordinator.cli.client import Document, FarmClient
from coordinator.cli.demo_oracle import (
    Difference,
    commands_of_log,
    commands_of_plate,
    difference,
)
from coordinator.cli.demo_setup import Folder
from coordinator.cli.output import duration

# A simulated printer writes its log in blocks; this much later the last one is surely there.
LOG_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Which printers' logs were held against the file, and what was found."""

    compared: int
    differences: dict[str, Difference]

    @property
    def equal(self) -> int:
        """How many logs equal the file."""
        return self.compared - len(self.differences)

    @property
    def proven(self) -> bool:
        """Whether there was something to compare, and all of it is equal."""
        return self.compared > 0 and not self.differences


def compare(farm: FarmClient, home: Folder, job: Document) -> Verdict:
    """Hold the executed log of every printer that worked on the job against its plate."""
    runs = Counter(
        (run["printer_id"], run["plate_sha256"])
        for run in job["runs"]
        if run["state"] == "finished"
    )
    plates: dict[str, list[str]] = {}
    for _, sha256 in runs:
        if sha256 not in plates:
            file = home.path / f"{sha256}.gcode"
            farm.save_artifact(sha256, file)
            with file.open(encoding="utf-8", errors="replace") as lines:
                plates[sha256] = list(commands_of_plate(lines))
    differences = {}
    for (printer_id, sha256), count in runs.items():
        found = _compare_one(home.executed(printer_id), plates[sha256] * count)
        if found is not None:
            differences[printer_id] = found
    return Verdict(compared=len(runs), differences=differences)


def _compare_one(log: Path, expected: Sequence[str]) -> Difference | None:
    patience_ends_s = time.monotonic() + LOG_PATIENCE_S
    while True:
        found = _difference(log, expected)
        if found is None or time.monotonic() > patience_ends_s:
            return found
        time.sleep(0.2)


def _difference(log: Path, expected: Sequence[str]) -> Difference | None:
    with log.open(encoding="latin-1") as lines:
        return difference(expected, list(commands_of_log(lines)))


def summary(job: Document, *, speed: float, wall_s: float) -> list[tuple[str, str]]:
    """Return the figures of a job that ended, as names and values."""
    finished = [run for run in job["runs"] if run["state"] == "finished"]
    facts = Counter[str]()
    for run in finished:
        for name in ("duration_s", "lines_sent", "resends"):
            facts[name] += run["facts"].get(name) or 0
    rows = [
        ("job", f"{job['name']}: {job['state']}"),
        ("copies", f"{job['copies_finished']} of {job['copies']}"),
        ("printers used", str(len({run["printer_id"] for run in finished}))),
        ("lines sent", f"{facts['lines_sent']:,}"),
        ("lines sent again", f"{facts['resends']:,}"),
        ("print time", f"{duration(facts['duration_s'] * speed)} of the printers' time"),
    ]
    if job["plates"] and (plate := job["plates"][0])["filament_g"] is not None:
        metres = (plate["filament_mm"] or 0) * len(finished) / 1000
        grams = plate["filament_g"] * len(finished)
        rows.append(("filament", f"{metres:.2f} m, {grams:.1f} g"))
    return [*rows, ("your time", f"{wall_s:.1f} s")]


def explain(verdict: Verdict) -> list[str]:
    """Return the proof's outcome in sentences."""
    if not verdict.compared:
        return ["nothing was printed to its end, so that nothing is proven"]
    sentences = [f"{verdict.equal} of {verdict.compared} executed logs equal the sliced file"]
    sentences += [
        f"{printer_id} differs at command {found.position + 1}: "
        f"the file has {found.expected!r}, it executed {found.executed!r}"
        for printer_id, found in verdict.differences.items()
    ]
    return sentences
