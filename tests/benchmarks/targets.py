"""What Farmhand's streaming has to reach, as a table, and the verdict on a set of measurements."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from tests.benchmarks.scenarios import BY_NAME
from tests.benchmarks.trial import Measurement

OURS = ("farmhand-1", "farmhand-4")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One target: what was wanted, what was found; `reached` is None where a figure is missing."""

    target: str
    found: str
    reached: bool | None


class Results:
    """Measurements by scenario and host; figures are medians over the trials."""

    def __init__(self, measurements: Sequence[Measurement]) -> None:
        self._trials: dict[tuple[str, str], list[Measurement]] = {}
        for each in measurements:
            self._trials.setdefault((each.scenario, each.host), []).append(each)

    def trials(self, scenario: str, host: str) -> list[Measurement]:
        """Return all trials, an empty list where there was none."""
        return self._trials.get((scenario, host), [])

    def pairs(self) -> list[tuple[str, str]]:
        """Return every scenario and host that was tried, in the order of the trials."""
        return list(self._trials)

    def figure(self, scenario: str, host: str, of: Callable[[Measurement], float]) -> float | None:
        """Return the median of one figure over the complete trials; None if there is none."""
        values = [of(each) for each in self.trials(scenario, host) if each.complete]
        return median(values) if values else None


def lines_per_s(each: Measurement) -> float:
    return each.lines_per_s


def cpu(each: Measurement) -> float:
    return each.cpu_ms_per_1000_lines


def verdicts(results: Results) -> Iterator[Verdict]:
    """Yield the verdict on every target, in the order of the table in README.md."""
    yield correct(results)
    for peer, part in (("octoprint", 15), ("printcore", 5)):
        for ours in OURS:
            yield cheaper(results, ours, peer, part)
    yield faster(results, "zero", "farmhand-4", "octoprint", 10)
    yield faster(results, "rtt", "farmhand-4", "octoprint", 5)
    yield faster(results, "rtt", "farmhand-4", "printcore", 7)
    yield faster(results, "rtt", "farmhand-4", "c-4", 0.85)
    for window in (1, 4):
        yield as_steady(results, f"farmhand-{window}", f"c-{window}")
    yield below(results, "uart", "farmhand-4", "starvations", lambda each: each.starvations, 0)
    for ours in OURS:
        yield robust(results, ours)
    yield below(results, "eight", "farmhand-4", "MB resident", lambda each: each.resident_mb, 64)
    yield below(results, "eight", "farmhand-4", "cores", lambda each: each.cores, 1)


def correct(results: Results) -> Verdict:
    """Farmhand never loses, doubles or changes a line, and comes to the end."""
    ours = [pair for pair in results.pairs() if pair[1] in OURS]
    trials = [each for pair in ours for each in results.trials(*pair)]
    wrong = sorted({each.scenario for each in trials if not (each.intact and each.complete)})
    found = f"{len(trials)} trials" + (f", not in {', '.join(wrong)}" if wrong else "")
    reached = not wrong if trials else None
    return Verdict("farmhand: the executed lines are the file's, every time", found, reached)


def cheaper(results: Results, ours: str, peer: str, part: float) -> Verdict:
    """CPU per line is at most a part of the peer's, in the scenario where it is worst."""
    target = f"{ours}: CPU per line <= 1/{part} of {peer}'s in every scenario"
    ratios = []
    for scenario in BY_NAME:
        mine, theirs = (results.figure(scenario, host, cpu) for host in (ours, peer))
        if mine and theirs:
            ratios.append((theirs / mine, scenario))
    if not ratios:
        return Verdict(target, "not measured", None)
    ratio, scenario = min(ratios)
    return Verdict(target, f"at worst 1/{ratio:.1f} ({scenario})", ratio >= part)


def faster(results: Results, scenario: str, ours: str, peer: str, factor: float) -> Verdict:
    """Lines per second are at least a multiple of the peer's."""
    target = f"{ours}: lines/s >= {factor} x {peer} ({scenario})"
    mine, theirs = (results.figure(scenario, host, lines_per_s) for host in (ours, peer))
    if mine is None or not theirs:
        return Verdict(target, "not measured", None)
    return Verdict(target, f"{mine / theirs:.2f} x", mine / theirs >= factor)


def as_steady(results: Results, ours: str, limit: str) -> Verdict:
    """A planner starves no more often than under the C writer in the same runs.

    The machine itself causes some starvations, not the same in every trial: the median of ours is
    held against the C writer's worst trial, and where that has hundreds, five in a hundred more
    are no difference.
    """
    target = f"{ours}: no starvation that {limit} does not have too"
    worse, compared = [], 0
    for scenario in (each.name for each in BY_NAME.values() if each.paced):
        mine = results.figure(scenario, ours, lambda each: each.starvations)
        theirs = [each.starvations for each in results.trials(scenario, limit)]
        if mine is None or not theirs:
            continue
        compared += 1
        if mine > max(theirs) * 1.05:
            worse.append(f"{scenario} {mine:.0f} to {max(theirs)}")
    if not compared:
        return Verdict(target, "not measured", None)
    return Verdict(target, "; ".join(worse) or f"in {compared} scenarios", not worse)


def robust(results: Results, ours: str) -> Verdict:
    """One corrupted line in a hundred costs at most half of the rate."""
    target = f"{ours}: with 1 % corrupted lines >= 50 % of the clean rate"
    noisy = results.figure("corrupt", ours, lines_per_s)
    clean = results.figure("rtt", ours, lines_per_s)
    if noisy is None or not clean:
        return Verdict(target, "not measured", None)
    return Verdict(target, f"{noisy / clean:.0%}", noisy / clean >= 0.5)


def below(
    results: Results,
    scenario: str,
    ours: str,
    unit: str,
    of: Callable[[Measurement], float],
    limit: float,
) -> Verdict:
    """A figure stays at or under a limit."""
    target = f"{ours}: {unit} <= {limit} ({scenario})"
    found = results.figure(scenario, ours, of)
    if found is None:
        return Verdict(target, "not measured", None)
    return Verdict(target, f"{found:.2f}", found <= limit)
