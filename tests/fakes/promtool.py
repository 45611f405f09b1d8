"""Prometheus' own judge of metrics, rules and queries, where there is one."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.benchmarks.installing import cache_folder

CONSOLE_S_MAX = 60


def find() -> Path | None:
    """Return where it is; None where it is not installed, nor was ever fetched."""
    on_path = shutil.which("promtool")
    if on_path is not None:
        return Path(on_path)
    kept = _kept()
    return kept if kept.exists() else None


def fetch() -> Path:
    """Return where it is, after taking it out of Debian's package where it is missing.

    The package is not installed: that would start a server on this machine.
    """
    found = find()
    if found is not None:
        return found
    with tempfile.TemporaryDirectory(prefix="farmhand-promtool-") as name:
        folder = Path(name)
        subprocess.run(["apt-get", "download", "prometheus"], cwd=folder, check=True)
        [package] = folder.glob("prometheus_*.deb")
        subprocess.run(["dpkg-deb", "-x", package, folder / "out"], check=True)
        _kept().parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(folder / "out/usr/bin/promtool", _kept())
    return _kept()


def says(*words: str | Path, stdin: str = "") -> str:
    """Return what it complains of; empty where it has nothing to say."""
    program = find()
    assert program is not None
    done = subprocess.run(
        [program, *words],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=CONSOLE_S_MAX,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _kept() -> Path:
    return cache_folder() / "promtool"
