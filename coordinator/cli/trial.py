"""`farmhand simulated ...`: printers that a coordinator simulates, to try the farm without any."""

from typing import TYPE_CHECKING, Annotated

import typer

from coordinator.cli.called import CALLED
from coordinator.cli.options import Json, TokenFile, Url

if TYPE_CHECKING:
    from coordinator.cli.client import Document

app = typer.Typer(
    no_args_is_help=True, help="Simulated printers, to try a farm.", rich_markup_mode=None
)


@app.command()
def start(
    printers: Annotated[int, typer.Option(help="How many, 1 to 6.")] = 3,
    speed: Annotated[float, typer.Option(help="How many times as fast as real ones.")] = 30.0,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Have the coordinator start simulated printers; they are in the farm some seconds later."""
    from coordinator.cli.client import connect

    said: Document = {"printers": printers, "speed": speed}
    _show(connect(url, token_file).ask("POST", "demo", said), as_json=as_json)


@app.command()
def stop(as_json: Json = False, url: Url = "", token_file: TokenFile = None) -> None:
    """Stop them and take them out of the farm; what they print waits for other printers."""
    from coordinator.cli.client import connect

    _show(connect(url, token_file).ask("DELETE", "demo"), as_json=as_json)


@app.command()
def show(as_json: Json = False, url: Url = "", token_file: TokenFile = None) -> None:
    """Show whether there are any, and whether they may be started."""
    from coordinator.cli.client import connect

    _show(connect(url, token_file).ask("GET", "demo"), as_json=as_json)


def _show(found: "Document", *, as_json: bool) -> None:
    from coordinator.cli import output

    if as_json:
        output.print_json(found)
    elif found["trouble"]:
        typer.echo(f"their process ended: {found['trouble']}")
    elif found["running"]:
        named = ", ".join(found["printers"]) or "they come in some seconds"
        typer.echo(f"simulated printers run: {named}; `{CALLED} simulated stop` removes them")
    else:
        allowed = "" if found["allowed"] else "; the setting demo_farm forbids them"
        typer.echo(f"no simulated printers{allowed}")
