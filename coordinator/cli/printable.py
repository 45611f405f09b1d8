"""`farmhand printable`, without a coordinator: geometry in, and out what can be printed."""

from pathlib import Path
from typing import Annotated, Any

import typer

from coordinator.cli.exits import CommandFailed, Exit, UsageWrong
from coordinator.cli.options import Json

_FORMATS = (".3mf", ".stl")


def make_printable(
    model: Annotated[Path, typer.Argument(help="GLB, STL, 3MF, OBJ, PLY, STEP ...")],
    size: Annotated[
        float | None, typer.Option("--size", help="How long its longest side shall be, in mm.")
    ] = None,
    unit: Annotated[
        str, typer.Option("--unit", help="Of its numbers: mm, cm, m, inch; else by its format.")
    ] = "",
    up: Annotated[str, typer.Option("--up", help="Which axis points up in it: y or z.")] = "",
    as_it_lies: Annotated[
        bool, typer.Option("--as-it-lies", help="Do not turn it to lie well.")
    ] = False,
    printers: Annotated[
        list[str] | None, typer.Option("--printer", help="Classes that may print it; else all.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help=".3mf or .stl; default: MODEL-printable.3mf."),
    ] = None,
    configs: Annotated[
        Path | None, typer.Option("--configs", help="Another folder of profiles.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the output.")] = False,
    as_json: Json = False,
) -> None:
    """Mend, scale and turn a model, and tell what speaks against it; exit status 1: something."""
    # Late, as all that takes time: help comes without it.
    import shutil
    from tempfile import TemporaryDirectory

    from coordinator.cli.output import print_json
    from coordinator.cli.slicing_child import ask
    from coordinator.cli.slicing_verbs import progress_bar

    wanted = _checked(model, output or Path(f"{model.stem}-printable{_FORMATS[0]}"), force=force)
    request: dict[str, Any] = {
        "kind": "make",
        "model_path": str(model.absolute()),
        "name": model.stem,
        "format": wanted.suffix.lower().removeprefix("."),
        "printers": printers or [],
        "orient": not as_it_lies,
        "pictures": False,
        "fit_mm": size,
        "unit": unit or None,
        "up": up or None,
        "configs": str(configs.absolute()) if configs else None,
    }
    with TemporaryDirectory(prefix=".farmhand-printable-", dir=wanted.parent) as folder:
        with progress_bar(shown=not as_json) as on_progress:
            result = ask({**request, "output_folder": folder}, on_progress)
        shutil.move(result["output_path"], wanted)
    result["output_path"] = str(wanted)
    if as_json:
        print_json(result)
    else:
        _show(result)
    raise typer.Exit(Exit.FAILED if result["faults"] else Exit.OK)


def _checked(model: Path, output: Path, *, force: bool) -> Path:
    """Return where the mesh goes, once both ends are known to be right."""
    wanted = output.absolute()
    if not model.is_file():
        raise UsageWrong(f"there is no file {model}", code="model_missing")
    if wanted.suffix.lower() not in _FORMATS:
        raise UsageWrong(f"{wanted.name}: what is written ends in .3mf or .stl")
    if not wanted.parent.is_dir():
        raise UsageWrong(f"there is no folder {wanted.parent}")
    if wanted.exists() and not force:
        raise CommandFailed(f"{wanted} is there already: --force replaces it", code="exists")
    return wanted


def _show(result: dict[str, Any]) -> None:
    from coordinator.cli.output import print_facts

    volume, wall = result["volume_mm3"], result["wall_min_mm"]
    print_facts(
        f"{result['output_path']} {'can not be printed' if result['faults'] else 'can be printed'}",
        {
            "size": " x ".join(f"{length:.1f}" for length in result["size_mm"]) + " mm",
            "triangles": f"{result['triangles']:,}",
            "volume": None if volume is None else f"{volume / 1000:.2f} cm³",
            "bodies": str(result["bodies"]),
            "walls from": None if wall is None else f"{wall:.2g} mm",
            "overhangs": f"{result['overhang_ratio']:.0%} of the surface",
            "fits": ", ".join(result["fits"]) or "no printer",
        },
    )
    for words in result["faults"]:
        typer.secho(f"  fault: {words}", fg="red")
    for words in result["remarks"]:
        typer.echo(f"  remark: {words}")
