"""`farmhand job estimate`: what an order would take, before it is one."""

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coordinator.cli import completing
from coordinator.cli.exits import UsageWrong
from coordinator.cli.jobs import model_of, settings_of
from coordinator.cli.options import Json, TokenFile, Url

if TYPE_CHECKING:
    from coordinator.cli.client import Document


def estimate(
    file: Annotated[Path | None, typer.Argument(help="STL, 3MF, OBJ, PLY, GLB, or G-code.")] = None,
    model: Annotated[
        str, typer.Option(metavar="MODEL[/VERSION]", help="A model of the farm, not a file.")
    ] = "",
    copies: Annotated[int, typer.Option(min=1, help="How many.")] = 1,
    material: Annotated[str, typer.Option(help="PLA, PETG ...; any if not given.")] = "",
    quality: Annotated[str, typer.Option(help="draft, standard ...")] = "",
    printer_class: Annotated[
        str, typer.Option("--class", help="Only printers of this class.")
    ] = "",
    printer: Annotated[
        str, typer.Option(help="Only this printer.", autocompletion=completing.printers)
    ] = "",
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A slicer setting.")
    ] = None,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Tell what an order would take, and which printers it suits; nothing is ordered."""
    if (file is None) == (not model):
        raise UsageWrong("give a FILE, or name a model with --model")
    fields = {
        "copies": str(copies),
        "material": material,
        "quality": quality,
        "printer_class": printer_class,
        "printer_id": printer,
        "settings": json.dumps(settings_of(settings or [])),
        **model_of(model),
    }

    from coordinator.cli import output
    from coordinator.cli.client import connect

    told = connect(url, token_file).send("estimates", file, fields)
    if as_json:
        output.print_json(told)
    else:
        _say(told)


def _say(told: "Document") -> None:
    from coordinator.cli import output

    plate = told["plate"]
    why_none = told["reason"] if plate is None else plate["reason"]
    if why_none:
        typer.echo(f"{told['name']}: {why_none}")
    else:
        which = plate["printer_class"] or "any printer"
        material = f" in {plate['material']}" if plate["material"] else ""
        typer.echo(f"{told['name']}: {output.demand(told) or 'nobody knows'} ({which}{material})")
    for words in (*told["warnings"], *(plate["remarks"] if plate is not None else ())):
        typer.echo(f"  {words}")
    fit = [each for each in told["printers"] if each["fits"]]
    free = sum(each["free"] for each in fit)
    typer.echo(f"fits on {len(fit)} of {len(told['printers'])} printers; {free} of them are free")
    against = Counter(words for each in told["printers"] for words in each["why_not"])
    for words, number in against.most_common():
        typer.echo(f"  {number}: {words}")
