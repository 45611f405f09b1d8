"""From a model to a plate, stage by stage: load, place, slice, verify, hand over.

All work happens in a folder beside the output; the plate is moved out of it as the last act, so
that nobody ever sees half of one.
"""

import errno
import os
import tempfile
from pathlib import Path

import numpy as np

from slicing import stl
from slicing.catalogue import Catalogue
from slicing.designer import designer_wishes
from slicing.engine import EngineTask, Report
from slicing.errors import OutputUnwritable
from slicing.geometry import load
from slicing.inspection import too_large
from slicing.mesh import Mesh, fits, set_on_bed
from slicing.process import ProcessLimits
from slicing.profiles import Configuration
from slicing.registry import open_engine
from slicing.request import SliceRequest, SliceResult
from slicing.verify import check, scan

# Shares of the whole, as far as they can be foretold: slicing takes most of it.
_LOADED = 0.1
_SLICED = 0.9


def make_plate(request: SliceRequest, report: Report) -> SliceResult:
    """Slice a model for one class of printer, and put the plate where the request says.

    Args:
        request: what to slice, and how.
        report: told how far it is, 0 to 1, and the stage.

    Raises:
        SlicingError: of which kind, errors.py tells; nothing is left behind.
    """
    catalogue = Catalogue(request.configs)
    wishes = request.settings
    if request.designer_settings:
        wishes = designer_wishes(request.model_path, wishes)
    configuration = catalogue.configuration(
        request.printer, request.material, request.quality, wishes
    )
    printer, origin_mm = configuration.printer, configuration.printer.bed.origin_mm
    engine = open_engine(request.engine)
    report(0.0, "loading")
    mesh = _placed(request, configuration)
    report(_LOADED, "slicing")
    try:
        with tempfile.TemporaryDirectory(
            prefix=".farmhand-slicing-", dir=request.output_path.parent
        ) as folder:
            task = _task(request, configuration, mesh, Path(folder))
            stl.write(mesh.corners + np.array((*origin_mm, 0.0)), task.mesh_path)
            made = engine.slice(task, _within(report))
            report(_SLICED, "verifying")
            found = scan(task.output_path)
            check(found, bed_mm=printer.volume_mm, printer=printer.name, origin_mm=origin_mm)
            assert found.bounds_mm is not None
            _hand_over(task.output_path, request.output_path)
    except OSError as error:
        raise _unwritable(error, request.output_path) from error
    return SliceResult(
        output_path=str(request.output_path),
        name=request.name or request.model_path.stem,
        printer=printer.name,
        material=configuration.material.name,
        quality=configuration.quality.name,
        nozzle_mm=printer.nozzle.diameter_mm,
        bed_mm=printer.volume_mm,
        engine=engine.name,
        engine_version=made.version,
        time_s=made.time_s,
        filament_mm=made.filament_mm,
        filament_g=made.filament_g,
        cost=made.cost,
        layers=found.layers,
        z_max_mm=found.bounds_mm[1][2],
        bounds_mm=found.bounds_mm,
        lines=found.lines,
        size_bytes=found.size_bytes,
        sha256=found.sha256,
        settings=configuration.flat(),
        warnings=(*mesh.warnings, *made.warnings),
    )


def _within(report: Report) -> Report:
    """Return a report for the engine's share; engines report some stages out of order."""
    reached = 0.0

    def onward(ratio: float, stage: str) -> None:
        nonlocal reached
        reached = max(reached, ratio)
        report(_LOADED + (_SLICED - _LOADED) * reached, stage)

    return onward


def _placed(request: SliceRequest, configuration: Configuration) -> Mesh:
    """Return the mesh in the middle of the bed; raises ModelTooLarge where it does not fit."""
    mesh = load(request.model_path, name=request.name, limits=request.limits)
    printer, brim_mm = configuration.printer, configuration.quality.adhesion.brim_mm
    if not fits(mesh.size_mm, printer.volume_mm, margin_mm=brim_mm):
        raise too_large(mesh.size_mm, {printer.name: printer.volume_mm}, margin_mm=brim_mm)
    return set_on_bed(mesh, printer.volume_mm, margin_mm=brim_mm)


def _task(
    request: SliceRequest, configuration: Configuration, mesh: Mesh, folder: Path
) -> EngineTask:
    return EngineTask(
        mesh_path=folder / "model.stl",
        part_height_mm=mesh.size_mm[2],
        configuration=configuration,
        folder=folder,
        output_path=folder / "plate.gcode",
        limits=ProcessLimits(
            wall_s_max=request.limits.engine_s_max,
            memory_bytes_max=request.limits.memory_bytes_max,
            output_bytes_max=request.limits.output_bytes_max,
        ),
    )


def _hand_over(made: Path, wanted: Path) -> None:
    """Move a plate to its place in one step, its bytes on the disk before its name."""
    with made.open("rb") as file:
        os.fsync(file.fileno())
    made.replace(wanted)


def _unwritable(error: OSError, path: Path) -> OutputUnwritable:
    remedy = {
        errno.ENOSPC: "free disk space and slice again",
        errno.EFBIG: "reduce the model, or allow a larger file",
        errno.ENOENT: "create the folder first",
        errno.EACCES: "give this account the right to write there",
        errno.EROFS: "choose a folder on a disk that can be written",
    }.get(error.errno or 0, "check the folder")
    return OutputUnwritable(
        f"The plate can't be stored as {path} ({error.strerror}): {remedy}.", path=str(path)
    )
