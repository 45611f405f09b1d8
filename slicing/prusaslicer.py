"""PrusaSlicer's command line as an engine (2.5 and later).

It gets our own STL, already in place, and one flat INI; nothing else can reach it.
"""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

from slicing.engine import Capabilities, EngineResult, EngineTask, Report
from slicing.errors import (
    EngineFailed,
    EngineMissing,
    EngineTimedOut,
    ModelTooComplex,
    ModelTooLarge,
    ModelUnprintable,
    OutputUnwritable,
    SettingsRefused,
    SlicingError,
)
from slicing.estimates import read_estimates
from slicing.process import Finished, ProcessLimits, run
from slicing.profiles import Dialect
from slicing.prusaslicer_ini import ini

_PROGRAMS = (
    "prusa-slicer",
    "PrusaSlicer",
    "prusa-slicer-console",
    "/Applications/PrusaSlicer.app/Contents/MacOS/PrusaSlicer",
)

_VERSION = re.compile(r"PrusaSlicer-(\d[\w.-]*)")
_PROGRESS = re.compile(r"(\d{1,3}) => (.+)")
_WARNING = re.compile(r"(?:print warning|warning):\s*(.+)", re.IGNORECASE)

_MIB = 1024 * 1024
_PROBE = ProcessLimits(wall_s_max=30.0, memory_bytes_max=4096 * _MIB, output_bytes_max=_MIB)

# What it says -> what that means. The first that is found counts.
_COMPLAINTS: tuple[tuple[str, type[SlicingError], str], ...] = (
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
    (
        "Is the disk full",
        OutputUnwritable,
        "The slicer could not write the plate: free disk space and slice again.",
    ),
    (
        "No space left on device",
        OutputUnwritable,
        "The slicer could not write the plate: free disk space and slice again.",
    ),
    (
        "bad_alloc",
        ModelTooComplex,
        "The slicer ran out of the memory it is given: reduce the model's triangles (decimate).",
    ),
)


class PrusaSlicer:
    """PrusaSlicer, found on the search path."""

    name: ClassVar[str] = "prusaslicer"
    # `perimeter_generator = classic` makes it so; the other one differs from run to run.
    capabilities: ClassVar[Capabilities] = Capabilities(
        dialects=frozenset(Dialect), deterministic=True, takes_parts=True
    )

    def require(self) -> None:
        """Do nothing where the program is installed; see `Engine.require`."""
        _program()

    def version(self) -> str:
        """Return the installed version, as its help states it."""
        with TemporaryDirectory(prefix="farmhand-probe-") as folder:
            ended = _run([_program(), "--help"], Path(folder), _PROBE, lambda _: None)
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

        arguments = [_program(), "--export-gcode", "--dont-arrange", "--load", str(settings)]
        arguments += ["--merge"] if task.more_paths else []
        arguments += ["--output", str(task.output_path), str(task.mesh_path)]
        arguments += [str(path) for path in task.more_paths]
        ended = _run(arguments, task.folder, task.limits, on_line)
        _judge(ended, task)
        figures = read_estimates(task.output_path)
        return EngineResult(
            version=figures.version,
            time_s=figures.time_s,
            filament_mm=figures.filament_mm,
            filament_g=figures.filament_g,
            cost=figures.cost,
            warnings=tuple(dict.fromkeys(warnings)),
        )


def _program() -> str:
    for candidate in _PROGRAMS:
        if found := shutil.which(candidate):
            return found
    raise EngineMissing(
        "PrusaSlicer is not installed, or not on the PATH: install it "
        "(Debian: apt install prusa-slicer) and try again.",
        programs=_PROGRAMS,
    )


def _run(
    arguments: list[str], folder: Path, limits: ProcessLimits, on_line: Callable[[str], None]
) -> Finished:
    # It buffers its output when that is no terminal, and progress would come all at the end.
    stdbuf = shutil.which("stdbuf")
    prefix = [stdbuf, "-oL"] if stdbuf else []
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),  # no settings of whoever runs the farm
        "TMPDIR": str(folder),
        "LC_ALL": "C.UTF-8",
    }
    try:
        return run(
            [*prefix, *arguments],
            folder=folder,
            environment=environment,
            limits=limits,
            on_line=on_line,
        )
    except OSError as error:
        raise EngineMissing(
            f"PrusaSlicer can't be started ({error.strerror}): reinstall it.", program=arguments[0]
        ) from error


def _judge(ended: Finished, task: EngineTask) -> None:
    """Return if the program ended well and left a file.

    Raises:
        SlicingError: of the kind that its last words tell.
    """
    if ended.timed_out:
        raise EngineTimedOut(
            f"PrusaSlicer did not finish within {task.limits.wall_s_max:g} s: reduce the model's "
            "triangles, choose thicker layers, or allow it more time.",
            limit_s=task.limits.wall_s_max,
        )
    if ended.status == 0 and task.output_path.is_file():
        return
    said = "\n".join(ended.lines)
    facts = {"status": ended.status, "said": ended.lines[-10:]}
    for words, kind, sentence in _COMPLAINTS:
        if words in said:
            raise kind(sentence, **facts)
    last = next((line for line in reversed(ended.lines) if not _PROGRESS.search(line)), "nothing")
    raise EngineFailed(
        f"PrusaSlicer ended with status {ended.status} and no plate; it said: {last[:200]}",
        **facts,
    )
