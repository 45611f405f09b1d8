"""A coordinator whose disk is full: it can't start and says so, or it runs and goes on."""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fakes.mosquitto import free_port, start_mosquitto
from tests.fakes.processes import (
    PATIENCE_S,
    Coordinator,
    Ended,
    coordinator,
    descendants,
    environment,
    stop,
    until,
)
from tests.proofs.chaos_judge import is_refused_start

# The kernel fails every write beyond so many bytes of a file. The log of SQLite has more; with 0
# nothing at all can be written.
LIMITS = (4096, 0)


def limit(pid: int, file_bytes_max: int = resource.RLIM_INFINITY) -> None:
    """Fill the disk of a process that runs; without a number, make room again."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (file_bytes_max, resource.RLIM_INFINITY))


@contextmanager
def spawned(folder: Path, *flags: str, file_bytes_max: int = -1) -> Iterator[subprocess.Popen[str]]:
    """Run a coordinator whose words come through a pipe, for a file would be full as well."""
    process = subprocess.Popen(
        [sys.executable, "-m", "coordinator", "--state-dir", str(folder), *flags],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        preexec_fn=lambda: limit(0, file_bytes_max),
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def start_full(folder: Path, file_bytes_max: int) -> Ended:
    with spawned(
        folder, "--port", "0", "--broker-port", "0", file_bytes_max=file_bytes_max
    ) as process:
        _, said = process.communicate(timeout=PATIENCE_S)
        return Ended(process.returncode, "", said)


@pytest.fixture
def plate(tmp_path: Path) -> Path:
    path = tmp_path / "plate.gcode"
    path.write_text("G28\nG1 X1\n")
    return path


def names(farm: Coordinator) -> list[str]:
    return sorted(str(job["name"]) for job in farm.jobs())


@pytest.mark.parametrize("file_bytes_max", LIMITS)
def test_a_start_on_a_full_disk_is_refused_in_one_sentence_and_harms_nothing(
    tmp_path: Path, plate: Path, file_bytes_max: int
) -> None:
    folder = tmp_path / "farm"
    with coordinator(folder) as farm:
        assert farm.farmhand("job", "submit", plate, "--name", "before").code == 0
    ended = start_full(folder, file_bytes_max)
    assert ended.code == 1
    assert "make room on its disk" in ended.sentence("farmhand coordinator")
    # What a proof lets pass is what is said, and nothing else.
    assert is_refused_start("coordinator", ended.code, ended.err.rstrip("\n"))
    with coordinator(folder) as farm:
        assert names(farm) == ["before"]


def test_one_that_runs_refuses_what_it_can_not_keep_and_goes_on(
    tmp_path: Path, plate: Path
) -> None:
    with coordinator(tmp_path / "farm") as farm:
        assert farm.farmhand("job", "submit", plate, "--name", "before").code == 0
        limit(farm.process.pid, 0)
        refused = farm.farmhand("job", "submit", plate, "--name", "refused")
        assert refused.code != 0
        assert "make room" in refused.sentence("farmhand")
        assert names(farm) == ["before"]
        # What it starts again meanwhile has its configuration written anew.
        [broker] = descendants(farm.process.pid)
        os.kill(broker, signal.SIGKILL)
        draft = farm.folder / "broker" / "mosquitto.conf.draft"
        until(draft.exists, "a start of the broker that fails")
        limit(farm.process.pid)
        until(lambda: farm.ask("health")[1]["broker"] == "ok", "a broker")
        assert farm.farmhand("job", "submit", plate, "--name", "after").code == 0
        assert names(farm) == ["after", "before"]
        assert stop(farm.process, within_s=PATIENCE_S) == 0


def test_where_it_is_it_tells_as_soon_as_there_is_room(tmp_path: Path) -> None:
    folder, port = tmp_path / "farm", free_port()
    flags = ("--port", "0", "--broker-url", f"mqtt://127.0.0.1:{port}")
    with spawned(folder, *flags) as process:
        assert process.stderr is not None
        # Its first try fails after the API is up; only then it would write where it is.
        await_event(process, "link.lost")
        limit(process.pid, 0)
        with start_mosquitto(tmp_path, port):
            await_event(process, "file.waits")
            assert not (folder / "coordinator.json").exists()
            limit(process.pid)
            await_event(process, "coordinator.ready")
        assert json.loads((folder / "coordinator.json").read_text())["pid"] == process.pid


def await_event(process: "subprocess.Popen[str]", name: str) -> None:
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if json.loads(line)["event"] == name:
            return
    raise AssertionError(f"it ended before {name}: {''.join(said)}")
