"""A generation as it goes on: a bar on a terminal, a line for each step elsewhere."""

import time
from urllib.parse import quote

import typer
from rich.console import RenderableType
from rich.live import Live
from rich.table import Table

from coordinator.cli import output
from coordinator.cli.client import Document, FarmClient
from coordinator.cli.watching import PERIOD_S, bar, tens

# Nothing more comes of these by itself; an unsure one and one to be approved wait for a person.
ENDS = frozenset({"done", "failed", "cancelled", "awaiting_approval"})


def watch_generation(farm: FarmClient, made: Document, *, silent: bool = False) -> Document:
    """Show a generation until nothing more comes of it by itself; return it.

    Args:
        silent: nothing is shown.
    """
    out = output.console()
    said = ""
    with Live(console=out, auto_refresh=False, transient=True) as live:
        while True:
            words = _line(made)
            if not silent and out.is_terminal:
                live.update(_drawn(made), refresh=True)
            elif not silent and words != said:
                typer.echo(words)
                said = words
            if made["state"] in ENDS or made["next_at"] is None:
                return made
            time.sleep(PERIOD_S)
            made = farm.ask("GET", f"generations/{quote(made['id'], safe='')}")


def _drawn(made: Document) -> Table:
    table = Table.grid(padding=(0, 2), expand=made["progress"] is not None)
    cells: list[RenderableType] = [made["name"], output.state_text(made["state"])]
    if made["progress"] is not None:
        cells += [bar(made["progress"]), f"{made['progress']:.0%}"]
    table.add_row(*cells, _words(made))
    return table


def _line(made: Document) -> str:
    done = f", {tens(made['progress'])}" if made["progress"] is not None else ""
    words = _words(made)
    return f"{made['state'].replace('_', ' ')}{done}{': ' if words else ''}{words}"


def _words(made: Document) -> str:
    place = made["queue_position"]
    queue = f", {place} before it" if place else ""
    return str(made["waits"] or f"{made['stage']}{queue}")
