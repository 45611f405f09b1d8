"""The driver on a link that is slow: fewer bytes, the same print."""

from pathlib import Path

from agent.printers.driver import RunState
from protocols.gcode.shorten import shorten
from tests.fakes.printer_bench import PLATE, PrinterBench


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
    assert bench.executed() == [shorten(line, glued=True) for line in PLATE]
