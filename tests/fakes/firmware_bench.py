"""A firmware in this process behind a pseudo-terminal, and the driver that opens it."""

import asyncio
import contextlib
import hashlib
import os
import tty
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from agent.printers.driver import Driver, PlateFile, RunState
from agent.printers.registry import open_driver
from protocols.wire.vocabulary import PrinterId, PrinterState, RunId
from tests.fakes.ideal_firmware import IdealFirmware

BODY = "".join(f"G1 X{n % 200} Y10 E{n / 100:.2f} F3000\n" for n in range(1, 400))
RUN = RunId("run-1")


class FirmwareBench:
    """A firmware behind a pty, and the driver that opens it."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        self.firmware = IdealFirmware()
        self.reply: Callable[[bytes], bytes] = self.firmware.receive
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self.driver: Driver = open_driver(
            "marlin_serial",
            PrinterId("one"),
            {"port": os.ttyname(slave), "allow": ["cold", "unhomed"], **settings},
        )
        os.set_blocking(self.master, False)
        asyncio.get_running_loop().add_reader(self.master, self._readable)

    def _readable(self) -> None:
        with contextlib.suppress(OSError):
            os.write(self.master, self.reply(os.read(self.master, 4096)))

    def say(self, text: bytes) -> None:
        os.write(self.master, text)

    def plate(self, text: str) -> PlateFile:
        path = self.folder / "plate.gcode"
        path.write_text(text)
        return PlateFile(path=path, sha256=hashlib.sha256(text.encode()).hexdigest(), name="plate")

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not holds():
                await self.driver.changed()

    def run_state(self) -> RunState | None:
        run = self.driver.observation.run
        return run.state if run else None


@contextlib.asynccontextmanager
async def firmware_bench(folder: Path, **settings: object) -> AsyncIterator[FirmwareBench]:
    """Lend a bench whose driver is connected."""
    bench = FirmwareBench(folder, **settings)
    task = asyncio.create_task(bench.driver.run(), name="driver")
    try:
        await bench.until(lambda: bench.driver.observation.state is PrinterState.IDLE)
        yield bench
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        asyncio.get_running_loop().remove_reader(bench.master)
        os.close(bench.master)
