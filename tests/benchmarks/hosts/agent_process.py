"""The agent as it is, or with its serial lines on its own loop: `thread|loop CONFIG`."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any

import agent.__main__
from agent import app
from agent.printers.driver import Driver
from agent.printers.line_loop import LineLoop


def on_the_same_loop(driver: Driver, thread: object) -> Driver:
    """Leave a driver where it is."""
    return driver


def run_on_lines(work: Coroutine[Any, Any, None]) -> None:
    """Run the whole agent on a loop for lines."""
    with asyncio.Runner(loop_factory=LineLoop) as runner:
        runner.run(work)


if __name__ == "__main__":
    where, config = sys.argv[1:]
    if where == "loop":
        vars(app)["OnLineThread"] = on_the_same_loop
        vars(asyncio)["run"] = run_on_lines
    sys.exit(agent.__main__.main(["--config", config]))
