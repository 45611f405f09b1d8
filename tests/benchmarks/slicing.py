"""Measure slicing: its cost over the bare engine, memory, repair, reading speed, foretold times.

Usage: ./farmhand bench slicing [part ...] [--trials n]
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

from tests.benchmarks import slicing_gcode, slicing_pipeline, slicing_repair

Line = tuple[bool | None, str]
"""What is printed, and whether it was a target that was reached; None for a mere figure."""

# Each takes how often to measure, and yields its lines as they come.
PARTS: dict[str, Callable[[int], Iterator[Line]]] = {
    "overhead": slicing_pipeline.overhead,
    "memory": slicing_pipeline.memory,
    "repair": slicing_repair.table,
    "scan": slicing_gcode.scanning,
    "verify": slicing_gcode.verifying,
    "estimate": slicing_gcode.estimating,
    "hits": slicing_gcode.hits,
}
_WORDS = {True: "PASS  ", False: "FAIL  ", None: ""}


def main(argv: Sequence[str]) -> int:
    """Run the benchmark; returns 0 when no target was missed, else 1."""
    return run_parts("farmhand bench slicing", __doc__ or "", PARTS, argv)


def run_parts(
    name: str, words: str, parts: Mapping[str, Callable[[int], Iterator[Line]]], argv: Sequence[str]
) -> int:
    """Run those parts of a benchmark that are asked for, all where none is; see `main`."""
    parser = argparse.ArgumentParser(prog=name, description=words)
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(parts))
    parser.add_argument("--trials", type=int, default=3, help="of each figure (3)")
    wanted = parser.parse_args(argv)
    if unknown := [part for part in wanted.parts if part not in parts]:
        parser.error(f"no part {unknown[0]}; there are {', '.join(parts)}")
    missed = False
    for part in wanted.parts or parts:
        for reached, told in parts[part](wanted.trials):
            missed |= reached is False
            sys.stdout.write(f"{_WORDS[reached]}{told}\n")
            sys.stdout.flush()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
