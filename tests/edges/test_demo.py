"""The whole farm for real: coordinator, broker, slicer, agent, serial lines, firmwares."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PATIENCE_S = 120.0


def box(width: float, height: float) -> str:
    """An STL of a box, as text."""
    low, high = (0.0, 0.0, 0.0), (width, width, height)
    facets = []
    for axis in range(3):
        for end in (low, high):
            others = [other for other in range(3) if other != axis]
            corners = []
            for first, second in ((0, 0), (1, 0), (1, 1), (0, 1)):
                corner = [0.0, 0.0, 0.0]
                corner[axis] = end[axis]
                corner[others[0]] = high[others[0]] * first
                corner[others[1]] = high[others[1]] * second
                corners.append(corner)
            # Seen from outside, corners go round against the clock.
            if (end is low) == (axis != 1):
                corners.reverse()
            facets += [(corners[0], corners[1], corners[2]), (corners[0], corners[2], corners[3])]
    lines = ["solid box"]
    for facet in facets:
        lines += ["facet normal 0 0 0", "outer loop"]
        lines += [f"vertex {x} {y} {z}" for x, y, z in facet]
        lines += ["endloop", "endfacet"]
    return "\n".join([*lines, "endsolid box\n"])


@pytest.mark.skipif(shutil.which("prusa-slicer") is None, reason="prusa-slicer is not installed")
def test_the_demo_prints_every_copy_and_its_printers_executed_the_sliced_file(
    tmp_path: Path,
) -> None:
    model = tmp_path / "box.stl"
    model.write_text(box(12, 4))
    demo = [sys.executable, "-m", "coordinator.cli.main", "demo", "--once", "--printers", "2"]
    done = subprocess.run(
        [*demo, "--copies", "3", "--speed", "1000", "--model", model, "--state-dir", tmp_path],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env={**os.environ, "NO_COLOR": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 of 2 executed logs equal the sliced file" in done.stdout
    assert "3 of 3 finished" in done.stdout
    for log in (tmp_path / "executed").iterdir():
        assert len(log.read_text().splitlines()) > 200, "a box has more lines than that"
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
