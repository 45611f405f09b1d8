"""Our folder on a host: what its files are called, and which of them are no longer needed.

`farmhand/plates/HASH.gcode` is a plate, stored once however often it is printed. What a run prints
is a copy with its own name, `farmhand/RUN.gcode`, so that the host's own records tell what became
of just this run. Nothing outside the folder is ever touched.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from protocols.wire.vocabulary import RunId

FOLDER = "farmhand"
PLATES = f"{FOLDER}/plates"
ENDING = ".gcode"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A file in our folder; `date_s` is when it was stored, of the host's clock."""

    path: str
    size_bytes: int
    date_s: float


def plate_path(sha256: str) -> str:
    """Return where a plate lies."""
    return f"{PLATES}/{sha256}{ENDING}"


def run_path(run_id: RunId) -> str:
    """Return where the file lies that a run prints."""
    return f"{FOLDER}/{run_id}{ENDING}"


def surplus(
    files: Iterable[Stored], *, jobs: Collection[str], plates: Collection[str], bytes_max: int
) -> list[str]:
    """Return the paths that may go: other runs' files, and the oldest plates beyond a size.

    Args:
        files: all that lies in our folder.
        jobs: paths of runs to keep.
        plates: hashes of plates to keep.
        bytes_max: of all plates; those to keep count, and stay in any case.
    """
    kept = {plate_path(sha256) for sha256 in plates}
    gone: list[str] = []
    stored: list[Stored] = []
    for file in files:
        if not file.path.endswith(ENDING):
            continue  # somebody else's, for all we know
        folder, _, _ = file.path.rpartition("/")
        if folder == PLATES:
            stored.append(file)
        elif folder == FOLDER and file.path not in jobs:
            gone.append(file.path)
    room = bytes_max - sum(file.size_bytes for file in stored if file.path in kept)
    for file in sorted(stored, key=lambda file: file.date_s, reverse=True):
        if file.path in kept:
            continue
        room -= file.size_bytes
        if room < 0:
            gone.append(file.path)
    return gone
