"""Slicing processes killed at each stage, and two at once: nothing is left, nothing mixes."""

import hashlib
import json
import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from slicing import stl
from tests.fakes.meshes import box

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0

STAGES = ("loading", "repairing", "slicing", "processing triangulated mesh", "verifying", "drawing")


def started(tmp_path: Path, name: str, **changes: Any) -> subprocess.Popen[bytes]:
    """Start a slicing process whose plate goes to `out`."""
    request = {
        "kind": "slice",
        "model_path": tmp_path / f"{name}.stl",
        "printer": "farmhand-220",
        "material": "PLA",
        "quality": "draft",
        "output_path": tmp_path / "out" / f"{name}.gcode",
        **changes,
    }
    asked = tmp_path / f"{name}.json"
    asked.write_text(json.dumps(request, default=str))
    with asked.open() as file:
        return subprocess.Popen(
            [sys.executable, "-m", "slicing"],
            stdin=file,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )


def children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(one) for one in listed]


def ends(pid: int) -> bool:
    """Whether a process has ended, or does within the patience."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], PATIENCE_S)[0])
    finally:
        os.close(handle)


def result(child: subprocess.Popen[bytes]) -> dict[str, Any]:
    out, _ = child.communicate(timeout=PATIENCE_S)
    last: dict[str, Any] = json.loads(out.splitlines()[-1])
    assert last["kind"] == "result", last
    return last


@pytest.fixture(autouse=True)
def _models(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    stl.write(box(40, 10, 2), tmp_path / "long.stl")
    stl.write(box(10, 60, 3), tmp_path / "deep.stl")


def test_what_a_kill_at_any_stage_leaves_is_gone_after_the_next_slice(tmp_path: Path) -> None:
    for number, stage in enumerate(STAGES):
        output = tmp_path / "out" / f"killed-{number}.gcode"
        child = started(tmp_path, "long", output_path=output)
        assert child.stdout is not None
        for line in child.stdout:
            if json.loads(line).get("stage") == stage:
                break
        else:
            raise AssertionError(f"there was no stage {stage!r}")
        engines = children(child.pid)
        child.send_signal(signal.SIGKILL)
        assert child.wait(PATIENCE_S) == -signal.SIGKILL
        assert all(ends(engine) for engine in engines)
        assert not list((tmp_path / "out").glob("killed-*"))
    assert list((tmp_path / "out").iterdir())
    plate = result(started(tmp_path, "long", pictures=False))["output_path"]
    assert list((tmp_path / "out").iterdir()) == [Path(plate)]


def test_a_command_that_is_killed_takes_its_slicing_along(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "held.stl")  # nobody writes, so that loading it waits for ever
    request = {
        "kind": "slice",
        "model_path": str(tmp_path / "held.stl"),
        "printer": "farmhand-220",
        "material": "PLA",
        "output_path": str(tmp_path / "out" / "held.gcode"),
    }
    code = "from coordinator.cli.slicing_child import ask\n"
    code += f"ask({request!r}, lambda ratio, stage: print(stage, flush=True))"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"loading\n"
        (slicing,) = children(parent.pid)
        parent.kill()
    assert ends(slicing)


def test_two_slices_at_once_for_unlike_printers_never_mix(tmp_path: Path) -> None:
    two = (
        started(tmp_path, "long", printer="prusa-mk3s"),
        started(tmp_path, "deep", printer="creality-ender3", material="PETG"),
    )
    long, deep = map(result, two)
    assert (long["printer"], deep["printer"]) == ("prusa-mk3s", "creality-ender3")
    for made, size in ((long, (40, 10)), (deep, (10, 60))):
        content = Path(made["output_path"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == made["sha256"]
        low, high = made["bounds_mm"]
        printed = [high[axis] - low[axis] for axis in (0, 1)]
        assert printed == pytest.approx([side - 0.4 for side in size], abs=0.5)
        (bed_x, bed_y, _) = made["bed_mm"]
        assert (low[0] + high[0], low[1] + high[1]) == pytest.approx((bed_x, bed_y), abs=1)
        (shape,) = re.findall(rb"^; bed_shape = 0x0,(\d+)x0", content, flags=re.MULTILINE)
        assert int(shape) == bed_x
    assert len(list((tmp_path / "out").iterdir())) == 2 + 8
