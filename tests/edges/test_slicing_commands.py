"""`farmhand slice` and `farmhand profiles` as people and scripts run them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from coordinator.cli.slicing_child import ask
from tests.fakes.solids import write_box

COMMAND = (sys.executable, "-m", "coordinator.cli.main")


def farmhand(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def cube(tmp_path: Path) -> Path:
    write_box(tmp_path / "cube.stl", 20, 20, 2)
    return tmp_path / "cube.stl"


def test_a_model_becomes_a_plate_with_its_figures(cube: Path) -> None:
    words = ("--material", "PETG", "--quality", "draft", "--set", "infill=30%", "-o", "out.gcode")
    done = farmhand("slice", cube, "--printer", "farmhand-220", *words, cwd=cube.parent)
    assert (done.returncode, done.stderr) == (0, "")
    assert "quality: draft, 7 layers" in done.stdout
    assert "filament: " in done.stdout
    assert (cube.parent / "out.gcode").read_text().count(";LAYER_CHANGE") == 7
    again = farmhand("slice", cube, "--printer", "farmhand-220", *words, cwd=cube.parent)
    assert (again.returncode, "--force" in again.stderr) == (1, True)


def test_a_script_gets_one_document(cube: Path) -> None:
    done = farmhand(
        "slice",
        cube,
        "--printer",
        "prusa-mini",
        "--engine",
        "curaengine",
        "--json",
        cwd=cube.parent,
    )
    result = json.loads(done.stdout)
    assert result["engine"] == "curaengine"
    assert result["output_path"] == str(cube.parent / "cube.gcode")


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("--printer", "nobody"), 2, "farmhand-220"),
        (("--printer", "prusa-mini", "--set", "brimm=3"), 2, "brim, perimeters"),
        (("--printer", "prusa-mini", "--set", "layer_height=0.5"), 1, "0.32 mm or less"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    cube: Path, arguments: tuple[str, ...], status: int, words: str
) -> None:
    done = farmhand("slice", cube, *arguments, cwd=cube.parent)
    assert done.returncode == status
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert [path.name for path in cube.parent.iterdir()] == ["cube.stl"]


def test_an_interrupt_ends_the_slicer_and_leaves_nothing(cube: Path) -> None:
    out = cube.parent / "out"
    out.mkdir()

    def interrupt(ratio: float, _stage: str) -> None:
        if ratio > 0.1:
            raise KeyboardInterrupt

    request = {
        "kind": "slice",
        "model_path": str(cube),
        "printer": "prusa-mk4",
        "material": "pla",
        "output_path": str(out / "plate.gcode"),
    }
    with pytest.raises(KeyboardInterrupt):
        ask(request, interrupt)
    assert list(out.iterdir()) == []


def test_profiles_are_listed_shown_and_imported(tmp_path: Path) -> None:
    listed = json.loads(farmhand("profiles", "ls", "--vendor", "--json", cwd=tmp_path).stdout)
    names = {one["name"] for one in listed["printers"]}
    assert "prusa-mk4" in names
    assert sum(name.startswith("vendor/") for name in names) > 300
    assert {one["name"] for one in listed["settings"]} >= {"infill", "speed"}
    shown = farmhand("profiles", "show", "tpu", cwd=tmp_path)
    assert "filament.flow_max_mm3_s: 3.5" in shown.stdout
    (tmp_path / "mine.ini").write_text("perimeters = 4\npost_process = /bin/true\n")
    done = farmhand("profiles", "import", "mine.ini", "--into", "configs", cwd=tmp_path)
    assert "not taken: post_process" in done.stdout
    again = farmhand("profiles", "show", "mine", "--configs", "configs", cwd=tmp_path)
    assert "shell.perimeters: 4" in again.stdout


def test_geometry_is_made_printable_and_what_speaks_against_it_ends_with_status_1(
    cube: Path,
) -> None:
    done = farmhand("printable", cube, "--size", 60, "--printer", "farmhand-220", cwd=cube.parent)
    assert (done.returncode, done.stderr) == (0, "")
    assert "cube-printable.3mf can be printed" in done.stdout
    assert "size: 60.0 x 60.0 x 6.0 mm" in done.stdout
    made = cube.parent / "cube-printable.3mf"
    again = farmhand("printable", made, "--unit", "m", "--json", "-o", "b.stl", cwd=cube.parent)
    result = json.loads(again.stdout)
    assert (again.returncode, result["fits"]) == (1, [])
    assert "fits no printer" in result["faults"][0]
    assert result["size_mm"] == [60_000, 60_000, 6000]
    assert sorted(path.name for path in cube.parent.iterdir()) == [
        "b.stl",
        "cube-printable.3mf",
        "cube.stl",
    ]
    for words in (("-o", "b.obj"), ("-o", "no/b.stl"), ("--unit", "mile", "-o", "c.stl")):
        assert farmhand("printable", cube, *words, cwd=cube.parent).returncode == 2
