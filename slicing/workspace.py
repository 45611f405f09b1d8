"""The folder in which one plate is made: locked by its process, swept once that is dead.

It lies beside the output, so that a finished file moves there in one step. Its lock is the
kernel's and ends with the process, so that nothing is guessed from ages or process ids: two
slicers in one folder never touch each other's work.
"""

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from slicing.errors import OutputUnwritable

_PREFIX = ".farmhand-slicing-"

# Holds the names under which pictures appear beside the plate, before they do.
_HANDING_OVER = "handing-over"

PLATE = "plate.gcode"


@contextmanager
def workspace(beside: Path) -> Iterator[Path]:
    """Yield an empty folder in `beside` of this process's own; it is gone afterwards.

    Folders of processes that are dead are removed first.

    Raises:
        OSError: there can be no folder.
    """
    sweep(beside)
    folder, lock = _claimed(beside)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def sweep(beside: Path) -> None:
    """Remove what dead processes left in a folder: their own folders, and pictures of no plate."""
    for folder in beside.glob(_PREFIX + "*"):
        with suppress(OSError):  # another one sweeps it, or it is locked: its owner lives
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _take_back(folder)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def hand_over(folder: Path, output: Path, beside: Mapping[str, Path]) -> None:
    """Move the plate of a workspace to its place, bytes on the disk before the name.

    Args:
        folder: the workspace, with the plate in it.
        output: where the plate goes, as the last act.
        beside: other files to put in the output's folder, by their name there.
    """
    made = folder / PLATE
    for path in (made, *beside.values()):
        with path.open("rb") as file:
            os.fsync(file.fileno())
    (folder / _HANDING_OVER).write_text("\n".join(beside))
    for name, path in beside.items():
        path.replace(output.with_name(name))
    made.replace(output)


def unwritable(error: OSError, path: Path) -> OutputUnwritable:
    """Return the refusal to write a file, with what helps."""
    remedy = {
        errno.ENOSPC: "free disk space and ask again",
        errno.EFBIG: "reduce the model, or allow a larger file",
        errno.ENOENT: "create the folder first",
        errno.EACCES: "give this account the right to write there",
        errno.EROFS: "choose a folder on a disk that can be written",
    }.get(error.errno or 0, "check the folder")
    return OutputUnwritable(f"{path} can't be stored ({error.strerror}): {remedy}.", path=str(path))


def _claimed(beside: Path) -> tuple[Path, int]:
    """Return a new folder and its lock."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=beside))
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return folder, lock
        os.close(lock)  # swept between the two lines above


def _take_back(folder: Path) -> None:
    """Remove pictures whose plate never followed them."""
    names = folder / _HANDING_OVER
    if not names.exists() or not (folder / PLATE).exists():
        return
    for name in names.read_text().splitlines():
        folder.parent.joinpath(Path(name).name).unlink(missing_ok=True)
