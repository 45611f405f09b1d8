"""Printers brought into the farm: `farmhand agent discover`, `farmhand printer add`, `import`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from coordinator.cli import completing
from coordinator.cli.exits import CommandFailed, Exit, UsageWrong
from coordinator.cli.options import Json, TokenFile, Url

if TYPE_CHECKING:
    from coordinator.cli.client import Document

# An agent asks each port at each rate, and the network for some seconds.
DISCOVERED_S = 75.0
# Many printers, each tried and shown by its agent.
IMPORTED_S = 600.0
_BY_URL = ("octoprint", "moonraker", "prusalink")

AgentName = Annotated[
    str,
    typer.Option("--agent", help="The agent beside it.", autocompletion=completing.agents),
]
PrinterName = Annotated[str, typer.Argument(metavar="PRINTER", help="The printer's id.")]


def discover(
    agent: Annotated[
        str,
        typer.Argument(metavar="AGENT", help="The agent.", autocompletion=completing.agents),
    ],
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Have an agent look for printers on its ports and its network; takes up to half a minute."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    path = f"agents/{quote(agent, safe='')}/discover"
    found = connect(url, token_file).ask("POST", path, answer_s=DISCOVERED_S)["items"]
    if as_json:
        output.print_json(found)
        return
    output.print_table(
        ["ADDRESS", "DRIVER", "FIRMWARE", "NAME", "PRINTER", ""],
        (
            [
                *(each[name] for name in ("address", "driver", "firmware", "machine")),
                each["printer_id"],
                each["trouble"] or each["hint"],
            ]
            for each in found
        ),
        "no serial port is there, and no host announces itself",
    )


def add(
    printer: PrinterName,
    agent: AgentName,
    driver: Annotated[str, typer.Option(help="marlin_serial, octoprint, moonraker, prusalink.")],
    address: Annotated[str, typer.Option(help="The port, or the host's URL, as discover shows.")],
    printer_class: Annotated[str, typer.Option("--class", help="Its profile.")],
    name: Annotated[str, typer.Option(help="What people call it.")] = "",
    material: Annotated[str, typer.Option(help="What it holds.")] = "",
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="A setting of its driver: NAME=VALUE.")
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option(help="A file with the key or password of its host.")
    ] = None,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Have an agent take a printer, which it keeps; prints that are on go on."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    said: dict[str, object] = {"url" if driver in _BY_URL else "port": address}
    for each in settings or ():
        key, equals, value = each.partition("=")
        if not equals:
            raise UsageWrong(f"{each!r} is not like NAME=VALUE")
        said[key] = int(value) if value.isdigit() else value
    if key_file is not None:
        said["api_key"] = _text(key_file).strip()
    body = {
        "id": printer,
        "name": name,
        "driver": driver,
        "printer_class": printer_class,
        "material": material,
        "settings": said,
    }
    path = f"agents/{quote(agent, safe='')}/printers"
    taken = connect(url, token_file).ask("POST", path, body, answer_s=DISCOVERED_S)
    if as_json:
        output.print_json(taken)
    else:
        typer.echo(f"{taken['id']} is in the farm, at {taken['agent_id']}")


def remove(
    printer: PrinterName, agent: AgentName, url: Url = "", token_file: TokenFile = None
) -> None:
    """Have an agent let a printer go that was added this way; its history stays."""
    from coordinator.cli.client import connect

    path = f"agents/{quote(agent, safe='')}/printers/{quote(printer, safe='')}"
    connect(url, token_file).ask("DELETE", path)
    typer.echo(f"{agent} has no printer {printer} any more")


def import_printers(
    table: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV: name,agent,driver,address,class ...")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what is wrong with it.")
    ] = False,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Add the printers of a table, each to its agent; all of it is checked before.

    Columns: name, agent, driver, address, class; perhaps id, material, location, tags (with ;
    between them). All others are settings of the driver: api_key, baud_rate.
    """
    from coordinator.cli import output
    from coordinator.cli.client import connect

    farm, text = connect(url, token_file), _text(table)
    done = farm.ask("POST", "printers/import", {"csv": text, "dry_run": True})
    if done["ok"] and not dry_run:
        said: Document = {"csv": text, "dry_run": False}
        done = farm.ask("POST", "printers/import", said, answer_s=IMPORTED_S)
    if as_json:
        output.print_json(done)
    else:
        for each in done["items"]:
            if not each["ok"]:
                typer.echo(f"line {each['line']}: {each['words']}")
        right = sum(each["ok"] for each in done["items"])
        typer.echo(f"{right} of {len(done['items'])} are right; {done['added']} were added")
    if not done["ok"]:
        raise typer.Exit(Exit.FAILED)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(f"{path} can't be read: {error}") from error
