"""Which version of the agent is to run: a small record in the state folder, and its moves.

Theory. One file says which version is current and which is on trial; it is replaced whole, so that
a power cut leaves the one or the other. Each start is counted in it *before* the version gets to
run. So nothing that a version does, or fails to do, keeps its launcher from going back: one that is
on trial has `TRIES_MAX` starts, each for `trial_s` at most, to have the coordinator say that it is
sound. After that the one before it stays for as long as the new one has not lasted, and is gone
back to where the new one keeps dying. The empty version is what was installed here by other means.

Only the standard library: this must run whatever a release lacks.
"""

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

FOLDER = "versions"
_FILE = "standing.json"
WHOLE = ".whole"  # there once all of a version is on the card

# One start may end by a power cut, or by somebody's hand.
TRIES_MAX = 2
# What settled and then dies so often, each time before it has lasted, is gone back from.
DEATHS_MAX = 3
LASTING_S = 900.0
# Installed by other means: by a package, or from source.
INSTALLED = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How the last update ended, or how far it is: `phase` as on the wire."""

    version: str = ""
    phase: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is current here.

    Attributes:
        previous: what is gone back to; None where there is nothing.
        trial: the version on trial, None where none is.
        trial_s: each of its starts may take so long.
        starts: of what is on trial, or has not lasted yet.
        over: the version that was installed when something else became current. Who installs
            another by hand means that one.
        lasting: what is current was never on trial, or has lasted.
    """

    current: str = INSTALLED
    previous: str | None = None
    trial: str | None = None
    trial_s: float = 0.0
    starts: int = 0
    over: str = ""
    lasting: bool = True
    told: Told = Told()


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What is to be started now: for `within_s` at most unless it settles, None for ever."""

    standing: Standing
    version: str
    within_s: float | None = None


def try_out(standing: Standing, version: str, *, trial_s: float, over: str) -> Standing:
    """Put a version on trial, over what is installed; its first start is to come."""
    told = Told(version=version, phase="trial")
    return replace(standing, trial=version, trial_s=trial_s, starts=0, over=over, told=told)


def launch(standing: Standing, *, installed: str) -> Launch:
    """Return what is to be started now, and what is to be written down before.

    Args:
        installed: the version that is installed here by other means.
    """
    is_other = standing.current != INSTALLED or standing.trial is not None
    if is_other and standing.over != installed:
        return Launch(standing=Standing(), version=INSTALLED)
    if standing.trial is not None:
        if standing.starts < TRIES_MAX:
            counted = replace(standing, starts=standing.starts + 1)
            return Launch(standing=counted, version=standing.trial, within_s=standing.trial_s)
        standing = gone_back(standing, f"it was started {TRIES_MAX} times and never settled")
    elif not standing.lasting and standing.previous is not None:
        if standing.starts >= DEATHS_MAX:
            standing = gone_back(standing, f"it died {DEATHS_MAX} times soon after it was started")
        else:
            standing = replace(standing, starts=standing.starts + 1)
    return Launch(standing=standing, version=standing.current)


def settled(standing: Standing) -> Standing:
    """Make what is on trial current; the one before stays at hand until it has lasted."""
    assert standing.trial is not None, "something is on trial"
    return replace(
        standing,
        current=standing.trial,
        previous=standing.current,
        trial=None,
        starts=0,
        lasting=False,
        told=Told(version=standing.trial, phase="settled"),
    )


def lasted(standing: Standing) -> Standing:
    """Believe in what is current; it is not gone back from by itself any more."""
    return replace(standing, lasting=True, starts=0)


def gone_back(standing: Standing, words: str) -> Standing:
    """Return to the version before the one that is on trial, or did not last."""
    if standing.trial is not None:
        told = Told(version=standing.trial, phase="rolled_back", words=words)
        return replace(standing, trial=None, starts=0, told=told)
    assert standing.previous is not None, "there is one before it"
    told = Told(version=standing.current, phase="rolled_back", words=words)
    return replace(
        standing, current=standing.previous, previous=None, starts=0, lasting=True, told=told
    )


def read(state_dir: Path) -> Standing:
    """Return what stands in a state folder; where nothing, or nonsense, does: what is installed."""
    try:
        said = json.loads((state_dir / FOLDER / _FILE).read_bytes())
        return Standing(**{**said, "told": Told(**said["told"])})
    except (OSError, ValueError, TypeError, KeyError):
        return Standing()


def write(state_dir: Path, standing: Standing) -> None:
    """Replace what stands in a state folder, through any power cut.

    Raises:
        OSError: it can't be written; the former record stands.
    """
    folder = state_dir / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{_FILE}.draft"
    with draft.open("w") as file:
        json.dump(asdict(standing), file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / _FILE)
    sync(folder)


def home_of(state_dir: Path, version: str) -> Path:
    """Return the folder of a version."""
    return state_dir / FOLDER / version


def is_whole(state_dir: Path, version: str) -> bool:
    """Whether all of a version is here; what is installed always is."""
    return version == INSTALLED or (home_of(state_dir, version) / WHOLE).is_file()


def sync(folder: Path) -> None:
    """Make a folder's names survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
