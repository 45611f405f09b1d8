"""The whole farm for real: coordinator, broker, slicer, agent, serial lines, firmwares."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PATIENCE_S = 120.0


@pytest.mark.skipif(shutil.which("prusa-slicer") is None, reason="prusa-slicer is not installed")
def test_the_demo_prints_every_copy_and_its_printers_executed_the_sliced_file(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "coordinator.cli.main", "demo", "--once", "--printers", "2",
         "--speed", "2000", "--state-dir", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env={**os.environ, "NO_COLOR": "1"},
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 of 2 executed logs equal the sliced file" in done.stdout
    for log in (tmp_path / "executed").iterdir():
        assert len(log.read_text().splitlines()) > 1000, "a barn has more lines than that"
    assert not list((tmp_path / "ports").glob("*")), "the printers took their ports away"


def test_a_demo_that_can_not_start_says_what_failed_with_the_last_words_of_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "coordinator" / "farm.sqlite3").mkdir(parents=True)
    plate = tmp_path / "plate.gcode"
    plate.write_text("G28\n")
    demo = [sys.executable, "-m", "coordinator.cli.main", "demo", "--once"]
    done = subprocess.run(
        [*demo, "--state-dir", tmp_path, "--model", plate],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 1
    assert "coordinator ended with code 1" in done.stderr
    assert "farm.sqlite3" in done.stderr
    assert "Traceback" not in done.stderr
