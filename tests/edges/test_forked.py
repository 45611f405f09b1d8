"""A program that is forked from one that has it loaded behaves as one that is started."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.forked import Forked
from tests.fakes.processes import environment, run, started, until

MODULE = "agent.simulator"


def test_it_says_and_returns_what_a_start_does(tmp_path: Path) -> None:
    for arguments in (["--help"], ["--no-such-setting", "1"]):
        true = subprocess.run(
            [sys.executable, "-m", MODULE, *arguments],
            capture_output=True,
            text=True,
            check=False,
            env=environment(),
        )
        forked = run(MODULE, *arguments, cwd=tmp_path)
        assert (forked.code, forked.out, forked.err) == (true.returncode, true.stdout, true.stderr)


def test_it_is_a_process_of_its_own_and_its_end_is_told(tmp_path: Path) -> None:
    log, flags = tmp_path / "log", ("--pty", str(tmp_path / "port"))
    with started(MODULE, *flags, log=log) as process:
        assert isinstance(process, Forked)
        until((tmp_path / "port").exists, "the printer")
        place = Path(f"/proc/{process.pid}")
        assert (os.getsid(process.pid), os.readlink(place / "cwd")) == (process.pid, os.getcwd())
        assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert not place.exists()
        process.kill()  # nobody else's, though the id may be in use again
    with started(MODULE, *flags, log=log) as process:
        process.kill()
        assert process.wait(30) == -signal.SIGKILL
