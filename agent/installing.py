"""A release's file becomes a version's folder: checked, unpacked, tried out; nothing runs yet.

Blocking: called in a thread. What is in the file is looked at only once its signature is good.
"""

import hashlib
import io
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from agent import launching
from protocols.errors import ReleaseUnfit
from protocols.release import manifest as manifests
from protocols.release.manifest import COMMON, MANIFEST, WHEELS, Machine, Manifest
from protocols.release.signing import PublicKey, digest_of, require_trusted
from protocols.wire.topics import PROTOCOL_MAJOR

CHUNK_BYTES = 256 * 1024
# A Pi loads the agent in some seconds; one whose card is busy takes longer.
ANSWER_S_MAX = 60.0
# After all else on the machine: another print is on.
_TRY = (
    "import os, runpy, sys; os.nice(10); sys.argv = ['farmhand-agent', '--version']; "
    "runpy.run_module('agent', run_name='__main__')"
)
_PUMP = "agent/printers/pump.c"
_BUILT = ("libpump.so", "libpump.sha256")


def here() -> Machine:
    """Return what this machine is to a release."""
    return Machine(python=sys.version_info[:2], platform=platform.machine())


def install(
    file: Path, signature: str, keys: Sequence[PublicKey], *, state_dir: Path, running: str
) -> Manifest:
    """Make a version's folder of a release's file; returns what the release says of itself.

    Args:
        running: the version that runs here now.

    Raises:
        ReleaseUntrusted: nobody who is trusted here signed this file.
        ReleaseUnfit: it can't run here, or its parts are not what it says.
        OSError: the card is full, or broken.
    """
    with file.open("rb") as opened:
        require_trusted(signature, digest_of(_pieces(opened)), keys)
        try:
            with zipfile.ZipFile(opened) as release:
                manifest = _manifest_of(release)
                manifest.require_fit(here(), running=running, major=PROTOCOL_MAJOR)
                wheels = [
                    name
                    for name in manifest.files
                    if name.startswith(WHEELS) and manifests.fits(name, here())
                ]
                _require_needs(manifest, wheels)
                home = launching.home_of(state_dir, manifest.version)
                _unpack(release, manifest, wheels, home)
        except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
            raise ReleaseUnfit(f"the file is no release: {error}") from error
    _try(home, manifest.version)
    (home / launching.WHOLE).touch()
    os.sync()  # thousands of files: one sync of the card is quicker than one of each
    return manifest


def forget_others(state_dir: Path, kept: Sequence[str | None]) -> None:
    """Remove the folders of all versions but some."""
    for folder in (state_dir / launching.FOLDER).glob("*"):
        if folder.is_dir() and folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)


def _pieces(opened: io.BufferedReader) -> Iterator[bytes]:
    while piece := opened.read(CHUNK_BYTES):
        yield piece


def _manifest_of(release: zipfile.ZipFile) -> Manifest:
    names = [each.filename for each in release.infolist()]
    if MANIFEST not in names or len(names) > manifests.FILES_MAX:
        raise ReleaseUnfit(f"the file is no release: it has no {MANIFEST}, or too many files")
    if release.getinfo(MANIFEST).file_size > manifests.MANIFEST_BYTES_MAX:
        raise ReleaseUnfit(f"{MANIFEST} is too long")
    manifest = manifests.decoded(release.read(MANIFEST))
    if sorted(names) != sorted([MANIFEST, *manifest.files]):
        raise ReleaseUnfit(f"the release has other files than {MANIFEST} says")
    return manifest


def _require_needs(manifest: Manifest, wheels: Sequence[str]) -> None:
    brought = dict(manifests.project_of(name) for name in wheels)
    for name, need in manifest.needs.items():
        found = brought.get(manifests.normal(name)) or _installed(name)
        if not found or not need.is_met_by(found):
            wanted = need.lowest + (f" and below {need.below}" if need.below else "")
            raise ReleaseUnfit(
                f"it needs {name} from {wanted}, here is {found or 'none'}, and it brings none "
                "that fits this machine"
            )


def _installed(project: str) -> str:
    try:
        return version(project)
    except PackageNotFoundError:
        return ""


def _unpack(
    release: zipfile.ZipFile, manifest: Manifest, wheels: Sequence[str], home: Path
) -> None:
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    try:
        for name, sha256 in manifest.files.items():
            if not name.startswith(COMMON) and name not in wheels:
                continue
            data = release.read(name)
            if hashlib.sha256(data).hexdigest() != sha256:
                raise ReleaseUnfit(f"{name} has another hash than the release says")
            if name in wheels:
                _unpack_wheel(data, home)
            else:
                _write(home, name.removeprefix(COMMON), data)
    except BaseException:
        shutil.rmtree(home, ignore_errors=True)
        raise


def _unpack_wheel(data: bytes, home: Path) -> None:
    """Unpack what of a wheel is imported; it belongs to a file that was signed."""
    with zipfile.ZipFile(io.BytesIO(data)) as wheel:
        for each in wheel.infolist():
            steps = each.filename.split("/")
            if each.is_dir():
                continue
            if steps[0].endswith(".data"):
                if steps[1] not in ("purelib", "platlib"):
                    continue
                steps = steps[2:]
            if {"", ".", ".."} & set(steps):
                raise ReleaseUnfit(f"{each.filename!r} is no name of a file in a wheel")
            _write(home, "/".join(steps), wheel.read(each))


def _write(home: Path, name: str, data: bytes) -> None:
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _try(home: Path, wanted: str) -> None:
    """Have the version tell what it is, in a process of its own: it can be loaded.

    Raises:
        ReleaseUnfit: it can't.
    """
    _bring_pump(home)
    variables = {**os.environ, "PYTHONPATH": str(home)}
    command = [sys.executable, "-P", "-c", _TRY]
    try:
        done = subprocess.run(
            command,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=ANSWER_S_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ReleaseUnfit(f"{wanted} does not answer within {ANSWER_S_MAX:.0f} s") from None
    said = done.stdout.strip()
    if done.returncode or said != f"farmhand-agent {wanted}":
        last = (done.stderr.strip().splitlines() or [said])[-1]
        raise ReleaseUnfit(f"{wanted} can't be loaded here: {last[:300]}")


def _bring_pump(home: Path) -> None:
    """Take over what was built here from the same source; else build it, where that is possible."""
    source, mine = home / _PUMP, Path(__file__).parent / "printers"
    if not source.is_file():
        return
    with suppress(OSError):
        if source.read_bytes() == (mine / source.name).read_bytes():
            for name in _BUILT:
                shutil.copy2(mine / name, source.with_name(name))
            return
    with suppress(OSError, subprocess.TimeoutExpired):
        builder = source.with_name("build_pump.py")
        subprocess.run(
            [sys.executable, "-P", str(builder)], capture_output=True, timeout=60, check=False
        )
