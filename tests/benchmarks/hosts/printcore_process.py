"""The process that runs printcore, in an environment of its own: `GCODE PORT...`."""

import sys
import threading
from pathlib import Path

from printrun import gcoder
from printrun.printcore import printcore

POLL_S = 0.1


def main(gcode: str, *ports: str) -> None:
    """Connect to every port, then print the file on each; ends only when told to."""
    pause = threading.Event()
    lines = Path(gcode).read_text().splitlines()
    cores = [printcore(port, 115200) for port in ports]
    while not all(core.online for core in cores):
        pause.wait(POLL_S)
    for core in cores:
        core.startprint(gcoder.LightGCode(lines))
    pause.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
