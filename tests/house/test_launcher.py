"""The launcher says what to do where it can't help itself; no python of the system is touched."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ("sh", "cat", "cksum", "dirname", "readlink", "id", "mktemp", "tail", "rm", "flock", "env")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the launcher's own files, without a virtual environment."""
    for name in ("farmhand", "pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of programs: the few that any system has."""
    folder = tmp_path_factory.mktemp("bin")
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None
        (folder / tool).symlink_to(found)
    return folder


def launch(checkout: Path, path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [checkout / "farmhand", *arguments],
        env={"PATH": str(path), "HOME": os.environ.get("HOME", "/")},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def test_without_python_it_says_what_to_install(checkout: Path, path: Path) -> None:
    done = launch(checkout, path, "job", "ls")
    assert done.returncode == 1
    assert "python3 3.11 or newer" in done.stderr
    assert not (checkout / ".venv").exists()


def test_an_old_python_is_as_good_as_none(checkout: Path, path: Path) -> None:
    program(path, "python3", "exit 1")
    assert "python3 3.11 or newer" in launch(checkout, path).stderr


def test_without_apt_it_names_the_packages_and_goes_on(checkout: Path, path: Path) -> None:
    if Path("/usr/sbin/mosquitto").exists():
        wanted = "please install prusa-slicer"
    else:
        wanted = "please install prusa-slicer mosquitto"
    done = launch(checkout, path, "demo")
    assert wanted in done.stderr
    assert "slicing will not work" in done.stderr


def test_a_failed_installation_is_not_taken_for_a_finished_one(checkout: Path, path: Path) -> None:
    program(path, "python3", 'case "$*" in *version_info*) exit 0 ;; *) exit 9 ;; esac')
    program(path, "uv", "echo no network >&2; exit 7")
    done = launch(checkout, path, "job", "ls")
    assert done.returncode == 1
    assert "no network" in done.stderr
    assert "the set-up did not finish" in done.stderr
    assert not (checkout / ".venv" / "stamp").exists()


def test_a_finished_set_up_hands_over_at_once(checkout: Path, path: Path) -> None:
    stamp = subprocess.run(
        "cat requirements.lock pyproject.toml | cksum",
        shell=True,
        cwd=checkout,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "stamp").write_text(stamp)
    program(checkout / ".venv" / "bin", "farmhand", 'echo "handed over: $*"; exit 5')
    done = launch(checkout, path, "job", "show", "a b")
    assert (done.returncode, done.stdout) == (5, "handed over: job show a b\n")
