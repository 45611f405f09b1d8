"""`farmhand spool` and `farmhand material`: what there is to print with."""

from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from coordinator.cli.options import Json, TokenFile, Url

if TYPE_CHECKING:
    from coordinator.cli.client import Document

app = typer.Typer(no_args_is_help=True, help="Spools.", rich_markup_mode=None)
material_app = typer.Typer(no_args_is_help=True, help="Materials.", rich_markup_mode=None)

SpoolId = Annotated[str, typer.Argument(metavar="SPOOL", help="The spool's id.")]
Colour = Annotated[str | None, typer.Option(help="In words, or as #rrggbb.")]
Vendor = Annotated[str | None, typer.Option(help="Who made it.")]
Lot = Annotated[str | None, typer.Option(help="What its maker wrote on it.")]
Location = Annotated[str | None, typer.Option(help="Where it lies.")]
Cost = Annotated[float | None, typer.Option(help="Of all of it, in the farm's money.")]
Notes = Annotated[str | None, typer.Option(help="For people.")]
Left = Annotated[float | None, typer.Option("--left", metavar="GRAMS", help="What remains.")]


@app.command("ls")
def list_spools(
    material: Annotated[str, typer.Option(help="Only of this material.")] = "",
    printer: Annotated[str, typer.Option(help="Only what this printer holds.")] = "",
    archived: Annotated[bool, typer.Option("--archived", help="Those put away, too.")] = False,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """List spools in order of arrival."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    narrowed = {"material": material, "printer_id": printer, "archived": str(archived).lower()}
    wanted = [(name, value) for name, value in narrowed.items() if value]
    spools = connect(url, token_file).all_of("spools", wanted)
    if as_json:
        output.print_json(spools)
        return
    output.print_table(
        ["ID", "MATERIAL", "COLOUR", "VENDOR", "LEFT", "IN", "LOCATION"],
        (
            [
                spool["id"],
                spool["material"],
                spool["colour"],
                spool["vendor"],
                _left(spool),
                _where(spool),
                spool["location"],
            ]
            for spool in spools
        ),
        "no spools; farmhand spool add MATERIAL GRAMS brings one",
    )


@app.command()
def show(
    spool_id: SpoolId, as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """Show one spool."""
    from coordinator.cli.client import connect

    _say(connect(url, token_file).ask("GET", _path(spool_id)), as_json=as_json)


@app.command()
def add(
    material: Annotated[str, typer.Argument(help="PLA, PETG ...")],
    weight_g: Annotated[float, typer.Argument(metavar="GRAMS", help="What a new one holds.")],
    left: Left = None,
    colour: Colour = None,
    vendor: Vendor = None,
    cost: Cost = None,
    lot: Lot = None,
    location: Location = None,
    notes: Notes = None,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Take a spool into the stock."""
    from coordinator.cli.client import connect

    said = _said(left, colour, vendor, cost, lot, location, notes)
    wanted = {"material": material, "weight_g": weight_g, **said}
    _say(connect(url, token_file).ask("POST", "spools", wanted), as_json=as_json)


@app.command()
def change(
    spool_id: SpoolId,
    left: Left = None,
    colour: Colour = None,
    vendor: Vendor = None,
    cost: Cost = None,
    lot: Lot = None,
    location: Location = None,
    notes: Notes = None,
    archived: Annotated[
        bool | None, typer.Option("--archive/--restore", help="Put it away, or bring it back.")
    ] = None,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Change what is said of a spool; who weighed it says what is left."""
    from coordinator.cli.client import connect

    said = _said(left, colour, vendor, cost, lot, location, notes)
    if archived is not None:
        said["archived"] = archived
    _say(connect(url, token_file).ask("PATCH", _path(spool_id), said), as_json=as_json)


@app.command()
def load(
    spool_id: SpoolId,
    printer: Annotated[str, typer.Argument(metavar="PRINTER", help="The printer's id.")],
    tool: Annotated[int, typer.Option(min=0, help="Which of its tools.")] = 0,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Say that a spool was put into a printer: it holds that material from now on."""
    from coordinator.cli.client import connect

    said = {"printer_id": printer, "tool": tool}
    path = f"{_path(spool_id)}/load"
    _say(connect(url, token_file).ask("POST", path, said), as_json=as_json)


@app.command()
def unload(
    spool_id: SpoolId, as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """Say that a spool was taken out of its printer."""
    from coordinator.cli.client import connect

    path = f"{_path(spool_id)}/unload"
    _say(connect(url, token_file).ask("POST", path), as_json=as_json)


@material_app.command("ls")
def list_materials(as_json: Json = False, url: Url = "", token_file: TokenFile = None) -> None:
    """List materials: what is known of them, who holds them, what is left."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    found = connect(url, token_file).ask("GET", "materials")["items"]
    if as_json:
        output.print_json(found)
        return
    output.print_table(
        ["MATERIAL", "NOZZLE", "BED", "PRINTERS", "SPOOLS", "LEFT"],
        (
            [
                each["name"],
                f"{each['profile']['nozzle_celsius']:.0f} °C" if each["profile"] else "",
                f"{each['profile']['bed_celsius']:.0f} °C" if each["profile"] else "",
                str(len(each["printers"])),
                str(each["spools"]),
                f"{each['remaining_g']:.0f} g" if each["spools"] else "",
            ]
            for each in found
        ),
        "no materials",
    )


def _said(
    left: float | None,
    colour: str | None,
    vendor: str | None,
    cost: float | None,
    lot: str | None,
    location: str | None,
    notes: str | None,
) -> "Document":
    fields = {
        "remaining_g": left,
        "colour": colour,
        "vendor": vendor,
        "cost": cost,
        "lot": lot,
        "location": location,
        "notes": notes,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _say(spool: "Document", *, as_json: bool) -> None:
    from coordinator.cli import output

    if as_json:
        output.print_json(spool)
        return
    facts = {
        "left": _left(spool),
        "in": _where(spool),
        "colour": spool["colour"],
        "vendor": spool["vendor"],
        "lot": spool["lot"],
        "location": spool["location"],
        "notes": spool["notes"],
        "archived": "yes" if spool["archived"] else None,
    }
    output.print_facts(f"{spool['id']}  {spool['material']}", facts)


def _left(spool: "Document") -> str:
    return f"{spool['remaining_g']:.0f} of {spool['weight_g']:.0f} g"


def _where(spool: "Document") -> str:
    if spool["printer_id"] is None:
        return ""
    return f"{spool['printer_id']}" + (f", tool {spool['tool']}" if spool["tool"] else "")


def _path(spool_id: str) -> str:
    return f"spools/{quote(spool_id, safe='')}"
