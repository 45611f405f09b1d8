"""The process that runs Farmhand's serial driver: `SETTINGS GCODE PORT...`, the driver's in JSON.

It does what an agent does with its printers, without the rest of the agent: connect, start one run
on each, keep the connection.
"""

import asyncio
import hashlib
import json
import sys
from pathlib import Path

from agent.line_thread import LineThread, OnLineThread
from agent.printers.driver import Driver, PlateFile
from agent.printers.registry import open_driver
from protocols.wire.vocabulary import PrinterId, PrinterState, RunId


async def main(drivers: list[Driver], plate: PlateFile) -> None:
    """Print the plate with every driver; ends only when told to."""
    async with asyncio.TaskGroup() as group:
        for number, driver in enumerate(drivers):
            group.create_task(driver.run(), name=f"driver {number}")
            group.create_task(print_plate(driver, plate, number), name=f"print {number}")


async def print_plate(driver: Driver, plate: PlateFile, number: int) -> None:
    """Start a run as soon as there is a printer."""
    while driver.observation.state is not PrinterState.IDLE:
        await driver.changed()
    await driver.start(plate, RunId(f"run{number}"))


def plate_file(path: Path) -> PlateFile:
    """Return the file as a plate."""
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return PlateFile(path=path, sha256=sha256, name=path.name)


if __name__ == "__main__":
    settings, gcode, *ports = sys.argv[1:]
    opened = [
        open_driver(
            "marlin_serial",
            PrinterId(f"printer{number}"),
            {"port": port, "allow": ["cold", "unhomed"], **json.loads(settings)},
        )
        for number, port in enumerate(ports)
    ]
    lines = LineThread()
    apart: list[Driver] = [OnLineThread(driver, lines) for driver in opened]
    asyncio.run(main(apart, plate_file(Path(gcode))))
