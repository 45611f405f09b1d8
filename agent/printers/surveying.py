"""The process that surveys one plate: `FILE`; the survey goes to standard output, pickled.

Beside the agent, because reading a large plate computes for seconds, and a thread that computes
keeps the serial lines of the same process waiting.
"""

import os
import pickle
import sys
from pathlib import Path

from protocols.gcode.survey import survey

NICENESS = 10  # what prints comes first


def main(path: str) -> None:
    """Survey a file.

    Raises:
        OSError: it can't be read.
    """
    os.nice(NICENESS)
    with Path(path).open("rb") as file:
        found = survey(file)
    pickle.dump(found, sys.stdout.buffer)


if __name__ == "__main__":
    main(sys.argv[1])
