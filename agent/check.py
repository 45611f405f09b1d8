"""The command `farmhand-agent check`: try each printer of the configuration, say what is wrong.

And what a person can do about it, where that is known (advice.py).

Each driver connects as it would under the agent, with what the agent remembers: a run that waits
for its agent is asked for, and goes on waiting.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from agent.advice import advice_on
from agent.cameras import Camera, open_camera
from agent.errors import DriverError, SettingsInvalid
from agent.line_thread import LineThread, OnLineThread
from agent.printers.driver import Driver, Observation
from agent.printers.registry import open_driver
from agent.running import look
from agent.settings import AgentSettings, PrinterSettings
from protocols.wire.vocabulary import PrinterId, PrinterState

EXIT_ALL_WELL = 0
EXIT_SOMETHING_WRONG = 1
EXIT_AGENT_RUNS = 5

LOOK_S = 0.1
_WRONG = frozenset({PrinterState.OFFLINE, PrinterState.HALTED, PrinterState.ATTENTION})


async def check(settings: AgentSettings, *, timeout_s: float, say: Callable[[str], None]) -> int:
    """Try all printers at once, and say a line about each; returns one of the exit codes.

    Args:
        settings: the agent's.
        timeout_s: for a printer to answer.
        say: takes one line.
    """
    running, _ = look(settings.state_dir)
    if running is not None:
        say(
            f"the agent itself runs (process {running.pid}) and holds its printers: ask it, or stop"
        )
        return EXIT_AGENT_RUNS
    if not settings.printers:
        say("the configuration names no printer; `farmhand-agent discover` finds some")
        return EXIT_SOMETHING_WRONG
    lines = LineThread()
    try:
        folder = settings.state_dir / "printers"
        tries = (_try(each, folder / each.id, lines, timeout_s) for each in settings.printers)
        results = await asyncio.gather(*tries)
    finally:
        lines.close()
    for printer, (well, words) in zip(settings.printers, results, strict=True):
        say(f"{'ok   ' if well else 'WRONG'} {printer.id} ({printer.driver}): {words}")
        if not well and (advice := advice_on(words)):
            say(f"      {advice}")
    return EXIT_ALL_WELL if all(well for well, _ in results) else EXIT_SOMETHING_WRONG


async def _try(
    printer: PrinterSettings, state_dir: Path, lines: LineThread, timeout_s: float
) -> tuple[bool, str]:
    """Return whether a printer answers, and what there is to say of it."""
    printer_id = PrinterId(printer.id)
    try:
        driver = open_driver(printer.driver, printer_id, printer.settings, state_dir=state_dir)
        camera = open_camera(printer.camera, driver)
    except SettingsInvalid as error:
        return False, str(error)
    seen, looks, picture = await _seen(
        OnLineThread(driver, lines) if driver.capabilities.streams else driver, camera, timeout_s
    )
    words = ", ".join(part for part in (str(seen.state), seen.message, picture) if part)
    return seen.state not in _WRONG and looks, words


async def _seen(
    driver: Driver, camera: Camera | None, timeout_s: float
) -> tuple[Observation, bool, str]:
    """Return what is seen of a printer once it answers, or when the time is up.

    And whether its camera shows something, and what there is to say of that.
    """
    task = asyncio.create_task(driver.run(), name="driver")
    loop = asyncio.get_running_loop()
    until_s = loop.time() + timeout_s
    try:
        while driver.observation.state is PrinterState.OFFLINE and loop.time() < until_s:
            await asyncio.wait((task,), timeout=LOOK_S)
            if task.done():
                task.result()
        return driver.observation, *await _looked(camera)
    finally:
        task.cancel()
        await asyncio.wait((task,))


async def _looked(camera: Camera | None) -> tuple[bool, str]:
    """Return whether a camera shows something, and what there is to say of it."""
    if camera is None:
        return True, ""
    try:
        picture = await camera.picture()
    except DriverError as error:
        return False, str(error)
    return True, f"its camera shows a picture of {len(picture)} bytes"
