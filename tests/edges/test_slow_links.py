"""The driver on a link that is slow: fewer bytes, the same print."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.printers.driver import RunState
from protocols.gcode.shorten import shorten
from protocols.wire.vocabulary import PrinterState
from tests.fakes.printer_bench import PLATE, RUN, PrinterBench
from tests.proofs.crash import PACKED, prove

PACKS = {"meatpack": True, "shorten": True, "window": 4, "window_bytes": 110}
SHORT = [shorten(line, glued=True) for line in PLATE]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[PrinterBench]:
    """A printer that unpacks, has a receive buffer as small as a UART's, and a bad cable."""
    faults = ["corrupt:every=37", "lose_ok:every=53", "double_ok:every=61"]
    options = ["--firmware", "meatpack", "--receive-bytes", "128"]
    options += [word for fault in faults for word in ("--fault", fault)]
    bench = PrinterBench(tmp_path, settings=PACKS, printer_options=options)
    yield bench
    await bench.end()


async def test_a_shortened_plate_is_printed_command_by_command(tmp_path: Path) -> None:
    bench = PrinterBench(tmp_path, settings={"shorten": True})
    try:
        await bench.start()
        await bench.until(lambda: bench.state is not RunState.PRINTING)
        seen = bench.driver.observation.run
        assert seen is not None
        assert (seen.state, seen.line) == (RunState.FINISHED, len(PLATE))
    finally:
        await bench.end()
    assert await bench.executed() == SHORT


async def test_a_packed_plate_is_printed_command_by_command_over_a_bad_cable(
    bench: PrinterBench,
) -> None:
    await bench.start()
    await bench.until(lambda: bench.state is not RunState.PRINTING)
    seen = bench.driver.observation.run
    assert seen is not None
    assert seen.state is RunState.FINISHED
    assert seen.resends > 5
    assert await bench.executed() == SHORT


async def test_a_packed_print_is_taken_up_where_another_process_left_it(
    bench: PrinterBench,
) -> None:
    await bench.start()
    await bench.die()
    bench.connect()
    await bench.until(lambda: bench.driver.observation.state is PrinterState.PRINTING)
    await bench.driver.recover(RUN, bench.plate)
    await bench.until(lambda: bench.state is not RunState.PRINTING)
    assert bench.state is RunState.FINISHED
    assert await bench.executed() == SHORT


async def test_the_next_host_is_understood_without_knowing_of_any_packing(
    bench: PrinterBench,
) -> None:
    await bench.start()
    await bench.driver.stop()
    await bench.until(lambda: bench.state is RunState.STOPPED)
    await bench.die()
    bench.settings = {}
    bench.driver = bench.fresh()
    bench.connect()
    await bench.until(lambda: bench.driver.observation.state is PrinterState.IDLE)


@pytest.mark.slow
def test_packed_prints_survive_kills_of_their_agent_line_by_line() -> None:
    assert prove(kills=4, seed=5, boards=[PACKED])
