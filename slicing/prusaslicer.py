"""PrusaSlicer's command line as an engine (2.5 and later).

It gets our own STL, already in place, and one flat INI; nothing else can reach it.
"""

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

from slicing.engine import Capabilities, EngineResult, EngineTask, Report
from slicing.errors import EngineMissing, ModelTooLarge, ModelUnprintable, SettingsRefused
from slicing.estimates import read_estimates
from slicing.profiles import Dialect
from slicing.program import PROBE, Complaint, Program
from slicing.prusaslicer_ini import ini

_VERSION = re.compile(r"PrusaSlicer-(\d[\w.-]*)")
_PROGRESS = re.compile(r"(\d{1,3}) => (.+)")
_WARNING = re.compile(r"(?:print warning|warning):\s*(.+)", re.IGNORECASE)

_COMPLAINTS: tuple[Complaint, ...] = (
    (
        "could not fit on the bed",
        ModelTooLarge,
        "The slicer can't fit the model on the bed: scale it down, turn it or cut it.",
    ),
    (
        "no extrusions in the first layer",
        ModelUnprintable,
        "A part of the model touches the bed nowhere: turn it, or ask for supports.",
    ),
    (
        "print is empty",
        ModelUnprintable,
        "The model is too thin to print: its walls are narrower than the nozzle's line.",
    ),
    (
        "No layers were detected",
        ModelUnprintable,
        "The model has no layer that can be printed: it is too thin, or its surface is torn.",
    ),
    (
        "greater than nozzle diameter",
        SettingsRefused,
        "The slicer refuses a layer height above the nozzle's diameter: choose thinner layers.",
    ),
)

_PROGRAM = Program(
    title="PrusaSlicer",
    candidates=(
        "prusa-slicer",
        "PrusaSlicer",
        "prusa-slicer-console",
        "/Applications/PrusaSlicer.app/Contents/MacOS/PrusaSlicer",
    ),
    remedy="install it (Debian: apt install prusa-slicer) and try again",
    complaints=_COMPLAINTS,
    noise=lambda line: _PROGRESS.search(line) is not None,
)


class PrusaSlicer:
    """PrusaSlicer, found on the search path."""

    name: ClassVar[str] = "prusaslicer"
    # `perimeter_generator = classic` makes it so; the other one differs from run to run.
    capabilities: ClassVar[Capabilities] = Capabilities(
        dialects=frozenset(Dialect), deterministic=True, takes_parts=True
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
        raise EngineMissing("PrusaSlicer does not tell its version: reinstall it.")

    def slice(self, task: EngineTask, report: Report) -> EngineResult:
        """Make a plate; see `Engine.slice`."""
        settings = task.folder / "flat.ini"
        settings.write_text(
            ini(task.configuration, part_height_mm=task.part_height_mm), encoding="utf-8"
        )
        warnings: list[str] = []

        def on_line(line: str) -> None:
            if step := _PROGRESS.search(line):
                report(min(int(step[1]), 100) / 100, step[2].partition(" to ")[0].strip().lower())
            elif warning := _WARNING.search(line):
                warnings.append(warning[1].strip())

        arguments = ["--export-gcode", "--dont-arrange", "--load", str(settings)]
        arguments += ["--merge"] if task.more_paths else []
        arguments += ["--output", str(task.output_path), str(task.mesh_path)]
        arguments += [str(path) for path in task.more_paths]
        _PROGRAM.judge(_PROGRAM.run(arguments, task.folder, task.limits, on_line), task)
        figures = read_estimates(task.output_path)
        return EngineResult(
            version=figures.version,
            time_s=figures.time_s,
            filament_mm=figures.filament_mm,
            filament_g=figures.filament_g,
            cost=figures.cost,
            warnings=tuple(dict.fromkeys(warnings)),
        )
