"""Releases of the agent for tests: good ones, and bad ones of every kind, of this very code."""

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from coordinator.adapters.release_files import SIGNATURE_SUFFIX, make_key, make_release, pack, sign
from protocols.release.manifest import COMMON, MANIFEST, Manifest, decoded

APP, MAIN = f"{COMMON}agent/app.py", f"{COMMON}agent/__main__.py"
TOPICS = f"{COMMON}protocols/wire/topics.py"

# Each by what is put behind the code of one file, and which.
_DIES = "\n\nasync def _dies(self):\n    raise RuntimeError('a bad release')\n\nApp.run = _dies\n"
_HANGS = (
    "\n\nasync def _hangs(self):\n    import signal\n    signal.signal(signal.SIGTERM, "
    "signal.SIG_IGN)\n    while True:\n        pass\n\nApp.run = _hangs\n"
)
# Once it is known to be on trial, and everything is as it should be.
_DIES_LATER = (
    "\n\n_run = App.run\nasync def _dies_later(self):\n    import os\n"
    "    asyncio.get_running_loop().call_later(LATER_S, os._exit, 1)\n    await _run(self)\n\n"
    "App.run = _dies_later\n"
)
_DUMB = "\n\nROOT = 'farmhand/v2'\n"


@dataclass(frozen=True, slots=True)
class Bad:
    """A kind of bad release: how its files are spoiled, before it is signed or after.

    Attributes:
        ends_as: what an agent makes of it, as the farm says.
    """

    ends_as: str
    spoil: Callable[[dict[str, bytes]], None] = lambda files: None
    after: Callable[[Path, Path], None] = lambda file, other: None


def behind(name: str, text: str) -> Callable[[dict[str, bytes]], None]:
    """Return what puts text behind one file."""

    def spoil(files: dict[str, bytes]) -> None:
        files[name] += text.encode()

    return spoil


def tamper(file: Path, other: Path) -> None:
    """Change a file that was signed."""
    with file.open("ab") as opened:
        opened.write(b"more")


def sign_by_stranger(file: Path, other: Path) -> None:
    """Have somebody sign whom no agent trusts."""
    sign(file, other, "by a stranger")


def kinds(later_s: float) -> Mapping[str, Bad]:
    """Return the kinds of bad releases; `later_s` after its start one dies."""
    dies_later = _DIES_LATER.replace("LATER_S", repr(later_s))
    return {
        "tampered with": Bad("refused", after=tamper),
        "signed by a stranger": Bad("refused", after=sign_by_stranger),
        "can't be imported": Bad("refused", behind(APP, "\nimport no_such_module\n")),
        "dies at its start": Bad("rolled_back", behind(APP, _DIES)),
        "hangs": Bad("rolled_back", behind(APP, _HANGS)),
        "dies later": Bad("rolled_back", behind(APP, dies_later)),
        # It says that it speaks our version of the wire, and does not.
        "speaks another wire": Bad("rolled_back", behind(TOPICS, _DUMB)),
    }


class Workshop:
    """Where releases are made: a folder with a key that agents trust, and one that none does."""

    def __init__(self, folder: Path) -> None:
        """Make the keys."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.key = make_key(folder / "key").text
        make_key(folder / "stranger")

    def good(self, version: str, **said: bool) -> Path:
        """Return a release of this code, signed."""
        file = self._folder / f"{version}.zip"
        make_release(file, version=version, **said)
        sign(file, self._folder / "key", version)
        return file

    def bad(self, version: str, kind: Bad) -> Path:
        """Return a release that is no good."""
        file = self._folder / f"{version}.zip"
        make_release(file, version=version)
        files, manifest = contents(file)
        kind.spoil(files)
        pack(file, files, replace(manifest, files={}))
        sign(file, self._folder / "key", version)
        kind.after(file, self._folder / "stranger")
        return file


def contents(file: Path) -> tuple[dict[str, bytes], Manifest]:
    """Return what is in a release."""
    with zipfile.ZipFile(file) as release:
        files = {name: release.read(name) for name in release.namelist()}
    manifest = decoded(files.pop(MANIFEST))
    return files, manifest


def signature_of(file: Path) -> str:
    """Return the signature that lies beside a release."""
    return file.with_name(file.name + SIGNATURE_SUFFIX).read_text()
