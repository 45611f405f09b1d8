"""A print that somebody begins at the printer's own panel: seen, left alone, never mixed up."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.errors import NotPossible
from agent.printers import marlin_serial
from agent.printers.driver import RunState
from protocols.gcode import elsewhere, timing
from protocols.wire.vocabulary import PrinterState
from tests.fakes.firmware_bench import firmware_bench
from tests.fakes.one_printer_farm import one_printer_farm
from tests.fakes.printer_bench import RUN, PrinterBench, tell
from tests.fakes.processes import stop, until

# Of the printer's time, twenty times as fast as ours.
FILE = "G28\n" + "G4 S10\n" * 8
LONG_FILE = "G28\n" + "G4 S4\n" * 1000
OF_FILES = {"G28", "G4 S4", "G4 S10"}
LOOKS = frozenset({"M27", "M105", "M110 N0", "M114", "M115", "M220", "M221"})


@pytest.fixture(params=["marlin", "old"])
async def bench(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> AsyncIterator[PrinterBench]:
    """A printer with a card; the one tells of it by itself, the other has to be asked."""
    monkeypatch.setattr(timing, "CARD_INTERVAL_S", 0.2)
    monkeypatch.setattr(timing, "CARD_AGAIN_S", 0.05)
    monkeypatch.setattr(marlin_serial, "TEND_INTERVAL_S", 0.05)
    card = tmp_path / "card"
    card.mkdir()
    (card / "FILE.GCO").write_text(FILE)
    (card / "LONG.GCO").write_text(LONG_FILE)
    options = ("--card", str(card), "--firmware", request.param)
    bench = PrinterBench(tmp_path, printer_options=options)
    await bench.until(bench.port.exists)
    bench.connect()
    await idle(bench)
    yield bench
    await bench.end()


async def idle(bench: PrinterBench) -> None:
    await bench.until(lambda: bench.driver.observation.state is PrinterState.IDLE)


async def foreign(bench: PrinterBench) -> None:
    await bench.until(lambda: bench.driver.observation.foreign)


def said_by_us(bench: PrinterBench) -> set[str]:
    """Return what the printer executed that its card does not hold."""
    lines = bench.log.read_text().splitlines()
    commands = {line.partition("\t")[2] for line in lines if not line.startswith("#")}
    return {text for text in commands if not text.startswith(("M155", "M27 S"))} - OF_FILES


async def test_a_print_from_the_card_makes_the_printer_busy_until_it_is_done(
    bench: PrinterBench,
) -> None:
    await bench.tell_printer("print FILE.GCO")
    await foreign(bench)
    seen = bench.driver.observation
    assert seen.state is PrinterState.PRINTING
    assert seen.run is None
    assert "FILE.GCO" in seen.message
    await idle(bench)
    assert not bench.driver.observation.foreign
    await bench.tell_printer("status")
    assert said_by_us(bench) <= LOOKS


async def test_nothing_starts_stops_or_disturbs_what_somebody_else_prints(
    bench: PrinterBench,
) -> None:
    await bench.tell_printer("print LONG.GCO")
    with pytest.raises(NotPossible, match=r"LONG\.GCO"):
        # Whether it was seen already or not: it is asked once more before a run begins.
        await bench.driver.start(bench.plate, RUN)
    await foreign(bench)
    for line in ("G28", "M104 S0", "G1 X1", "M84", "M25"):
        with pytest.raises(NotPossible):
            await bench.driver.command("send", {"line": line, "force": True})
    bench.driver._hearing.attention = True  # as for a change of filament
    with pytest.raises(NotPossible):
        await bench.driver.command("send", {"line": "G28"})
    await bench.driver.command("send", {"line": "M117 hello"})
    await bench.driver.pause()
    await bench.driver.stop()
    assert bench.driver.observation.foreign
    await bench.tell_printer("status")
    assert said_by_us(bench) <= {*LOOKS, "M117 hello"}


async def test_it_is_known_again_before_the_printer_ever_looks_idle_to_a_new_agent(
    bench: PrinterBench,
) -> None:
    await bench.tell_printer("print LONG.GCO")
    await foreign(bench)
    await bench.die()
    bench.connect()
    await bench.until(lambda: bench.driver.observation.state is not PrinterState.OFFLINE)
    assert bench.driver.observation.state is PrinterState.PRINTING
    assert bench.driver.observation.foreign


@pytest.mark.parametrize("bench", ["marlin"], indirect=True)
async def test_a_print_from_the_card_in_the_midst_of_a_run_holds_the_run(
    bench: PrinterBench,
) -> None:
    await bench.driver.start(bench.plate, RUN)
    bench.driver._hearing.handle(marlin_serial.events.CardTold(True, 5, 100))
    await bench.until(lambda: bench.state is RunState.PAUSED)
    run = bench.driver.observation.run
    assert run is not None
    assert "its own card" in run.reason
    assert not bench.driver.observation.foreign


@pytest.mark.parametrize("bench", ["marlin"], indirect=True)
async def test_a_run_that_was_taken_up_again_leaves_the_printer_idle_without_a_question(
    bench: PrinterBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.driver.start(bench.plate, RUN)
    await bench.until(lambda: bench.line > 20)
    await bench.die()
    monkeypatch.setattr(marlin_serial, "TEND_INTERVAL_S", 60.0)
    bench.connect()
    await bench.until(lambda: bench.driver.observation.state is PrinterState.PRINTING)
    await bench.driver.recover(RUN, bench.plate)
    await bench.until(lambda: bench.state is RunState.FINISHED)
    assert bench.driver.observation.state is PrinterState.IDLE


@pytest.mark.parametrize("bench", ["marlin"], indirect=True)
async def test_heaters_that_were_to_go_off_stay_on_for_somebody_elses_print(
    bench: PrinterBench,
) -> None:
    await bench.driver.start(bench.plate, RUN)
    await bench.tell_printer("fault usb_drop:seconds=10")
    with contextlib.suppress(TimeoutError):
        await bench.until(lambda: bench.driver.observation.state is PrinterState.OFFLINE)
    await bench.driver.stop()
    await bench.tell_printer("print LONG.GCO")
    await foreign(bench)
    await bench.tell_printer("status")
    assert "M104 S0" not in said_by_us(bench)


def test_the_farm_leaves_it_alone_and_its_bed_is_occupied_afterwards(tmp_path: Path) -> None:
    card = tmp_path / "card"
    card.mkdir()
    (card / "FILE.GCO").write_text("G28\n" + "G4 S2\n" * 5000)
    control = tmp_path / "control"
    flags = ("--card", card, "--control", control)
    with one_printer_farm(tmp_path, *flags) as here:
        with here.agent() as agent:
            here.clear_bed()
            tell(control, "print FILE.GCO")
            until(lambda: here.printer()["foreign"], "the print to be seen")
            busy = here.printer()
            assert (busy["status"], busy["bed"]["state"]) == ("busy", "occupied")
            status, problem = here.farm.ask("printers/p1/clear", method="POST")
            assert (status, "no agent started" in str(problem)) == (409, True)
            assert stop(agent, within_s=20) == 0
        with here.agent():
            until(lambda: here.printer()["online"], "the agent to be back")
            until(lambda: here.printer()["seen"] == "printing", "the print to be seen again")
            assert here.printer()["foreign"]
            tell(control, "reset")  # at its button
            until(lambda: not here.printer()["foreign"], "the end of the print")
            after = here.printer()
            assert (after["bed"]["state"], after["run"]) == ("occupied", None)
            here.clear_bed()


async def test_where_no_card_can_be_asked_a_hot_head_that_moves_on_its_own_is_a_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "CARD_INTERVAL_S", 0.05)
    monkeypatch.setattr(timing, "POLL_INTERVAL_S", 0.05)
    monkeypatch.setattr(timing, "POLL_INTERVAL_HOT_S", 0.05)
    monkeypatch.setattr(elsewhere, "COLD_FOR_S", 0.1)
    monkeypatch.setattr(marlin_serial, "TEND_INTERVAL_S", 0.01)
    async with firmware_bench(tmp_path) as bench:
        usual, places = bench.firmware.answer, iter(range(1000))
        heat = 200

        def answer(command: str) -> bytes:
            if command == "M105":
                return b"ok T:%d /%d\n" % (heat, heat)
            if command == "M114":
                return b"X:%d.00 Y:2.00 Z:3.00 E:4.00\nok\n" % next(places)
            return b'echo:Unknown command: "M27"\nok\n' if command == "M27" else usual(command)

        monkeypatch.setattr(bench.firmware, "answer", answer)
        await bench.until(lambda: bench.driver.observation.foreign)
        assert bench.driver.observation.state is PrinterState.PRINTING
        with pytest.raises(NotPossible, match="another host"):
            await bench.driver.start(bench.plate("G28\n"), RUN)
        heat = 0
        await bench.until(lambda: bench.driver.observation.state is PrinterState.IDLE)
        assert "G28" not in bench.firmware.executed
