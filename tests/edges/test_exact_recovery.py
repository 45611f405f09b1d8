"""What happens to a print when its agent, its cable or its printer dies."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.printers.driver import RunState
from protocols.wire.vocabulary import Level, PrinterState
from tests.fakes.printer_bench import BODY, PLATE, RUN, PrinterBench
from tests.proofs.crash import prove


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[PrinterBench]:
    bench = PrinterBench(tmp_path)
    yield bench
    await bench.end()


def test_prints_survive_five_kills_of_their_agent_line_by_line() -> None:
    assert prove(kills=5, seed=11)


async def test_a_cable_that_comes_back_costs_no_line(bench: PrinterBench) -> None:
    await bench.start()
    await bench.tell_printer("fault usb_drop:seconds=20")
    await bench.until(lambda: bench.driver.observation.state is PrinterState.OFFLINE)
    assert bench.state is RunState.PRINTING
    assert "waits at line" in bench.driver.observation.message
    await bench.until(lambda: bench.state is not RunState.PRINTING)
    assert bench.state is RunState.FINISHED
    assert await bench.executed() == PLATE


async def test_a_printer_that_restarted_meanwhile_fails_the_run_and_gets_no_further_line(
    bench: PrinterBench,
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


async def test_a_pause_outlives_the_agent_and_ends_where_it_began(bench: PrinterBench) -> None:
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


async def test_what_people_say_in_mid_print_costs_no_line_when_the_agent_dies(
    bench: PrinterBench,
) -> None:
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
    bench = PrinterBench(tmp_path, printer_options=["--emergency-parser"])
    try:
        await bench.start()
        await bench.tell_printer("fault runout")
        await bench.until(lambda: bench.driver.observation.state is PrinterState.ATTENTION)
        await bench.driver.command("send", {"line": "M108"})
        await bench.until(lambda: bench.driver.observation.state is not PrinterState.ATTENTION)
    finally:
        await bench.end()


async def test_a_run_of_another_kernel_boot_is_not_gone_on_with(bench: PrinterBench) -> None:
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


async def test_a_head_that_was_moved_meanwhile_is_left_to_a_person(bench: PrinterBench) -> None:
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
    await bench.until(lambda: bool(bench.driver.observation.findings))
    finding = bench.driver.observation.findings[0]
    assert (finding.rule, finding.level) == ("head_out_of_place", Level.ALARM)
    assert "X199 instead of" in finding.words
    assert (finding.evidence["x_told_mm"], finding.evidence["y_told_mm"]) == (199.0, 199.0)
    await bench.driver.resume()
    await bench.until(lambda: bench.state is RunState.PRINTING)
    await bench.until(lambda: bench.driver.observation.findings == ())
