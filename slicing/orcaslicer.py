"""OrcaSlicer's command line as an engine, from its documented interface.

It could not be had where this was written: arguments, profiles and exit codes are tested, the
program itself is judged by the engine contract wherever it is installed.
"""

import json
import re
import shutil
import zipfile
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

from slicing.engine import Capabilities, EngineResult, EngineTask, Report
from slicing.errors import (
    EngineFailed,
    EngineMissing,
    ModelBroken,
    ModelTooComplex,
    ModelTooLarge,
    ModelUnprintable,
    PlateRejected,
    SettingsRefused,
    SlicingError,
)
from slicing.orcaslicer_json import profiles
from slicing.process import Finished
from slicing.profiles import Dialect
from slicing.program import PROBE, Program

_PROGRAM = Program(
    title="OrcaSlicer",
    candidates=(
        "orca-slicer",
        "OrcaSlicer",
        "/Applications/OrcaSlicer.app/Contents/MacOS/OrcaSlicer",
    ),
    remedy="install it from its project's releases, put it on the PATH as orca-slicer",
)
_VERSION = re.compile(r"OrcaSlicer[- ]v?(\d[\w.-]*)")
_PROJECT, _PLATE = "plate.gcode.3mf", "Metadata/plate_1.gcode"
_FIGURE = re.compile(r'key="(prediction|weight)"\s+value="([\d.]+)"')
_USED = re.compile(r'<filament[^>]*\sused_m="([\d.]+)"')
_INFO_BYTES_MAX = 1024 * 1024

# Exit codes, as 256 less the status: what each means to us.
_REASONS: dict[int, tuple[type[SlicingError], str]] = {
    5: (SettingsRefused, "OrcaSlicer does not take our profiles: this version wants others"),
    6: (ModelBroken, "OrcaSlicer can't read the model: export it anew"),
    14: (ModelTooComplex, "OrcaSlicer ran out of memory: reduce the model's triangles (decimate)"),
    16: (SettingsRefused, "OrcaSlicer finds the quality incompatible with the printer"),
    17: (SettingsRefused, "OrcaSlicer finds the material incompatible with the printer"),
    18: (SettingsRefused, "OrcaSlicer finds a value out of range in the settings"),
    50: (ModelTooLarge, "OrcaSlicer can fit nothing on the bed: scale it down, turn it or cut it"),
    51: (SettingsRefused, "OrcaSlicer refuses model and settings together"),
    52: (ModelTooLarge, "OrcaSlicer finds the model partly outside the bed"),
    58: (ModelTooComplex, "OrcaSlicer stopped at its own limit of time: reduce the triangles"),
    59: (ModelTooComplex, "OrcaSlicer stopped at its own limit of triangles: reduce them"),
    61: (SettingsRefused, "OrcaSlicer finds that the material does not suit this bed"),
    62: (SettingsRefused, "OrcaSlicer finds that the temperatures do not go together"),
    63: (ModelTooLarge, "OrcaSlicer finds that parts collide: give them more room"),
    64: (ModelTooLarge, "OrcaSlicer finds that parts collide: give them more room"),
    100: (ModelUnprintable, "OrcaSlicer failed at the model: repair it, or turn it"),
    101: (ModelUnprintable, "OrcaSlicer finds paths that cross each other"),
    102: (ModelTooLarge, "OrcaSlicer finds G-code outside what can be printed"),
}


class OrcaSlicer:
    """OrcaSlicer, found on the search path."""

    name: ClassVar[str] = "orcaslicer"
    # Nobody has compared two of its runs here.
    capabilities: ClassVar[Capabilities] = Capabilities(
        dialects=frozenset(Dialect), deterministic=False
    )

    def installation(self) -> str:
        """Return what tells this installation from others; see `Engine.installation`."""
        return _PROGRAM.stamp()

    def version(self) -> str:
        """Return the installed version, as its help states it."""
        with TemporaryDirectory(prefix="farmhand-probe-") as folder:
            ended = _PROGRAM.run(["--help"], Path(folder), PROBE, lambda _: None)
        if found := _VERSION.search("\n".join(ended.lines)):
            return found[1]
        raise EngineMissing("OrcaSlicer does not tell its version: reinstall it.")

    def slice(self, task: EngineTask, report: Report) -> EngineResult:
        """Make a plate; see `Engine.slice`."""
        version = self.version()
        made = profiles(task.configuration, part_height_mm=task.part_height_mm)
        for kind, values in made.items():
            (task.folder / f"{kind}.json").write_text(json.dumps(values), encoding="utf-8")

        def on_line(line: str) -> None:
            if step := progress(line):
                report(*step)

        ended = _PROGRAM.run(arguments(task), task.folder, task.limits, on_line)
        project = task.folder / _PROJECT
        if not ended.timed_out:
            if ended.status != 0 or not project.is_file():
                raise reason(ended, task.folder / "result.json")
            _unpack(project, task.output_path, bytes_max=task.limits.output_bytes_max)
        _PROGRAM.judge(ended, task)
        return _result(project, task, version)


def arguments(task: EngineTask) -> list[str]:
    """Return the arguments: our profiles, our placement, one plate into one project file."""
    return [
        "--slice",
        "1",
        "--load-settings",
        "machine.json;process.json",
        "--load-filaments",
        "filament.json",
        # It is in place already.
        "--arrange",
        "0",
        "--orient",
        "0",
        # Its own limits are lower than ours.
        "--mtcpp",
        "100000000",
        "--mstpp",
        str(int(task.limits.wall_s_max) + 1),
        # Progress as JSON lines, between what it says anyway.
        "--pipe",
        "/dev/stdout",
        "--outputdir",
        str(task.folder),
        "--export-3mf",
        _PROJECT,
        str(task.mesh_path),
    ]


def progress(line: str) -> tuple[float, str] | None:
    """Return how far it is and the stage, where a line tells that."""
    start = line.find("{")
    if start < 0:
        return None
    try:
        told = json.loads(line[start:])
        percent = float(told.get("total_percent", told.get("plate_percent")))
    except (ValueError, TypeError, AttributeError):
        return None
    return min(max(percent, 0.0), 100.0) / 100, str(told.get("message", "slicing")).lower()


def reason(ended: Finished, told: Path) -> SlicingError:
    """Return why there is no plate: by the program's own report, else by its exit status."""
    code, words = (256 - ended.status) if ended.status > 0 else ended.status, ""
    with suppress(OSError, ValueError, KeyError, TypeError):  # it crashes without a report, too
        report = json.loads(told.read_text(encoding="utf-8"))
        code, words = abs(int(report["return_code"])) or code, str(report.get("error_string", ""))
    facts = {"status": ended.status, "said": [line[:500] for line in ended.lines[-10:]]}
    said = words or (ended.lines[-1] if ended.lines else "nothing")
    if code in _REASONS:
        kind, sentence = _REASONS[code]
        return kind(f"{sentence} ({said[:200]}).", **facts)
    return EngineFailed(
        f"OrcaSlicer ended with status {ended.status} and no plate; it said: {said[:200]}", **facts
    )


def _unpack(project: Path, output: Path, *, bytes_max: int) -> None:
    """Take the plate out of the project that was written.

    Raises:
        PlateRejected: it holds no plate, or one past the limit.
    """
    try:
        with zipfile.ZipFile(project) as archive:
            size = archive.getinfo(_PLATE).file_size
            if size > bytes_max:
                raise PlateRejected("OrcaSlicer's plate is larger than it may be.", bytes=size)
            with archive.open(_PLATE) as plate, output.open("wb") as file:
                shutil.copyfileobj(plate, file)
    except (KeyError, zipfile.BadZipFile) as error:
        raise PlateRejected("OrcaSlicer's project holds no plate: slice again.") from error


def _result(project: Path, task: EngineTask, version: str) -> EngineResult:
    """Return the figures in the project; zero where it does not tell."""
    text = ""
    with (
        suppress(KeyError),
        zipfile.ZipFile(project) as archive,
        archive.open("Metadata/slice_info.config") as info,
    ):
        text = info.read(_INFO_BYTES_MAX).decode("utf-8", "replace")
    found = {key: float(value) for key, value in _FIGURE.findall(text)}
    weight_g = found.get("weight", 0.0)
    return EngineResult(
        version=version,
        time_s=found.get("prediction", 0.0),
        filament_mm=1000 * sum(map(float, _USED.findall(text))),
        filament_g=weight_g,
        cost=round(weight_g / 1000 * task.configuration.material.filament.cost_per_kg, 2),
    )
