"""How many bytes a file takes on the wire, as it is, shortened and packed: `bench bytes FILE...`.

Counted with line number, checksum and newline, as they go to a printer.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from protocols.errors import InvalidLine
from protocols.gcode.lines import encode
from protocols.gcode.meatpack import encode_packed
from protocols.gcode.program import read_program
from protocols.gcode.shorten import shorten

FIRST_NUMBER = 3
WAYS: dict[str, Callable[[int, str], bytes]] = {
    "plain": encode,
    "shortened": lambda number, text: encode(number, shorten(text)),
    "glued": lambda number, text: encode(number, shorten(text, glued=True)),
    "packed": encode_packed,
    "glued and packed": lambda number, text: encode_packed(number, shorten(text, glued=True)),
}


def measure(path: Path) -> tuple[int, dict[str, int]]:
    """Return how many commands a file holds, and how many bytes they take each way.

    What can't be sent as a line is left out of all.
    """
    count, sizes = 0, dict.fromkeys(WAYS, 0)
    with path.open("rb") as file:
        for item in read_program(file):
            try:
                lengths = {way: len(say(FIRST_NUMBER + count, item.command))
                           for way, say in WAYS.items()}  # fmt: skip
            except InvalidLine:
                continue
            count += 1
            for way, length in lengths.items():
                sizes[way] += length
    return count, sizes


def main(arguments: Sequence[str]) -> int:
    """Print a line for each file."""
    parser = argparse.ArgumentParser(prog="farmhand bench bytes", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    for path in parser.parse_args(arguments).files:
        count, sizes = measure(path)
        plain = sizes["plain"] or 1
        figures = "  ".join(f"{way} {size} ({size / plain:.1%})" for way, size in sizes.items())
        sys.stdout.write(f"{path.name}: {count} commands, bytes: {figures}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
