"""`farmhand printer`: look, say that a bed is clear, take out for service."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote, urlencode

import typer

from coordinator.cli import completing
from coordinator.cli.options import Json, TokenFile, Url

if TYPE_CHECKING:
    from coordinator.cli.client import Document

app = typer.Typer(no_args_is_help=True, help="Printers.", rich_markup_mode=None)

PrinterId = Annotated[
    str,
    typer.Argument(metavar="PRINTER", help="The printer's id.", autocompletion=completing.printers),
]


@app.command("ls")
def list_printers(
    status: Annotated[list[str] | None, typer.Option(help="Only printers of this status.")] = None,
    group: Annotated[str, typer.Option(help="Only printers of this group.")] = "",
    tag: Annotated[list[str] | None, typer.Option(help="Only printers with this tag.")] = None,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """List printers."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    farm = connect(url, token_file)
    wanted = [("printer_group", group), *(("tag", each) for each in tag or ())]
    query = urlencode([(name, value) for name, value in wanted if value])
    printers = [
        printer
        for printer in farm.ask("GET", f"printers?{query}")["items"]
        if not status or printer["status"] in status
    ]
    for trouble in farm.health()["troubles"] or ():  # null for who may not read words
        typer.echo(f"farmhand: {trouble['words']}", err=True)
    for words in output.alarms(printers):
        typer.echo(f"farmhand: {words}", err=True)
    if as_json:
        output.print_json(printers)
        return
    output.print_table(
        ["ID", "STATUS", "BED", "MATERIAL", "TEMPERATURES", "JOB", "LAYER", "DONE", "LEFT", "NEXT"],
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
                output.staged(printer),
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
    from coordinator.cli.client import connect

    _say(connect(url, token_file).printer(printer_id), as_json=as_json)


@app.command()
def watch(as_json: Json = False, url: Url = "", token_file: TokenFile = None) -> None:
    """Show what the printers do until Ctrl-C."""
    from coordinator.cli.client import connect
    from coordinator.cli.watching import stream_printers, watch_printers

    (stream_printers if as_json else watch_printers)(connect(url, token_file))


@app.command()
def clear(
    printer_id: PrinterId, as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """Say that nothing lies on a printer's bed: the next print may start there."""
    from coordinator.cli.client import connect

    _say(connect(url, token_file).clear(printer_id), as_json=as_json)


@app.command()
def clearing(
    printer_id: PrinterId,
    undo: Annotated[bool, typer.Option("--undo", help="It was not cleared after all.")] = False,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Say that somebody is at a bed: nothing starts there until it is said to be clear."""
    from coordinator.cli.client import connect

    farm = connect(url, token_file)
    _say(farm.abandon_bed(printer_id) if undo else farm.claim_bed(printer_id), as_json=as_json)


class Switch(StrEnum):
    """Whether a printer is being serviced."""

    ON = "on"
    OFF = "off"


@app.command()
def service(
    printer_id: PrinterId,
    switch: Annotated[Switch, typer.Argument(help="on: out of the farm's hands; off: back.")],
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Take a printer out for service, or give it back; that ends its quarantine too."""
    from coordinator.cli.client import connect

    farm = connect(url, token_file)
    _say(farm.set_service(printer_id, in_service=switch is Switch.ON), as_json=as_json)


@app.command("set")
def describe(
    printer_id: PrinterId,
    group: Annotated[str | None, typer.Option(help="What it belongs to; '' for none.")] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="What jobs may ask for; replaces all tags. '': none.")
    ] = None,
    location: Annotated[str | None, typer.Option(help="Where it stands.")] = None,
    notes: Annotated[str | None, typer.Option(help="For people.")] = None,
    material: Annotated[str | None, typer.Option(help="What it holds.")] = None,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Say what a printer is to people: group, tags, place, notes, material."""
    from coordinator.cli.client import connect

    fields = {
        "printer_group": group,
        "tags": tag,
        "location": location,
        "notes": notes,
        "material": material,
    }
    said = {name: value for name, value in fields.items() if value is not None}
    path = f"printers/{quote(printer_id, safe='')}"
    _say(connect(url, token_file).ask("PATCH", path, said), as_json=as_json)


@app.command()
def send(
    printer_id: PrinterId,
    line: Annotated[list[str], typer.Argument(metavar="LINE", help="A line of G-code.")],
    force: Annotated[
        bool, typer.Option("--force", help="Also what a paused print would else not bear.")
    ] = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Say one line of G-code to a printer, also in the middle of a print; prints its answer."""
    from coordinator.cli.client import connect

    arguments = {"line": " ".join(line), **({"force": True} if force else {})}
    if words := connect(url, token_file).command(printer_id, "send", arguments):
        typer.echo(words)


@app.command()
def dialogue(
    printer_id: PrinterId,
    everything: Annotated[
        bool, typer.Option("--all", help="Also lines of the print, oks and temperatures.")
    ] = False,
    lines: Annotated[int, typer.Option(help="At most so many.")] = 60,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Show what printer and agent said to each other last: seconds before now, way, words."""
    from coordinator.cli.client import connect

    show = "all" if everything else "talk"
    arguments = {"show": show, "lines": lines}
    typer.echo(connect(url, token_file).command(printer_id, "dialogue", arguments))


@app.command("emergency-stop")
def emergency_stop(printer_id: PrinterId, url: Url = "", token_file: TokenFile = None) -> None:
    """Stop the machine at once (M112): its print has failed, and it needs a reset."""
    from coordinator.cli.client import connect

    typer.echo(connect(url, token_file).command(printer_id, "emergency_stop", {}))


def _say(printer: "Document", *, as_json: bool) -> None:
    from coordinator.cli import output

    if as_json:
        output.print_json(printer)
        return
    facts = {
        "status": output.state_text(printer["status"]).plain,
        "bed": output.bed_text(printer["bed"]),
        "class": printer["printer_class"],
        "group": printer["printer_group"],
        "tags": ", ".join(printer["tags"]),
        "location": printer["location"],
        "notes": printer["notes"],
        "material": printer["material"],
        "spool": printer["spool_id"],
        "driver": printer["driver"],
        "agent": printer["agent_id"],
        "temperatures": output.temperatures(printer["live"]),
        "tuning": output.tuning(printer["live"]),
        "job": printer["job"]["name"] if printer["job"] else "",
        "done": output.percent(printer),
        "staged": output.staged(printer),
        "message": printer["message"],
        "quarantine": printer["quarantine"],
        "host": output.host(printer["host"]),
        "alarm": output.findings(printer, "alarm"),
        "warning": output.findings(printer, "warning"),
    }
    output.print_facts(f"{printer['id']}  {printer['name']}", facts)
