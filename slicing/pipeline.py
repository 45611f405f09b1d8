"""From models to a plate: load, repair, orient, pack, slice, verify, picture, hand over.

All work happens in a folder beside the output; the plate is moved out of it as the last act, so
that nobody ever sees half of one.
"""

from dataclasses import replace
from pathlib import Path

from protocols.gcode.rules import RULES
from slicing import thumbnails
from slicing.catalogue import Catalogue
from slicing.engine import Engine, EngineResult, EngineTask, Report
from slicing.look_ahead import Estimate, estimate, machine_of
from slicing.parts import Laid, Part, laid, prepared, results, warnings, write
from slicing.process import ProcessLimits
from slicing.profiles import Configuration
from slicing.registry import open_engine
from slicing.request import SliceRequest
from slicing.results import Picture, SliceResult
from slicing.scan import Scan
from slicing.verify import NATIVE, check, sentence
from slicing.workspace import PLATE, hand_over, unwritable, workspace

# Shares of the whole, as far as they can be foretold: slicing takes most of it.
_LOADED = 0.1
_SLICED = 0.9
_DRAWN = 0.95


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
        from slicing.designer import designer_wishes

        wishes = designer_wishes(request.model_path, wishes)
    configuration = catalogue.configuration(
        request.printer, request.material, request.quality, wishes
    )
    printer = configuration.printer
    engine = open_engine(request.engine)
    parts = prepared(request, configuration, lambda stage: report(0.0, stage))
    on_plate = laid(parts, configuration, triangles_max=request.limits.triangles_max)
    report(_LOADED, "slicing")
    try:
        with workspace(request.output_path.parent) as folder:
            task = _task(request, configuration, engine, on_plate, folder)
            made = engine.slice(task, _within(report))
            report(_SLICED, "drawing")
            drawn = _drawn(request, configuration, parts, on_plate, folder)
            beside = {name: folder / name for name in (Path(one.path).name for one in drawn)}
            if not thumbnails.present(task.output_path):
                shown = [beside[Path(one.path).name] for one in drawn if one.shows == "model"]
                thumbnails.put(task.output_path, [path.read_bytes() for path in shown])
            report(_DRAWN, "verifying")
            found, time = estimate(task.output_path, machine_of(printer))
            doubts = check(found, printer, policy=NATIVE if configuration.native else RULES)
            hand_over(folder, request.output_path, beside)
    except OSError as error:
        raise unwritable(error, request.output_path) from error
    result = _result(request, configuration, engine, made, found, time, parts, on_plate, drawn)
    return replace(result, warnings=(*result.warnings, *map(sentence, doubts)))


def _within(report: Report) -> Report:
    """Return a report for the engine's share; engines report some stages out of order."""
    reached = 0.0

    def onward(ratio: float, stage: str) -> None:
        nonlocal reached
        reached = max(reached, ratio)
        report(_LOADED + (_SLICED - _LOADED) * reached, stage)

    return onward


def _task(
    request: SliceRequest,
    configuration: Configuration,
    engine: Engine,
    on_plate: Laid,
    folder: Path,
) -> EngineTask:
    first, *more = write(
        on_plate,
        folder,
        apart=engine.capabilities.takes_parts,
        origin_mm=configuration.printer.bed.origin_mm,
    )
    return EngineTask(
        mesh_path=first,
        more_paths=tuple(more),
        part_height_mm=on_plate.height_mm,
        configuration=configuration,
        folder=folder,
        output_path=folder / PLATE,
        limits=ProcessLimits(
            wall_s_max=request.limits.engine_s_max,
            memory_bytes_max=request.limits.memory_bytes_max,
            output_bytes_max=request.limits.output_bytes_max,
        ),
    )


def _drawn(
    request: SliceRequest,
    configuration: Configuration,
    parts: tuple[Part, ...],
    on_plate: Laid,
    folder: Path,
) -> tuple[Picture, ...]:
    """Draw the request's model and the whole plate into the folder, where that is asked for."""
    if not request.pictures:
        return ()
    from slicing.picture import SIZES_PX, Painted, pictures

    whole = all(request.repair and not part.changes.edges_open for part in parts)
    scenes = {
        "model": ([Painted(corners=parts[0].mesh.corners, closed=whole)], None),
        "plate": (
            [Painted(corners=mesh.corners, closed=whole) for _, mesh in on_plate.meshes],
            configuration.printer.volume_mm[:2],
        ),
    }
    found = []
    for shows, (things, bed_mm) in scenes.items():
        for size_px, png in zip(SIZES_PX, pictures(things, bed_mm=bed_mm), strict=True):
            path = request.output_path.with_suffix(f".{shows}-{size_px}.png")
            (folder / path.name).write_bytes(png)
            found.append(Picture(shows=shows, size_px=size_px, path=str(path)))
    return tuple(found)


def _result(
    request: SliceRequest,
    configuration: Configuration,
    engine: Engine,
    made: EngineResult,
    found: Scan,
    time: Estimate,
    parts: tuple[Part, ...],
    on_plate: Laid,
    drawn: tuple[Picture, ...],
) -> SliceResult:
    assert found.bounds_mm is not None, "the check refuses a plate that prints nothing"
    printer = configuration.printer
    return SliceResult(
        output_path=str(request.output_path),
        name=request.title,
        printer=printer.name,
        material=configuration.material.name,
        quality=configuration.quality.name,
        nozzle_mm=printer.nozzle.diameter_mm,
        bed_mm=printer.volume_mm,
        engine=engine.name,
        engine_version=made.version,
        time_s=time.time_s,
        time_source=time.source,
        planned_s=time.planned_s,
        layers_s=time.layers_s,
        filament_mm=made.filament_mm,
        filament_g=made.filament_g,
        cost=made.cost,
        layers=found.layer_count,
        z_max_mm=found.bounds_mm[1][2],
        bounds_mm=found.bounds_mm,
        lines=found.lines,
        size_bytes=found.size_bytes,
        sha256=found.sha256,
        settings=configuration.flat(),
        warnings=(*warnings(parts, on_plate), *made.warnings),
        copies_on_plate=on_plate.counts[0],
        copies_left=request.copies - on_plate.counts[0],
        plates_needed=on_plate.plates,
        parts=results(parts, on_plate),
        pictures=drawn,
    )
