"""What is installed from a wheel serves the page, and needs no node for it."""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from coordinator.dashboard import build_page
from tests.fakes.processes import ROOT, environment, path_without, stop, until

UV = shutil.which("uv")
END_S_MAX = 20.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(UV is None, reason="uv is not installed"),
    pytest.mark.skipif(not build_page.is_built(), reason="the page is not built"),
]


def called(*command: str | Path, cwd: Path = ROOT, **changes: str) -> None:
    """Run a command that must succeed."""
    ours = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env={**ours, **changes}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def names_in(archive: Path) -> list[str]:
    """Return what is in a source archive, below its one folder."""
    with tarfile.open(archive) as opened:
        return [name.partition("/")[2] for name in opened.getnames()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a wheel made of the source archive, on a path without node."""
    folder = tmp_path_factory.mktemp("wheel")
    called("uv", "build", "--quiet", "--sdist", "--out-dir", folder)
    [archive] = folder.glob("*.tar.gz")
    assert not [name for name in names_in(archive) if name.startswith(("tests/", ".ci/"))]
    nodeless = path_without("node", folder / "programs")
    called(
        "uv", "build", "--quiet", "--wheel", "--out-dir", folder, archive, cwd=folder, PATH=nodeless
    )
    [found] = folder.glob("*.whl")
    return found


@contextmanager
def coordinator_of(python: Path, folder: Path) -> Iterator[str]:
    """Run the coordinator of another installation; lend its address."""
    flags = ["--state-dir", folder, "--port", "0", "--broker-port", "0"]
    log = folder.parent / "coordinator.log"
    ours = {name: value for name, value in environment().items() if name != "PYTHONPATH"}
    with log.open("wb") as words:
        process = subprocess.Popen(
            [python, "-m", "coordinator", *flags],
            cwd=folder.parent,
            env=ours,
            stdout=words,
            stderr=words,
        )
    try:

        def told() -> Any:
            assert process.poll() is None, log.read_text()
            file = folder / "coordinator.json"
            return json.loads(file.read_text()) if file.exists() else None

        yield str(until(told, "the coordinator to start")["api_url"])
    finally:
        stop(process, within_s=END_S_MAX)


def test_a_wheel_carries_the_page_and_not_what_it_is_made_of(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "coordinator/dashboard/built/index.html" in names
    assert not [name for name in names if name.startswith("coordinator/dashboard/page/")]
    assert not [name for name in names if name.startswith("tests/")]


def test_a_fresh_installation_serves_the_page_packed(wheel: Path, tmp_path: Path) -> None:
    called("uv", "venv", "--quiet", "--python", sys.executable, tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    called("uv", "pip", "install", "--quiet", "--python", python, f"{wheel}[coordinator]")
    (tmp_path / "state").mkdir()
    with coordinator_of(python, tmp_path / "state") as url:
        with urlopen(url) as answer:
            index = answer.read().decode()
        names = re.findall(r'(?:src|href)="(/dashboard/assets/[^"]+)"', index)
        assert any(name.endswith(".js") for name in names)
        assert any(name.endswith(".css") for name in names)
        for name in names:
            with urlopen(Request(url + name, headers={"Accept-Encoding": "gzip"})) as answer:
                packed = answer.headers.get("Content-Encoding") == "gzip"
                body = answer.read()
            assert packed
            assert gzip.decompress(body)
