"""The folder a plate is made in: its owner's alone while that lives, swept once it is dead."""

import subprocess
import sys
from pathlib import Path

from slicing.workspace import PLATE, hand_over, sweep, workspace

ROOT = Path(__file__).parents[2]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def left_behind(beside: Path, *, pictures: str, plate_moved: bool) -> None:
    """Leave what a process leaves that is killed while it hands over."""
    folder = beside / ".farmhand-slicing-dead"
    folder.mkdir()
    (folder / "handing-over").write_text(pictures)
    (beside / "a.gcode" if plate_moved else folder / PLATE).write_text("G28")
    for name in pictures.splitlines():
        (beside / name).write_bytes(b"png")


def test_a_plate_and_its_pictures_move_and_nothing_else_stays(tmp_path: Path) -> None:
    with workspace(tmp_path) as folder:
        (folder / PLATE).write_text("G28")
        (folder / "a.png").write_bytes(b"png")
        hand_over(folder, tmp_path / "a.gcode", {"a.png": folder / "a.png"})
    assert names(tmp_path) == {"a.gcode", "a.png"}


def test_a_living_owner_keeps_its_folder(tmp_path: Path) -> None:
    with workspace(tmp_path) as one, workspace(tmp_path) as other:
        sweep(tmp_path)
        assert names(tmp_path) == {one.name, other.name}
    assert names(tmp_path) == set()


def test_the_folder_of_a_killed_process_is_swept(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from slicing.workspace import workspace\n"
        "with workspace(Path(sys.argv[1])) as folder:\n"
        "    (folder / 'half').write_text('x'); os.kill(os.getpid(), 9)"
    )
    ended = subprocess.run([sys.executable, "-c", script, tmp_path], cwd=ROOT)
    assert ended.returncode == -9
    assert len(names(tmp_path)) == 1
    sweep(tmp_path)
    assert names(tmp_path) == set()


def test_pictures_whose_plate_never_came_are_taken_back(tmp_path: Path) -> None:
    left_behind(tmp_path, pictures="a.model-64.png\na.plate-64.png", plate_moved=False)
    (tmp_path / "b.model-64.png").write_bytes(b"of another plate")
    sweep(tmp_path)
    assert names(tmp_path) == {"b.model-64.png"}


def test_pictures_whose_plate_came_stay(tmp_path: Path) -> None:
    left_behind(tmp_path, pictures="a.model-64.png", plate_moved=True)
    sweep(tmp_path)
    assert names(tmp_path) == {"a.gcode", "a.model-64.png"}


def test_nothing_outside_of_the_folder_is_taken_back(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "kept").write_text("x")
    left_behind(tmp_path / "out", pictures="", plate_moved=False)
    (tmp_path / "out" / ".farmhand-slicing-dead" / "handing-over").write_text("../kept")
    sweep(tmp_path / "out")
    assert names(tmp_path) == {"out", "kept"}
