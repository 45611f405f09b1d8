"""What stands in a release, and whether it may run on a machine.

A release is a zip file: `release.json`, and files below `any/` that run wherever Python does, and
below `wheels/` the wheels of libraries, of which each machine takes those that fit it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from protocols.errors import ReleaseUnfit

FORMAT = 1
MANIFEST = "release.json"
COMMON = "any/"
WHEELS = "wheels/"
# Of the file as a whole: the agent is 1 MiB, wheels for three kinds of machines some 30.
RELEASE_BYTES_MAX = 256 * 1024 * 1024
MANIFEST_BYTES_MAX = 4 * 1024 * 1024
FILES_MAX = 20_000

_VERSION = re.compile(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})(?:rc(\d{1,6}))?")
_NUMBERS = re.compile(r"\d+")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NO_CANDIDATE = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where a release is to run: `platform` as in `x86_64`; Python's version as (3, 11)."""

    python: tuple[int, int]
    platform: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Which versions of a library will do; `below` is empty where nothing is."""

    lowest: str
    below: str = ""

    def is_met_by(self, version: str) -> bool:
        """Whether this version will do."""
        numbers = numbers_of(version)
        if numbers < numbers_of(self.lowest):
            return False
        return not self.below or numbers < numbers_of(self.below)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a release says of itself; it counts once the file's signature is good.

    Attributes:
        version: `N.N.N`, or `N.N.NrcN` before that.
        protocol_min: lowest and `protocol_max` highest major version of the wire that it speaks.
        python: the oldest that it runs on: `3.11`.
        files: sha256 of every other file in the zip, by its name there.
        needs: libraries that are there, or among its wheels, by name.
        downgrade: it may follow a newer one; else who once took a newer version refuses it.
        words: what is new, for people.
    """

    version: str
    protocol_min: int
    protocol_max: int
    protocol_minor: int = 0
    python: str = "3.11"
    files: Mapping[str, str] = field(default_factory=dict)
    needs: Mapping[str, Need] = field(default_factory=dict)
    downgrade: bool = False
    words: str = ""

    def encoded(self) -> bytes:
        """Return the bytes of `release.json`."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1, sort_keys=True).encode()

    def require_fit(self, machine: Machine, *, running: str, major: int) -> None:
        """Raise ReleaseUnfit where it must not follow what runs on a machine.

        Args:
            running: the version that runs there; one that is none (from source) counts as 0.
            major: the version of the wire that is spoken there.
        """
        if numbers_of(self.python)[:2] > machine.python:
            is_there = ".".join(map(str, machine.python))
            raise ReleaseUnfit(f"{self.version} needs Python {self.python}, here is {is_there}")
        if not self.protocol_min <= major <= self.protocol_max:
            raise ReleaseUnfit(
                f"{self.version} speaks version {self.protocol_min} to {self.protocol_max} of the "
                f"wire, and this farm {major}"
            )
        if not self.downgrade and order_of(self.version) < order_of(running):
            raise ReleaseUnfit(
                f"{self.version} is older than {running}, and is not signed to follow a newer one"
            )


def decoded(data: bytes) -> Manifest:
    """Return a manifest.

    Raises:
        ReleaseUnfit: it is none that is understood here.
    """
    try:
        said: dict[str, Any] = json.loads(data)
        if said.pop("format") != FORMAT:
            raise ReleaseUnfit("the release is of a format that is newer than this program")
        needs = {str(name): Need(**need) for name, need in said.pop("needs", {}).items()}
        known = {name: said[name] for name in Manifest.__dataclass_fields__ if name in said}
        manifest = Manifest(**known, needs=needs)
        _check(manifest)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ReleaseUnfit(f"{MANIFEST} is no manifest: {error}") from error
    return manifest


def order_of(version: str) -> tuple[int, int, int, int]:
    """Return what orders versions; what is none comes before all."""
    found = _VERSION.fullmatch(version)
    if found is None:
        return (0, 0, 0, 0)
    major, minor, patch, candidate = found.groups()
    last = int(candidate) if candidate is not None else _NO_CANDIDATE
    return (int(major), int(minor), int(patch), last)


def is_version(text: str) -> bool:
    """Whether a text is a version that releases may have."""
    return _VERSION.fullmatch(text) is not None


def numbers_of(version: str) -> tuple[int, ...]:
    """Return the numbers of a library's version, as far as its release goes: 1.2rc1 is 1.2."""
    release = re.split(r"[^0-9.]", version, maxsplit=1)[0]
    numbers = [int(each) for each in _NUMBERS.findall(release)]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def fits(wheel: str, machine: Machine) -> bool:
    """Whether a wheel, by its name (PEP 427), runs on a machine with Linux and glibc."""
    parts = wheel.rpartition("/")[2].removesuffix(".whl").split("-")
    if len(parts) not in (5, 6):
        return False
    pythons, abis, platforms = (part.split(".") for part in parts[-3:])
    on_platform = "any" in platforms or any(
        ("manylinux" in each or each.startswith("linux_")) and each.endswith(machine.platform)
        for each in platforms
    )
    major, minor = machine.python
    own = f"cp{major}{minor}"
    if "abi3" in abis:
        lowest = [int(each[3:]) for each in pythons if re.fullmatch(rf"cp{major}\d+", each)]
        return on_platform and any(each <= minor for each in lowest)
    return (
        on_platform and bool({own, f"py{major}"} & set(pythons)) and bool({own, "none"} & set(abis))
    )


def project_of(wheel: str) -> tuple[str, str]:
    """Return name (as in `needs`) and version of the library in a wheel."""
    parts = wheel.rpartition("/")[2].split("-")
    return normal(parts[0]), parts[1] if len(parts) > 1 else ""


def normal(project: str) -> str:
    """Return a project's name in its one spelling (PEP 503)."""
    return re.sub(r"[-_.]+", "-", project).lower()


def _check(manifest: Manifest) -> None:
    if not is_version(manifest.version):
        raise ValueError(f"{manifest.version!r} is no version of a release")
    numbers = (manifest.protocol_min, manifest.protocol_max, manifest.protocol_minor)
    if not all(isinstance(each, int) for each in numbers):
        raise ValueError("versions of the wire are whole numbers")
    for name, sha256 in manifest.files.items():
        steps = name.split("/")
        if not name.startswith((COMMON, WHEELS)) or {"", ".", ".."} & set(steps) or "\\" in name:
            raise ValueError(f"{name[:80]!r} is no name of a file in a release")
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"{name[:80]!r} has no sha256")
