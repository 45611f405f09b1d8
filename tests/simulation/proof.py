"""`prove simulation`: many stories, what went wrong in them, and that no promise was broken."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import TextIO

from tests.simulation.farm import Ending, live_through


def main(argv: Sequence[str] | None = None) -> int:
    """Live through stories and print what they were.

    Returns 0 when every promise held; 1 at the first that did not, with its seed and its story.
    """
    options = _options(argv)
    began_s, hours, starts, faults = time.monotonic(), 0.0, 0, Counter[str]()
    figures = Counter[str]()
    for seed in range(options.first, options.first + options.seeds):
        ending = live_through(seed, options.hours)
        hours, starts, faults = hours + ending.hours, starts + ending.starts, faults + ending.faults
        figures += ending.figures
        if ending.verdicts:
            _say(in_words(ending))
            return 1
        if (seed - options.first) % 50 == 49:
            _say(f"  {seed - options.first + 1} stories, {hours:.0f} farm-hours", sys.stderr)
    took_s = time.monotonic() - began_s
    _say(f"{options.seeds} stories, {hours:.0f} farm-hours in {took_s:.0f} s: no promise broken")
    _say(f"{starts} physical starts: 0 double starts, 0 jobs lost, 0 stuck")
    for kind, count in sorted(figures.items()):
        _say(f"  {count:8}  {kind}")
    _say(f"{faults.total()} faults:")
    for kind, count in faults.most_common():
        _say(f"  {count:8}  {kind}")
    return 0


def _say(line: str, where: TextIO | None = None) -> None:
    (where or sys.stdout).write(line + "\n")


def in_words(ending: Ending) -> str:
    """Return a broken promise as a readable story."""
    lines = [f"seed {ending.seed}: a promise was broken after {ending.hours:.1f} hours", ""]
    lines += [*ending.story, "", *ending.verdicts, ""]
    lines.append(f"again: farmhand prove simulation --from {ending.seed} --seeds 1")
    return "\n".join(lines)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="prove simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many stories")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first seed")
    parser.add_argument(
        "--hours",
        type=float,
        default=8.0,
        help="of trouble in each; the calm after it comes on top",
    )
    return parser.parse_args(argv)
