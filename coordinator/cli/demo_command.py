"""`farmhand demo`: what may be said to it."""

from pathlib import Path
from typing import Annotated

import typer

# What a machine of two cores streams to at once in a demo that is still worth watching.
PRINTERS_MAX = 64


def demo(
    printers: Annotated[int, typer.Option(min=1, max=PRINTERS_MAX, help="How many.")] = 3,
    speed: Annotated[float, typer.Option(min=1, help="Seconds of printing in one of yours.")] = 60,
    model: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="What to print; a small barn if not given."),
    ] = None,
    copies: Annotated[int, typer.Option(min=0, help="One for each printer if not given.")] = 0,
    once: Annotated[bool, typer.Option("--once", help="Exit after the summary.")] = False,
    state_dir: Annotated[
        Path | None, typer.Option(help="Where to keep its files; a temporary folder if not given.")
    ] = None,
) -> None:
    """Watch a small farm print: everything is real but the printers' metal."""
    import asyncio
    import sys

    from coordinator.cli.demo import Wishes, run_demo

    wishes = Wishes(
        printers=printers,
        speed=speed,
        model=model,
        copies=copies or printers,
        once=once,
        state_dir=state_dir,
    )
    sys.exit(asyncio.run(run_demo(wishes)))
