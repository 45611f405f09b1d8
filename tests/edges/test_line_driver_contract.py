"""What printers that we stream to owe, whatever carries the bytes: a port, TCP, RFC 2217."""

from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from agent.errors import NotPossible
from agent.printers.driver import RunState
from protocols.wire.vocabulary import PrinterState
from tests.benchmarks.hosts.octoprint import free_port
from tests.fakes.printer_bench import PLATE, RUN, PrinterBench
from tests.fakes.serial_server import SerialServer


@pytest.fixture(params=["pty", "tcp", "rfc2217"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[PrinterBench]:
    with ExitStack() as stack:
        if request.param == "tcp":
            number = free_port()
            address = {"port": f"socket://127.0.0.1:{number}"}
            bench = PrinterBench(tmp_path, settings=address, tcp=number)
        else:
            bench = PrinterBench(tmp_path)
            await bench.until(bench.control.exists)
        if request.param == "rfc2217":
            server = SerialServer(str(bench.port))
            stack.callback(server.close)
            bench.settings = {"port": f"rfc2217://127.0.0.1:{server.port}"}
            bench.driver = bench.fresh()
        yield bench
        await bench.end()


async def test_every_line_of_a_plate_is_executed_once_and_then_it_is_finished(
    bench: PrinterBench,
) -> None:
    await bench.start()
    await bench.until(lambda: bench.state is RunState.FINISHED)
    assert await bench.executed() == PLATE
    assert bench.driver.observation.state is PrinterState.IDLE


async def test_a_pause_holds_and_what_follows_is_complete(bench: PrinterBench) -> None:
    await bench.start()
    await bench.driver.pause()
    await bench.until(lambda: bench.state is RunState.PAUSED)
    held = bench.line
    assert held < len(PLATE)
    await bench.driver.resume()
    await bench.until(lambda: bench.state is RunState.FINISHED)
    moves = [line for line in await bench.executed() if "E" in line and line.startswith("G1 X")]
    assert moves == [line for line in PLATE if line.startswith("G1 X")]


async def test_a_stop_ends_the_run_and_the_printer_rests(bench: PrinterBench) -> None:
    await bench.start()
    await bench.driver.stop()
    await bench.until(lambda: bench.state is RunState.STOPPED)
    await bench.until(lambda: bench.driver.observation.state is PrinterState.IDLE)
    executed = await bench.executed()
    assert len(executed) < len(PLATE)
    with pytest.raises(NotPossible):
        await bench.driver.resume()


async def test_a_print_goes_on_from_the_very_next_line_under_another_process(
    bench: PrinterBench,
) -> None:
    await bench.start()
    await bench.die()
    bench.connect()
    await bench.until(lambda: bench.driver.observation.state is not PrinterState.OFFLINE)
    seen = await bench.driver.recover(RUN, bench.plate)
    assert seen.state in (RunState.PRINTING, RunState.FINISHED)
    await bench.until(lambda: bench.state is RunState.FINISHED)
    assert await bench.executed() == PLATE
