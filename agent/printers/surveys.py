"""Surveys of plates: each plate is read once, whatever number of printers gets it.

A survey of a large plate is kept beside its file, for another process and a reprint. It counts only
if it is whole, of that very plate, and made by the code that runs now; else it is made anew.
"""

import hashlib
import io
import pickle
import subprocess
import sys
import threading
from collections import OrderedDict
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, cast

from agent.errors import PlateRefused
from agent.printers import surveying
from agent.printers.driver import PlateFile
from protocols import gcode
from protocols.gcode.survey import Survey, survey

APART_BYTES_MIN = 1_000_000  # a smaller plate takes less than a process does
SURVEYS_KEPT = 4  # some 2 MB for a plate of 100 MB
SUFFIX = ".survey"

# What a survey consists of, beside the values of `protocols.gcode`; nothing else is ever built.
_PARTS = frozenset({("array", "array"), ("array", "_array_reconstructor")})


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
                    found = _survey(plate)
                except OSError as error:
                    raise PlateRefused(f"its file can't be read: {error}") from error
                self._kept[plate.sha256] = found
                while len(self._kept) > SURVEYS_KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(plate.sha256)
            return found


def _survey(plate: PlateFile) -> Survey:
    if plate.path.stat().st_size < APART_BYTES_MIN:
        with plate.path.open("rb") as file:
            return survey(file)
    if (kept := _load(plate)) is not None:
        return kept
    command = [sys.executable, "-m", surveying.__name__, str(plate.path)]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if ended.returncode != 0:
        said = ended.stderr.decode(errors="replace").strip().splitlines()
        raise OSError(said[-1] if said else f"its reader ended with {ended.returncode}")
    found = _read(ended.stdout)
    _keep(plate, ended.stdout)
    return found


# ---------------------------------------------------------------------- beside the plate


def _beside(plate: PlateFile) -> Path:
    return plate.path.with_name(plate.path.name + SUFFIX)


def _header(plate: PlateFile, data: bytes) -> bytes:
    """Return what a kept survey begins with."""
    words = ("farmhand-survey", _made_by(), plate.sha256, hashlib.sha256(data).hexdigest())
    return " ".join(words).encode() + b"\n"


@cache
def _made_by() -> str:
    """Return what changes whenever a survey may hold other things: a version nobody can forget."""
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted(Path(gcode.__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _load(plate: PlateFile) -> Survey | None:
    """Return what was kept of this plate, None where that is no use."""
    try:
        header, _, data = _beside(plate).read_bytes().partition(b"\n")
        return _read(data) if header + b"\n" == _header(plate, data) else None
    except (OSError, pickle.UnpicklingError):
        return None


def _keep(plate: PlateFile, data: bytes) -> None:
    """Keep it, if there is room; a power cut may spoil it, which is found out."""
    path = _beside(plate)
    fresh = path.with_name(path.name + ".part")
    try:
        fresh.write_bytes(_header(plate, data) + data)
        fresh.replace(path)
    except OSError:
        with suppress(OSError):
            fresh.unlink()


class _Reader(pickle.Unpickler):
    """Builds what a survey consists of, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """Return a class by its name.

        Raises:
            pickle.UnpicklingError: a survey holds no such thing.
        """
        if module.startswith(f"{gcode.__name__}.") or (module, name) in _PARTS:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"a survey holds no {module}.{name}")


def _read(data: bytes) -> Survey:
    return cast(Survey, _Reader(io.BytesIO(data)).load())


# The printers of an agent share it.
SURVEYS = Surveys()
