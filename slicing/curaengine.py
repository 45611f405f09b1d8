"""CuraEngine's command line as an engine (4.13, as Debian brings it).

It gets our own STL and every setting as an argument; no definition files, no formulas.
"""

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

from slicing.curaengine_settings import settings
from slicing.curaengine_words import CuraWords, mend_header
from slicing.engine import Capabilities, EngineResult, EngineTask, Report
from slicing.errors import EngineMissing, ModelBroken, SettingsRefused
from slicing.profiles import Configuration, Dialect
from slicing.program import PROBE, Complaint, Program

_VERSION = re.compile(r"Cura_SteamEngine version (\d[\w.-]*)")

COMPLAINTS: tuple[Complaint, ...] = (
    ("Failed to load model", ModelBroken, "The slicer can't read the model: export it anew."),
    (
        "with no value given",
        SettingsRefused,
        "CuraEngine wants a setting that Farmhand does not know: use its version 4.13.",
    ),
)

_PROGRAM = Program(
    title="CuraEngine",
    candidates=("CuraEngine", "/Applications/Ultimaker Cura.app/Contents/MacOS/CuraEngine"),
    remedy="install it (Debian: apt install cura-engine) and try again",
    complaints=COMPLAINTS,
    noise=lambda line: line.startswith(("Progress:", "[WARNING]")),
)


class CuraEngine:
    """CuraEngine, found on the search path."""

    name: ClassVar[str] = "curaengine"
    capabilities: ClassVar[Capabilities] = Capabilities(
        dialects=frozenset(Dialect), deterministic=True
    )

    def installation(self) -> str:
        """Return what tells this installation from others; see `Engine.installation`."""
        return _PROGRAM.stamp()

    def version(self) -> str:
        """Return the installed version, as its help states it."""
        with TemporaryDirectory(prefix="farmhand-probe-") as folder:
            ended = _PROGRAM.run(["help"], Path(folder), PROBE, lambda _: None)
        if found := _VERSION.search("\n".join(ended.lines)):
            return found[1]
        raise EngineMissing("CuraEngine does not tell its version: reinstall it.")

    def slice(self, task: EngineTask, report: Report) -> EngineResult:
        """Make a plate; see `Engine.slice`."""
        words = CuraWords(report)
        versions: list[str] = []

        def on_line(line: str) -> None:
            if found := _VERSION.match(line):
                versions.append(found[1])
            words.hear(line)

        # Relative to the task's folder: the engine writes the model's path into the file.
        mesh, output = (
            str(path.relative_to(task.folder)) for path in (task.mesh_path, task.output_path)
        )
        arguments = command(task.configuration, task.part_height_mm, mesh=mesh, output=output)
        _PROGRAM.judge(_PROGRAM.run(arguments, task.folder, task.limits, on_line), task)
        result = words.result(task, versions[0] if versions else "unknown")
        mend_header(task.output_path, words.header)
        return result


def command(
    configuration: Configuration, part_height_mm: float, *, mesh: str, output: str
) -> list[str]:
    """Return the arguments: every setting for the whole, then one extruder and one mesh."""
    values = settings(configuration, part_height_mm=part_height_mm)
    flags = [word for key, value in values.items() for word in ("-s", f"{key}={value}")]
    return ["slice", "-v", "-p", *flags, "-e0", "-o", output, "-l", mesh]
