"""OrcaSlicer's adapter against its documented interface: profiles, arguments, exit codes.

A stand-in program that behaves as documented runs in its place; where the real one is installed,
the engine contract judges that.
"""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from slicing.catalogue import Catalogue
from slicing.engine import EngineTask
from slicing.errors import (
    EngineFailed,
    ModelTooLarge,
    ModelUnprintable,
    PlateRejected,
    SettingsRefused,
)
from slicing.orca_keys import translated
from slicing.orcaslicer import OrcaSlicer, progress, reason
from slicing.orcaslicer_json import profiles
from slicing.process import Finished, ProcessLimits
from slicing.profiles import Overrides, merge
from slicing.prusaslicer_keys import Keys, quality_of

STAND_IN = """#!{python}
import json, sys, zipfile
from pathlib import Path
if "--help" in sys.argv:
    print("OrcaSlicer-2.2.0: a slicer")
    sys.exit(0)
option = dict(zip(sys.argv[1:-1], sys.argv[2:]))
folder = Path(option["--outputdir"])
read = lambda name: json.loads(Path(name).read_text())
machine, process = map(read, option["--load-settings"].split(";"))
filament = read(option["--load-filaments"])
assert [one["type"] for one in (machine, process, filament)] == ["machine", "process", "filament"]
assert all(one["from"] == "User" and "inherits" not in one for one in (machine, process, filament))
assert process["compatible_printers"] == [machine["name"]]
assert Path(sys.argv[-1]).is_file()
if {status}:
    if {reported}:
        report = {{"return_code": {status} - 256, "error_string": "Because."}}
        (folder / "result.json").write_text(json.dumps(report))
    sys.exit({status})
with open(option["--pipe"], "w") as pipe:
    for percent in (10, 60, 100):
        print(json.dumps({{"total_percent": percent, "message": "Slicing"}}), file=pipe, flush=True)
with zipfile.ZipFile(folder / option["--export-3mf"], "w") as archive:
    if {plate}:
        archive.writestr("Metadata/plate_1.gcode", "G28\\nG1 X5 E1\\n")
    archive.writestr("Metadata/slice_info.config", '<metadata key="prediction" value="1234"/>'
        '<metadata key="weight" value="5.5"/><filament id="1" used_m="1.84" used_g="5.5"/>')
"""

CATALOGUE = Catalogue()


@pytest.fixture
def task(tmp_path: Path) -> EngineTask:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "model.stl").write_bytes(b"")
    return EngineTask(
        mesh_path=tmp_path / "work" / "model.stl",
        part_height_mm=10,
        configuration=merge(
            CATALOGUE.printer("prusa-mk4"),
            CATALOGUE.material("petg"),
            CATALOGUE.quality("fine"),
            Overrides(infill=25, supports=True, seam="rear"),
        ),
        folder=tmp_path / "work",
        output_path=tmp_path / "work" / "plate.gcode",
        limits=ProcessLimits(wall_s_max=30, memory_bytes_max=2**31, output_bytes_max=2**20),
    )


def install(
    task: EngineTask,
    monkeypatch: pytest.MonkeyPatch,
    *,
    status: int = 0,
    reported: bool = True,
    plate: bool = True,
) -> OrcaSlicer:
    folder = task.folder.parent / "bin"
    folder.mkdir()
    program = folder / "orca-slicer"
    program.write_text(
        STAND_IN.format(python=sys.executable, status=status, reported=reported, plate=plate)
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return OrcaSlicer()


def test_a_plate_comes_out_of_the_project_with_its_figures(
    task: EngineTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[float, str]] = []
    engine = install(task, monkeypatch)
    made = engine.slice(task, lambda ratio, stage: told.append((ratio, stage)))
    assert (made.version, made.time_s, made.filament_g) == ("2.2.0", 1234, 5.5)
    assert made.filament_mm == pytest.approx(1840)
    assert made.cost == pytest.approx(0.13, abs=0.01)
    assert task.output_path.read_text() == "G28\nG1 X5 E1\n"
    assert told == [(0.1, "slicing"), (0.6, "slicing"), (1.0, "slicing")]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (256 - 50, ModelTooLarge),
        (256 - 52, ModelTooLarge),
        (256 - 16, SettingsRefused),
        (256 - 100, ModelUnprintable),
        (256 - 1, EngineFailed),
    ],
)
@pytest.mark.parametrize("reported", [True, False])
def test_each_exit_code_is_a_failure_of_its_kind(
    task: EngineTask,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    kind: type[Exception],
    reported: bool,
) -> None:
    engine = install(task, monkeypatch, status=status, reported=reported)
    with pytest.raises(kind, match=r"Because\." if reported else "OrcaSlicer"):
        engine.slice(task, lambda _ratio, _stage: None)
    assert not task.output_path.exists()


def test_a_project_without_a_plate_is_rejected(
    task: EngineTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = install(task, monkeypatch, plate=False)
    with pytest.raises(PlateRejected):
        engine.slice(task, lambda _ratio, _stage: None)


def test_a_crash_without_a_report_is_told(tmp_path: Path) -> None:
    ended = Finished(status=-11, timed_out=False, lines=("loading",))
    assert isinstance(reason(ended, tmp_path / "none.json"), EngineFailed)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"total_percent": 42, "message": "Generating"}', (0.42, "generating")),
        ('[info] {"plate_percent": 7}', (0.07, "slicing")),
        ('{"total_percent": "soon"}', None),
        ("{", None),
        ("loading", None),
    ],
)
def test_progress_is_read_from_json_lines(line: str, expected: Any) -> None:
    assert progress(line) == expected


def test_what_is_written_is_read_back_by_the_import(task: EngineTask) -> None:
    made = profiles(task.configuration, part_height_mm=10)
    assert all(json.loads(json.dumps(one)) == one for one in made.values())
    keys, _ = translated(made["process"])
    quality, own = quality_of(Keys(keys), "a", "A"), task.configuration.quality
    assert quality.layers == own.layers
    assert quality.shell == own.shell
    assert quality.infill == own.infill
    assert quality.adhesion == own.adhesion
    assert quality.speed == own.speed
