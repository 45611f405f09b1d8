"""What a proof makes is gone when it ends, and when it is killed."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.processes import ROOT, ended, environment, until

PROGRAM = """
import subprocess, sys
from pathlib import Path
from tests.proofs.swept import WITH_US, swept

with swept("farmhand-test-", Path(sys.argv[1])) as folder:
    (folder / "file").touch()
    (Path(sys.argv[1]) / folder.name / "below").mkdir(parents=True)
    begun = [*WITH_US, "sh", "-c", "echo; exec sleep 600"]
    child = subprocess.Popen(begun, stdout=subprocess.PIPE)
    child.stdout.readline()
    print(folder, child.pid, flush=True)
    sys.stdin.read()
    child.kill()
    child.wait()
"""


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_folder_its_cgroup_and_its_programs_are_gone_however_the_process_ends(
    tmp_path: Path, is_killed: bool
) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        folder, pid = process.stdout.readline().decode().split()
        assert Path(folder).is_dir()
        if is_killed:
            process.kill()
    until(lambda: not Path(folder).exists(), "the folder to be gone")
    until(lambda: ended([int(pid)]), "the program to be gone")
    until(lambda: not list(tmp_path.iterdir()), "the cgroup to be gone")
