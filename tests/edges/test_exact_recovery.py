"""What happens to a print when its agent, its cable or its printer dies."""

import asyncio
import contextlib
import hashlib
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from agent.printers.driver import PlateFile, RunState
from agent.printers.marlin_serial import MarlinSerial
from protocols.wire.vocabulary import Level, PrinterId, PrinterState, RunId
from tests.proofs.crash import is_own, prove

RUN = RunId("run-1")
BODY = [f"G1 X{n % 150 + 20} Y{n % 7 + 50} E{n / 100:.2f} F6000" for n in range(1, 400)]
PLATE = ["G90", "M82", "G28", "G1 Z0.2 F600", *BODY]


class Bench:
    """A simulated printer that lives on, and drivers that come and go."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self.folder = folder
        self.port, self.control = folder / "port", folder / "control"
        self.log = folder / "executed.log"
        path = folder / "plate.gcode"
        path.write_text("\n".join(PLATE))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        self.plate = PlateFile(path=path, sha256=digest, name="plate")
        command = [sys.executable, "-m", "agent.simulator", "--pty", str(self.port)]
        command += ["--log", str(self.log), "--control", str(self.control), "--speed", "20"]
        self.printer = subprocess.Popen([*command, "--log-level", "error", *flags])
        self.driver = self.fresh()
        self.task: asyncio.Task[None] | None = None

    def fresh(self) -> MarlinSerial:
        settings = {"port": str(self.port)}
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

    async def end(self) -> None:
        if self.task is not None:
            await self.die()
        self.printer.terminate()
        await asyncio.to_thread(self.printer.wait)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(40):
            while not holds():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await self.driver.changed()

    async def tell_printer(self, words: str) -> None:
        def tell() -> None:
            with socket.socket(socket.AF_UNIX) as control:
                control.connect(str(self.control))
                control.sendall(words.encode() + b"\n")
                control.recv(4096)

        await asyncio.to_thread(tell)

    async def start(self) -> None:
        await self.until(lambda: self.port.exists())
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
        await self.tell_printer("status")  # so that its log is complete
        entries = [line.partition("\t")[2] for line in self.log.read_text().splitlines()]
        return [text for text in entries if text and not is_own(text)]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    await bench.end()


def test_prints_survive_five_kills_of_their_agent_line_by_line() -> None:
    assert prove(kills=5, seed=11)


async def test_a_cable_that_comes_back_costs_no_line(bench: Bench) -> None:
    await bench.start()
    await bench.tell_printer("fault usb_drop:seconds=20")
    await bench.until(lambda: bench.driver.observation.state is PrinterState.OFFLINE)
    assert bench.state is RunState.PRINTING
    assert "waits at line" in bench.driver.observation.message
    await bench.until(lambda: bench.state is not RunState.PRINTING)
    assert bench.state is RunState.FINISHED
    assert await bench.executed() == PLATE


async def test_a_printer_that_restarted_meanwhile_fails_the_run_and_gets_no_further_line(
    bench: Bench,
) -> None:
    await bench.start()
    await bench.die()
    await bench.tell_printer("reset")
    bench.connect()
    await bench.until(lambda: bench.driver.observation.state is PrinterState.IDLE)
    before = len(await bench.executed())
    seen = await bench.driver.recover(RUN, bench.plate)
    assert seen.state is RunState.FAILED
    assert "restarted" in seen.reason
    assert "heater state unknown" in seen.reason
    executed = await bench.executed()
    assert not [text for text in executed[before:] if text in PLATE]


async def test_a_pause_outlives_the_agent_and_ends_where_it_began(bench: Bench) -> None:
    await bench.start()
    await bench.driver.pause()
    await bench.until(lambda: bench.state is RunState.PAUSED)
    await bench.die()
    bench.connect()
    await bench.until(lambda: bench.driver.observation.state is PrinterState.PRINTING)
    await bench.driver.recover(RUN, bench.plate)
    await bench.until(lambda: bench.state is RunState.PAUSED)
    await bench.driver.resume()
    await bench.until(lambda: bench.state is RunState.FINISHED)
    executed = await bench.executed()
    assert [text for text in executed if text in set(BODY)] == BODY


async def test_what_people_say_in_mid_print_costs_no_line_when_the_agent_dies(bench: Bench) -> None:
    said = [f"M117 word {number}" for number in range(6)]
    await bench.start()
    for line in said[:3]:
        await bench.driver.command("send", {"line": line})
    await bench.die()
    bench.connect()
    await bench.until(lambda: bench.driver.observation.state is PrinterState.PRINTING)
    await bench.driver.recover(RUN, bench.plate)
    await bench.until(lambda: bench.driver.observation.run is not None)
    for line in said[3:]:
        await bench.driver.command("send", {"line": line})
    await bench.until(lambda: bench.state is RunState.FINISHED)
    executed = await bench.executed()
    assert [text for text in executed if text in said] == said
    assert [text for text in executed if text not in said] == PLATE


async def test_what_a_printer_waits_for_overtakes_the_line_that_waits(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "--emergency-parser")
    try:
        await bench.start()
        await bench.tell_printer("fault runout")
        await bench.until(lambda: bench.driver.observation.state is PrinterState.ATTENTION)
        await bench.driver.command("send", {"line": "M108"})
        await bench.until(lambda: bench.driver.observation.state is not PrinterState.ATTENTION)
    finally:
        await bench.end()


async def test_a_run_of_another_kernel_boot_is_not_gone_on_with(bench: Bench) -> None:
    await bench.start()
    await bench.die()
    record = bench.folder / "state" / "run.jsonl"
    header, _, rest = record.read_text().partition("\n")
    record.write_text(header.replace('"kernel_boot_id": "', '"kernel_boot_id": "x') + "\n" + rest)
    bench.driver = bench.fresh()
    bench.connect()
    await bench.until(lambda: bench.driver.observation.state is not PrinterState.OFFLINE)
    seen = await bench.driver.recover(RUN, bench.plate)
    assert seen.state is RunState.UNKNOWN
    assert "the machine beside the printer restarted" in seen.reason


async def test_a_head_that_was_moved_meanwhile_is_left_to_a_person(bench: Bench) -> None:
    await bench.start()
    await bench.driver.pause()
    await bench.until(lambda: bench.state is RunState.PAUSED)
    await bench.die()
    port = bench.port.open("wb", buffering=0)
    port.write(b"G1 X199 Y199 F6000\n")
    bench.connect()
    await bench.until(lambda: bench.driver.observation.state is PrinterState.PRINTING)
    await bench.driver.recover(RUN, bench.plate)
    await bench.until(lambda: "X199 instead of" in bench.driver.observation.message)
    port.close()
    assert bench.state is RunState.PAUSED
    finding = bench.driver.observation.findings[0]
    assert (finding.rule, finding.level) == ("head_out_of_place", Level.ALARM)
    assert "X199 instead of" in finding.words
    assert (finding.evidence["x_told_mm"], finding.evidence["y_told_mm"]) == (199.0, 199.0)
    await bench.driver.resume()
    await bench.until(lambda: bench.state is RunState.PRINTING)
    await bench.until(lambda: bench.driver.observation.findings == ())
