"""What leaves the farm for good: `farmhand printer retire`, `agent retire`, and the way back."""

from typing import Annotated
from urllib.parse import quote

import typer

from coordinator.cli import completing
from coordinator.cli.called import CALLED
from coordinator.cli.options import Json, TokenFile, Url

Printer = Annotated[
    str,
    typer.Argument(metavar="PRINTER", help="The printer's id.", autocompletion=completing.printers),
]
Agent = Annotated[
    str,
    typer.Argument(metavar="AGENT", help="The agent's name.", autocompletion=completing.agents),
]


def retire_printer(
    printer: Printer, as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """Take a printer out of the farm for good, unless a run is there; its history stays."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    path = f"printers/{quote(printer, safe='')}/retire"
    gone = connect(url, token_file).ask("POST", path)
    if as_json:
        output.print_json(gone)
        return
    typer.echo(f"{printer} is retired; `{CALLED} printer restore {printer}` takes it back")
    if gone["words"]:
        typer.echo(gone["words"])


def restore_printer(
    printer: Printer, as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """Take a retired printer back; it is there once an agent speaks of it."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    path = f"printers/{quote(printer, safe='')}/restore"
    back = connect(url, token_file).ask("POST", path)
    if as_json:
        output.print_json(back)
        return
    typer.echo(f"{printer} is of the farm again" + (f"; {back['words']}" if back["words"] else ""))


def retire_agent(
    agent: Agent, as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """Take an agent out of the farm with all its printers: it is shut out, and not heard."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    gone = connect(url, token_file).ask("POST", f"agents/{quote(agent, safe='')}/retire")
    if as_json:
        output.print_json(gone)
        return
    typer.echo(f"{agent} is retired with its printers; stop it on its machine")


def restore_agent(
    agent: Agent, as_json: Json = False, url: Url = "", token_file: TokenFile = None
) -> None:
    """Hear a retired agent again; one that had enrolled comes back by `agent token --for`."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    back = connect(url, token_file).ask("POST", f"agents/{quote(agent, safe='')}/restore")
    if as_json:
        output.print_json(back)
        return
    typer.echo(f"{agent} is heard again; its printers come back by `{CALLED} printer restore`")


def list_retired(as_json: Json = False, url: Url = "", token_file: TokenFile = None) -> None:
    """List what was retired, and what is still spoken of by an agent."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    found = connect(url, token_file).ask("GET", "retired")
    if as_json:
        output.print_json(found)
        return
    rows = [
        ["printer", each["id"], each["agent_id"], each["retired_at"], each["words"]]
        for each in found["printers"]
    ]
    rows += [["agent", each["id"], "", each["retired_at"], ""] for each in found["agents"]]
    output.print_table(["", "ID", "AGENT", "SINCE", ""], rows, "nothing is retired")
