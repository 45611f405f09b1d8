"""`farmhand printer`: look, and say that a bed is clear."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from coordinator.cli.options import Json, TokenFile, Url
from coordinator.cli.place import locate

if TYPE_CHECKING:
    from coordinator.cli.client import Document

app = typer.Typer(no_args_is_help=True, help="Printers.", rich_markup_mode=None)

PrinterId = Annotated[str, typer.Argument(metavar="PRINTER", help="The printer's id.")]


@app.command("ls")
def list_printers(
    status: Annotated[list[str] | None, typer.Option(help="Only printers of this status.")] = None,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """List printers."""
    from coordinator.cli import output
    from coordinator.cli.client import FarmClient

    async def ask() -> "list[Document]":
        async with FarmClient(locate(url, token_file)) as farm:
            return await farm.printers()

    printers = [
        printer for printer in asyncio.run(ask()) if not status or printer["status"] in status
    ]
    if as_json:
        output.print_json(printers)
        return
    output.print_table(
        ["ID", "STATUS", "BED", "MATERIAL", "TEMPERATURES", "JOB", "LAYER", "DONE", "LEFT"],
        (
            [
                printer["id"],
                output.state_text(printer["status"]),
                printer["bed"]["state"],
                printer["material"],
                output.temperatures(printer["live"]),
                printer["job"]["name"] if printer["job"] else "",
                output.layers(printer),
                output.percent(printer),
                output.remaining(printer),
            ]
            for printer in printers
        ),
        "no printers; an agent brings its own when it connects",
    )


@app.command()
def show(
    printer_id: PrinterId, as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """Show one printer."""
    from coordinator.cli.client import FarmClient

    async def ask() -> "Document":
        async with FarmClient(locate(url, token_file)) as farm:
            return await farm.printer(printer_id)

    _say(asyncio.run(ask()), as_json=as_json)


@app.command()
def watch(as_json: Json = False, url: Url = "", token_file: TokenFile = None) -> None:
    """Show what the printers do until Ctrl-C."""
    from coordinator.cli.client import FarmClient
    from coordinator.cli.watching import stream_printers, watch_printers

    async def follow() -> None:
        async with FarmClient(locate(url, token_file)) as farm:
            await (stream_printers if as_json else watch_printers)(farm)

    asyncio.run(follow())


@app.command()
def clear(
    printer_id: PrinterId, as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """Say that nothing lies on a printer's bed: the next print may start there."""
    from coordinator.cli.client import FarmClient

    async def ask() -> "Document":
        async with FarmClient(locate(url, token_file)) as farm:
            return await farm.clear(printer_id)

    _say(asyncio.run(ask()), as_json=as_json)


def _say(printer: "Document", *, as_json: bool) -> None:
    from coordinator.cli import output

    if as_json:
        output.print_json(printer)
        return
    facts = {
        "status": output.state_text(printer["status"]).plain,
        "bed": printer["bed"]["state"],
        "class": printer["printer_class"],
        "material": printer["material"],
        "driver": printer["driver"],
        "agent": printer["agent_id"],
        "temperatures": output.temperatures(printer["live"]),
        "job": printer["job"]["name"] if printer["job"] else "",
        "done": output.percent(printer),
        "message": printer["message"] or printer["quarantine"],
    }
    typer.echo(f"{printer['id']}  {printer['name']}")
    for name, value in facts.items():
        if value:
            typer.echo(f"  {name}: {value}")
