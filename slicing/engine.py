"""The contract of an engine: a mesh and a configuration in, a file of G-code out.

An engine sees geometry only, never the model's file: a project file can carry scripts and G-code
that a slicer would run. What it wrote is judged by verify.py, whatever its exit status says.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from slicing.process import ProcessLimits
from slicing.profiles import Configuration, Dialect

Report = Callable[[float, str], None]
"""Takes how far an engine is, 0 to 1, and what it does now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What an engine can be asked for.

    Attributes:
        dialects: firmwares that it writes for.
        deterministic: equal input gives equal output on one core, but for a date in a comment. On
            several, PrusaSlicer prints a layer's islands in another order once in a while.
        takes_parts: it takes several meshes in place and labels each in its G-code.
    """

    dialects: frozenset[Dialect]
    deterministic: bool
    takes_parts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineTask:
    """One plate to make.

    Attributes:
        mesh_path: a binary STL, in place: its coordinates are the printer's own.
        part_height_mm: its height.
        configuration: all settings.
        folder: an empty folder of the task's own; everything in it is thrown away afterwards.
        output_path: where the G-code goes, inside that folder.
        more_paths: other meshes of the same plate, in place as well; only for an engine that
            `takes_parts`, the others get one mesh of them all.
    """

    mesh_path: Path
    part_height_mm: float
    configuration: Configuration
    folder: Path
    output_path: Path
    limits: ProcessLimits
    more_paths: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineResult:
    """What an engine says of the plate it made.

    Attributes:
        version: of the engine, as it states it.
        warnings: sentences for a person.
        time_s: print time by its own estimate.
        filament_mm: length of filament; `filament_g` weight and `cost` of it.
    """

    version: str
    time_s: float
    filament_mm: float
    filament_g: float
    cost: float
    warnings: tuple[str, ...] = ()


class Engine(Protocol):
    """A slicer. Built without arguments, does nothing until it is called."""

    name: ClassVar[str]
    capabilities: ClassVar[Capabilities]

    def installation(self) -> str:
        """Return what tells the installed program from any other; nothing is started for that.

        Raises:
            EngineMissing: it is not.
        """

    def version(self) -> str:
        """Return the version of the program that is installed.

        Raises:
            EngineMissing: none is.
        """

    def slice(self, task: EngineTask, report: Report) -> EngineResult:
        """Make a plate, and return once its file is whole.

        Raises:
            EngineMissing: the program is not installed.
            EngineTimedOut: its time was up.
            EngineFailed: it ended badly.
            ModelUnprintable, ModelTooLarge, SettingsRefused: it says so.
            OutputUnwritable: the disk is full.
        """
