"""What an administrator's command writes belongs to the agent's own user."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from agent.step_down import step_down

PROGRAM = """
import os, sys
from pathlib import Path
from agent.step_down import step_down
folder = Path(sys.argv[1])
step_down(folder)
(folder / "written").touch()
print(os.geteuid(), os.getegid(), *os.getgroups())
"""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@needs_root
@pytest.mark.parametrize(("owner", "expected"), [(54321, "54321 54321"), (0, None)])
def test_it_goes_on_as_whom_the_folder_belongs_to(owner: int, expected: str | None) -> None:
    # Where others can come to, which is not so of tmp_path.
    with TemporaryDirectory(prefix="farmhand-") as name:
        folder = Path(name)
        os.chown(folder, owner, owner)
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, folder], capture_output=True, text=True, check=True
        )
        assert (folder / "written").stat().st_uid == owner
    if expected is not None:
        assert done.stdout.strip() == expected


def test_it_stays_who_it_is_where_there_is_no_folder(tmp_path: Path) -> None:
    step_down(tmp_path / "none")
    assert os.geteuid() == os.getuid()
