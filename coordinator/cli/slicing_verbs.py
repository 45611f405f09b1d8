"""`farmhand slice`, without a coordinator: a model in, a plate out."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from coordinator.cli.exits import CommandFailed, UsageWrong
from coordinator.cli.options import Json

_SUFFIX = ".gcode"


def slice_model(
    model: Annotated[Path, typer.Argument(help="STL, 3MF, OBJ, PLY, GLB ...")],
    printer: Annotated[str, typer.Option("--printer", help="Class; see farmhand profiles ls.")],
    material: Annotated[str, typer.Option("--material", help="Such as PETG.")] = "PLA",
    quality: Annotated[str, typer.Option("--quality", help="draft, standard, fine.")] = "standard",
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Such as infill=30%; may be repeated.")
    ] = None,
    engine: Annotated[str, typer.Option("--engine", help="The slicer.")] = "prusaslicer",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Default: MODEL.gcode, here.")
    ] = None,
    configs: Annotated[
        Path | None, typer.Option("--configs", help="Another folder of profiles.")
    ] = None,
    designer_settings: Annotated[
        bool, typer.Option("--designer-settings", help="Take a few settings that a 3MF brings.")
    ] = False,
    orient: Annotated[
        bool, typer.Option("--orient", help="Turn it the way that prints best, and that fits.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the output.")] = False,
    as_json: Json = False,
) -> None:
    """Slice a model for one class of printer, and verify the plate; needs no coordinator."""
    from coordinator.cli.output import print_json
    from coordinator.cli.slicing_child import ask

    if not model.is_file():
        raise UsageWrong(f"there is no file {model}", code="model_missing")
    wanted = (output or Path(model.with_suffix(_SUFFIX).name)).absolute()
    if wanted.exists() and not force:
        raise CommandFailed(f"{wanted} is there already: --force replaces it", code="exists")
    request = {
        "kind": "slice",
        "model_path": str(model.absolute()),
        "name": model.stem if model.suffix else model.name,
        "printer": printer,
        "material": material,
        "quality": quality,
        "settings": dict(_pair(each) for each in settings or ()),
        "engine": engine,
        "output_path": str(wanted),
        "designer_settings": designer_settings,
        "orient": orient,
        **({"configs": str(configs.absolute())} if configs else {}),
    }
    with progress_bar(shown=not as_json) as on_progress:
        result = ask(request, on_progress)
    if as_json:
        print_json(result)
    else:
        _show(result)


def _pair(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign or not key.strip():
        raise UsageWrong(f'--set takes name=value, and "{text}" is neither', code="setting_invalid")
    return key.strip(), value.strip()


@contextmanager
def progress_bar(*, shown: bool) -> Iterator[Callable[[float, str], None]]:
    """Yield what takes progress: a bar where a person looks, nothing in a pipe."""
    if not shown or not sys.stderr.isatty():
        yield lambda _ratio, _stage: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description:24}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
    )
    with Progress(
        *columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True
    ) as bar:
        task = bar.add_task("starting", total=1.0)
        yield lambda ratio, stage: bar.update(task, completed=ratio, description=stage[:24])


def _show(result: dict[str, Any]) -> None:
    from coordinator.cli.output import duration, print_facts

    low, high = result["bounds_mm"]
    size = " x ".join(f"{most - least:.1f}" for least, most in zip(low, high, strict=True))
    print_facts(
        result["output_path"],
        {
            "printer": f"{result['printer']}, nozzle {result['nozzle_mm']:g} mm",
            "material": result["material"],
            "quality": f"{result['quality']}, {result['layers']} layers",
            "time": duration(result["time_s"]),
            "filament": f"{result['filament_g']:.1f} g, {result['filament_mm'] / 1000:.2f} m",
            "cost": f"{result['cost']:.2f}" if result["cost"] else None,
            "part": f"{size} mm",
            "engine": f"{result['engine']} {result['engine_version']}",
            "file": f"{result['size_bytes'] / 1e6:.1f} MB, {result['lines']} lines",
        },
    )
    for words in result["warnings"]:
        typer.echo(f"  warning: {words}")
