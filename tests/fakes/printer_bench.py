"""A simulated printer that lives on, and drivers that come and go."""

import asyncio
import contextlib
import hashlib
import socket
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from agent.printers.driver import PlateFile, RunState
from agent.printers.marlin_serial import MarlinSerial
from protocols.wire.vocabulary import PrinterId, PrinterState, RunId
from tests.fakes.processes import environment, start
from tests.proofs.crash import is_own

RUN = RunId("run-1")
BODY = [f"G1 X{n % 150 + 20} Y{n % 7 + 50} E{n / 100:.2f} F6000" for n in range(1, 400)]
PLATE = ["G90", "M82", "G28", "G1 Z0.2 F600", *BODY]


def tell(control: Path, words: str) -> None:
    """Say a line to a simulator's control socket, and wait for its answer."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(control))
        line.sendall(words.encode() + b"\n")
        line.recv(4096)


class PrinterBench:
    """One printer, a real process, and one plate."""

    def __init__(
        self,
        folder: Path,
        *,
        settings: Mapping[str, Any] = {},
        printer_options: Iterable[str] = (),
        tcp: int = 0,
    ) -> None:
        """Run a printer on a pseudo-terminal, or on a TCP port of loopback."""
        self.folder = folder
        self.settings = settings
        self.port, self.control = folder / "port", folder / "control"
        self.log = folder / "executed.log"
        path = folder / "plate.gcode"
        path.write_text("\n".join(PLATE))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        self.plate = PlateFile(path=path, sha256=digest, name="plate")
        line = ["--tcp", str(tcp)] if tcp else ["--pty", str(self.port)]
        line += ["--log", str(self.log), "--control", str(self.control), "--speed", "20"]
        line += [*printer_options, "--log-level", "error"]
        with (folder / "printer.log").open("wb") as words:
            self.printer = start("agent.simulator", line, (words, words), environment())
        self.driver = self.fresh()
        self.task: asyncio.Task[None] | None = None

    def fresh(self) -> MarlinSerial:
        settings = {"port": str(self.port), "allow": ["cold"], **self.settings}
        return MarlinSerial(PrinterId("one"), settings, state_dir=self.folder / "state")

    def connect(self) -> None:
        self.task = asyncio.create_task(self.driver.run(), name="driver")

    async def die(self) -> None:
        """What is left after a kill: files, and a firmware that knows nothing of it."""
        assert self.task is not None
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task
        self.driver = self.fresh()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(40):
            while not holds():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await self.driver.changed()

    async def tell_printer(self, words: str) -> None:
        await asyncio.to_thread(tell, self.control, words)

    async def start(self) -> None:
        await self.until(lambda: self.control.exists())
        self.connect()
        await self.until(lambda: self.driver.observation.state is PrinterState.IDLE)
        await self.driver.start(self.plate, RUN)
        await self.until(lambda: self.line > 20)

    @property
    def line(self) -> int:
        run = self.driver.observation.run
        return run.line if run else 0

    @property
    def state(self) -> RunState | None:
        run = self.driver.observation.run
        return run.state if run else None

    async def executed(self) -> list[str]:
        """The plate's commands; without a number, and unknown, is what is left of a spoilt line."""
        if self.printer.poll() is None:
            await self.tell_printer("status")  # so that its log is complete
        entries = [line.split("\t") for line in self.log.read_text("latin-1").split("\n")]
        numbered = [entry[1] for entry in entries if entry[0].isdigit()]
        return [text for text in numbered if not is_own(text)]

    async def end(self) -> None:
        if self.task is not None:
            await self.die()
        self.printer.terminate()
        await asyncio.to_thread(self.printer.wait)
