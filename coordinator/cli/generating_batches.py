"""`farmhand generate batch`: a model of each of many pictures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coordinator.cli import generating
from coordinator.cli.exits import JobFailed, UsageWrong
from coordinator.cli.generating import Class, Copies, Material, Options, Print, Quality, Watch
from coordinator.cli.options import Json, TokenFile, Url

if TYPE_CHECKING:
    from coordinator.cli.client import Document

# A person may ask for thirty things at once before they have to wait.
BATCH_MAX = 25


def batch(
    pictures: Annotated[list[Path], typer.Argument(help="JPEG, PNG or WebP; up to 25.")],
    provider: Annotated[str, typer.Option(help="Its name; see provider ls.")] = "",
    size: Annotated[str, typer.Option(help="How long the longest side: 60mm, 2.5cm, 3in.")] = "",
    name: Annotated[str, typer.Option(help="Of all, with a number; else the files' names.")] = "",
    project: Annotated[str, typer.Option(help="The project they go into.")] = "",
    option: Options = None,
    cost_max: Annotated[
        float | None, typer.Option(help="What each may cost, in the provider's unit.")
    ] = None,
    printed: Print = False,
    copies: Copies = 1,
    material: Material = "",
    quality: Quality = "",
    printer_class: Class = "",
    watch: Watch = True,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Ask for a model of each picture, and show them to their ends."""
    from coordinator.cli import output
    from coordinator.cli.client import connect
    from coordinator.cli.watching_generations import watch_generation

    if len(pictures) > BATCH_MAX:
        raise UsageWrong(f"{len(pictures)} pictures: at most {BATCH_MAX} at once")
    farm = connect(url, token_file)
    said: Document = {
        "provider": provider,
        "size_mm": generating.millimetres(size) if size else None,
        "project_id": project,
        "options": generating.pairs(option or []),
        "cost_max": cost_max,
        "print": generating.printing(
            printed, copies=copies, material=material, quality=quality, printer_class=printer_class
        ),
    }
    made = []
    for number, picture in enumerate(pictures, 1):
        its: Document = {
            "name": f"{name} {number}" if name else picture.stem,
            "pictures": [generating.brought(farm, picture)],
        }
        made.append(farm.ask("POST", "generations", generating.without_none({**said, **its})))
    if watch:
        made = [watch_generation(farm, each, silent=as_json) for each in made]
    output.print_json(made) if as_json else generating.print_generations(made)
    failed = [each["name"] for each in made if each["state"] in ("failed", "cancelled")]
    if failed:
        raise JobFailed(f"{len(failed)} of {len(made)} failed: {', '.join(failed)}")
