"""What a benchmark needs on this machine, made once and kept in a cache folder.

C programs are compiled; hosts from the package index get a virtual environment each, with the exact
versions of their lock file. A changed source or lock makes a new entry beside the old one.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from coordinator.dashboard.build_page import NotBuilt, npm

BUILD_S_MAX = 600.0  # a slow machine building wheels; only says when something hangs


class NotInstallable(Exception):
    """A host or the stand-in could not be made ready here."""


def cache_folder() -> Path:
    """Return the folder for compiled programs and virtual environments, made if missing."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "farmhand-bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def compiled(source: Path) -> Path:
    """Return the program made of one C file.

    Raises:
        NotInstallable: there is no C compiler, or it refused.
    """
    program = cache_folder() / f"{source.stem}-{_digest(source)}"
    if not program.exists():
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            raise NotInstallable("a C compiler is needed (cc); on Debian: apt-get install gcc")
        fresh = program.with_name(f"{program.name}.{os.getpid()}")
        _call([compiler, "-O2", "-Wall", "-Wextra", "-o", str(fresh), str(source), "-lm"])
        fresh.replace(program)  # in one step: another benchmark may be compiling too
    return program


def environment(lock: Path, python: Path | None = None) -> Path:
    """Return the folder of programs of a virtual environment that holds what a lock file pins.

    Args:
        python: of which Python; None for ours.

    Raises:
        NotInstallable: the packages could not be had.
    """
    version = python.name if python else f"python{sys.version_info.major}.{sys.version_info.minor}"
    folder = cache_folder() / f"{lock.stem}-{_digest(lock)}-{version}"
    interpreter = str(python or sys.executable)
    complete = folder / "complete"
    programs = folder / "bin"
    if complete.exists():
        return programs
    shutil.rmtree(folder, ignore_errors=True)
    pins = ["--require-hashes", "--no-deps", "-r", str(lock)]
    if uv := shutil.which("uv"):
        _call([uv, "venv", "--quiet", "--python", interpreter, str(folder)])
        _call([uv, "pip", "install", "--quiet", "--python", str(programs / "python"), *pins])
    else:
        _call([interpreter, "-m", "venv", str(folder)])
        _call([str(programs / "python"), "-m", "pip", "install", "--quiet", *pins])
    complete.touch()
    return programs


def modules(lock: Path) -> tuple[Path, Path]:
    """Return a node, and the folder `node_modules` that holds what a package-lock.json pins.

    Raises:
        NotInstallable: there is no node, or the packages could not be had.
    """
    try:
        command, node = npm()
    except NotBuilt as error:
        raise NotInstallable(str(error)) from error
    folder = cache_folder() / f"{lock.parent.name}-{_digest(lock)}"
    complete = folder / "complete"
    if not complete.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name in ("package.json", "package-lock.json"):
            shutil.copy(lock.with_name(name), folder)
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder)]
        search = {"PATH": f"{node}{os.pathsep}{os.environ.get('PATH', '')}"}
        _call([*command, "ci", *options], {**os.environ, **search})
        complete.touch()
    return node / "node", folder / "node_modules"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def _call(command: list[str], environment: Mapping[str, str] | None = None) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=BUILD_S_MAX, env=environment
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstallable(f"{command[0]}: {error}") from error
    if done.returncode != 0:
        raise NotInstallable(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
