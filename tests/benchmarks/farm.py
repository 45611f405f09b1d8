"""Measure the coordinator at scale: telemetry, assignment, recovery.

Usage: ./farmhand bench farm [part ...] [--agents n] [--printers n] [--trials n] [--json file]
"""

import argparse
import json
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from tests.benchmarks import farm_assignment, farm_recovery, farm_telemetry
from tests.benchmarks.farm_assignment import Assignment
from tests.benchmarks.farm_processes import TooSlow
from tests.benchmarks.farm_telemetry import OURS, REFERENCE, Cost

PARTS = ("telemetry", "assignment", "recovery")
# What one coordinator has to hold on one core, at 1 Hz.
PRINTERS_PER_CORE = 10_000


@dataclass(slots=True)
class Found:
    """All figures; recovery in seconds, by whether the broker died too."""

    telemetry: list[Cost] = field(default_factory=list)
    assignment: Assignment | None = None
    recovery_s: dict[str, float] = field(default_factory=dict)


def main(argv: Sequence[str]) -> int:
    """Run the benchmark; returns 0 when no target was missed, 1 when one was, or it broke off."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended as well
    wanted, found = parse(argv), Found()
    try:
        for part in wanted.parts or PARTS:
            say(f"{part} ...")
            measure(part, wanted, found)
    except TooSlow as error:
        say(f"broken off: {error}")
        return 1
    finally:
        sys.stdout.write("\n".join([*readable(found), ""]))
        if wanted.json is not None:
            wanted.json.write_text(json.dumps(asdict(found), indent=2) + "\n")
    return 0 if all(reached for reached, _ in verdicts(found)) else 1


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Return what was asked for; ends the program with 2 where it cannot be understood."""
    parser = argparse.ArgumentParser(prog="farmhand bench farm", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--agents", type=int, default=1000, help="in assignment (1000)")
    parser.add_argument("--printers", type=int, default=10_000, help="in telemetry (10000)")
    parser.add_argument("--printing", type=int, default=100, help="in recovery (100)")
    parser.add_argument("--seconds", type=float, default=3.0, help="of telemetry a trial (3)")
    parser.add_argument("--rate", type=float, default=10.0, help="orders a second, paced (10)")
    parser.add_argument("--trials", type=int, default=2, help="of each but assignment (2)")
    parser.add_argument("--json", type=Path, help="file to write all figures to")
    wanted = parser.parse_args(argv)
    for part in wanted.parts:
        if part not in PARTS:
            parser.error(f"no part {part}; there are {', '.join(PARTS)}")
    return wanted


def measure(part: str, wanted: argparse.Namespace, found: Found) -> None:
    """Run one part and add what it found."""
    match part:
        case "telemetry":
            found.telemetry = farm_telemetry.run(
                wanted.printers, wanted.trials, wanted.seconds, say
            )
        case "assignment":
            paced = min(200, wanted.agents)
            found.assignment = farm_assignment.run(wanted.agents, wanted.rate, paced, say)
        case _:
            for name, dies in (("broker dies too", True), ("broker lives on", False)):
                some = []
                for _ in range(wanted.trials):
                    some.append(farm_recovery.run(wanted.printing, with_broker=dies))
                    say(f"{name}: {some[-1]:.1f} s")
                found.recovery_s[name] = median(some)


def readable(found: Found) -> Iterator[str]:
    """Yield the lines of the report."""
    if found.telemetry:
        yield from farm_telemetry.table(found.telemetry)
    if found.assignment is not None:
        yield from farm_assignment.table(found.assignment)
    for name, seconds in found.recovery_s.items():
        yield f"recovery, {name}: {seconds:.1f} s from its start until all is reconciled"
    for reached, words in verdicts(found):
        yield f"{'PASS' if reached else 'FAIL'}  {words}"


def verdicts(found: Found) -> Iterator[tuple[bool, str]]:
    """Yield what had to be reached, and whether it was."""
    paho_us = {cost.printers: cost.cpu_us for cost in found.telemetry if cost.client == REFERENCE}
    for cost in found.telemetry:
        if cost.client != OURS:
            continue
        held, ratio = cost.printers_per_core, cost.cpu_us / paho_us[cost.printers]
        words = f"{cost.printers} an agent: {held:,.0f} printers at 1 Hz on one core"
        yield held >= PRINTERS_PER_CORE, f"{words} (at least {PRINTERS_PER_CORE:,})"
        words = f"{cost.printers} an agent: {ratio:.2f} of the CPU of paho's own thread"
        yield ratio <= 1, f"{words} (at most 1)"


def say(words: str) -> None:
    """Tell how far it is; the report alone goes to standard output."""
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
