"""Surveys of plates: each plate is read once, whatever number of printers gets it."""

import pickle
import subprocess
import sys
import threading
from collections import OrderedDict
from pathlib import Path
from typing import cast

from agent.errors import PlateRefused
from agent.printers import surveying
from agent.printers.driver import PlateFile
from protocols.gcode.survey import Survey, survey

APART_BYTES_MIN = 1_000_000  # a smaller plate takes less than a process does
SURVEYS_KEPT = 4  # some 2 MB for a plate of 100 MB


class Surveys:
    """The last surveys, by the plate's hash. Called from threads."""

    def __init__(self) -> None:
        """Begin with none."""
        self._kept: OrderedDict[str, Survey] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, plate: PlateFile) -> Survey:
        """Return the survey of a plate, which takes a second for some megabytes the first time.

        Raises:
            PlateRefused: the file can't be read.
        """
        with self._lock:
            found = self._kept.get(plate.sha256)
            if found is None:
                try:
                    found = _survey(plate.path)
                except OSError as error:
                    raise PlateRefused(f"its file can't be read: {error}") from error
                self._kept[plate.sha256] = found
                while len(self._kept) > SURVEYS_KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(plate.sha256)
            return found


def _survey(path: Path) -> Survey:
    if path.stat().st_size < APART_BYTES_MIN:
        with path.open("rb") as file:
            return survey(file)
    command = [sys.executable, "-m", surveying.__name__, str(path)]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if ended.returncode != 0:
        said = ended.stderr.decode(errors="replace").strip().splitlines()
        raise OSError(said[-1] if said else f"its reader ended with {ended.returncode}")
    return cast(Survey, pickle.loads(ended.stdout))


# The printers of an agent share it.
SURVEYS = Surveys()
