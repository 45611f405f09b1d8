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


_TWO = f"""
import signal, sys
from pathlib import Path
from tests.fakes.processes import started
with started("{MODULE}", "--pty", sys.argv[1], log=Path(sys.argv[2])) as process:
    print(process.pid, flush=True)
    signal.pause()
"""


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_who_started_it_however_that_ended(
    tmp_path: Path, end: signal.Signals
) -> None:
    command = [sys.executable, "-c", _TWO, str(tmp_path / "port"), str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as asker:
        assert asker.stdout is not None
        place = Path(f"/proc/{int(asker.stdout.readline())}")
        assert place.exists()
        asker.send_signal(end)
        assert asker.wait(30) == -end
        until(lambda: not place.exists(), "what was forked to end")
