"""Measurements as a table for people, and as JSON for whatever compares them later."""

import json
import platform
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from tests.benchmarks.scenarios import BY_NAME
from tests.benchmarks.targets import Results, Verdict, cpu, lines_per_s, verdicts
from tests.benchmarks.trial import Measurement

COLUMNS = (
    ("host", 12),
    ("lines/s", 10),
    ("CPU ms/1000", 12),
    ("MB", 7),
    ("starved", 9),
    ("gap ms", 9),
    ("resends", 9),
    ("lines", 9),
)
WORDS = {True: "PASS", False: "FAIL", None: "n/a "}


def table(results: Results) -> Iterator[str]:
    """Yield the lines of the table: scenario by scenario, medians over the trials."""
    heading = None
    for scenario, host in results.pairs():
        if scenario != heading:
            heading = scenario
            yield ""
            yield f"{scenario}: {BY_NAME[scenario].words}"
            yield "  " + "".join(f"{name:>{width}}" for name, width in COLUMNS)
        yield "  " + row(results, scenario, host)


def row(results: Results, scenario: str, host: str) -> str:
    """Return one line: the medians of one host in one scenario."""
    trials = results.trials(scenario, host)
    if not any(each.complete for each in trials):
        return f"{host:>12}  did not finish"
    if not all(each.intact for each in trials):
        lines = "WRONG"
    elif not all(each.complete for each in trials):
        lines = "LATE"
    else:
        lines = "intact"
    figures = (
        (lines_per_s, 10, ".0f"),
        (cpu, 12, ".1f"),
        (lambda each: each.resident_mb, 7, ".0f"),
        (lambda each: each.starvations, 9, ".0f"),
        (lambda each: each.gap_ms_max, 9, ".1f"),
        (lambda each: each.resends, 9, ".0f"),
    )
    cells = [f"{results.figure(scenario, host, of):{width}{form}}" for of, width, form in figures]
    return f"{host:>12}" + "".join(cells) + f"{lines:>9}"


def ratios(results: Results) -> Iterator[str]:
    """Yield how Farmhand compares with every other host: lines per second, CPU per line."""
    for scenario, ours in results.pairs():
        if not ours.startswith("farmhand-"):
            continue
        window = ours.removeprefix("farmhand-")
        parts = []
        for peer in ("octoprint", "printcore", f"c-{window}"):
            speed, cost = (
                quotient(results.figure(scenario, ours, of), results.figure(scenario, peer, of))
                for of in (lines_per_s, cpu)
            )
            if speed is not None and cost is not None:
                parts.append(f"{peer} {speed:.2f} x lines/s, {cost:.3f} x CPU")
        if parts:
            yield f"  {scenario:>16} {ours}: {' | '.join(parts)}"


def quotient(ours: float | None, theirs: float | None) -> float | None:
    """Return ours divided by theirs, None where either is missing or theirs is 0."""
    return ours / theirs if ours is not None and theirs else None


def verdict_line(verdict: Verdict) -> str:
    """Return `PASS`, `FAIL` or `n/a`, then target and finding."""
    return f"{WORDS[verdict.reached]}  {verdict.target}: {verdict.found}"


def readable(results: Results) -> str:
    """Return the whole report for a terminal."""
    lines = [*table(results), "", "Farmhand to others:", *ratios(results), "", "Targets:"]
    return "\n".join([*lines, *map(verdict_line, verdicts(results)), ""])


def as_json(measurements: Sequence[Measurement]) -> str:
    """Return every trial and every verdict."""
    results = Results(measurements)
    document = {
        "machine": {"architecture": platform.machine(), "python": platform.python_version()},
        "trials": [asdict(each) for each in measurements],
        "verdicts": [asdict(each) for each in verdicts(results)],
    }
    return json.dumps(document, indent=2) + "\n"
