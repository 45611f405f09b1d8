"""The folder of plates that slicing keeps stays as small as it is told."""

import os
from pathlib import Path

from coordinator.adapters.slicing_runner.plate_cache import PlateCache


def filled(folder: Path, *sizes: int) -> None:
    """Write files, the first one touched longest ago."""
    for number, size in enumerate(sizes):
        path = folder / f"{number % 2}" / f"{number}.gcode"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(size))
        os.utime(path, (number, number))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_what_was_touched_longest_ago_goes_first(tmp_path: Path) -> None:
    filled(tmp_path, 40, 30, 20, 10)
    assert PlateCache(folder=tmp_path, bytes_max=35).trim() == 30
    assert names(tmp_path) == ["2.gcode", "3.gcode"]


def test_what_fits_stays(tmp_path: Path) -> None:
    filled(tmp_path, 40, 30)
    assert PlateCache(folder=tmp_path, bytes_max=70).trim() == 70
    assert names(tmp_path) == ["0.gcode", "1.gcode"]


def test_a_folder_that_is_gone_holds_nothing(tmp_path: Path) -> None:
    assert PlateCache(folder=tmp_path / "gone", bytes_max=1).trim() == 0
