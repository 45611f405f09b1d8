"""The real driver on a real pseudo-terminal, with a firmware that executes and remembers."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.errors import DriverUnavailable, PlateRefused, SettingsInvalid
from agent.printers import marlin_serial, watching
from agent.printers.driver import PlateFile, RunState
from agent.printers.line_loop import LineLoop
from agent.printers.registry import open_driver
from protocols.wire.vocabulary import Finding, Level, PrinterId, PrinterState, RunId
from tests.fakes.firmware_bench import BODY, RUN, FirmwareBench, firmware_bench


@pytest.fixture
async def bench(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[FirmwareBench]:
    async with firmware_bench(tmp_path, **getattr(request, "param", {})) as bench:
        yield bench


async def test_the_firmware_executes_the_lines_of_the_plate_and_then_it_is_finished(
    bench: FirmwareBench,
) -> None:
    await bench.driver.start(bench.plate("; a plate\nG28\n" + BODY), RUN)
    await bench.until(lambda: bench.run_state() is RunState.FINISHED)
    executed = [line for line in bench.firmware.executed if line.startswith("G")]
    assert executed == ["G28", *BODY.splitlines()]
    assert bench.firmware.executed[-2:] == ["M400", "M105"]
    seen = bench.driver.observation.run
    assert seen is not None
    assert (seen.line, seen.progress) == (seen.line_count, 1.0)


@pytest.mark.parametrize("with_pump", [True, False])
async def test_a_long_plate_is_executed_line_by_line_with_the_pump_and_without(
    tmp_path: Path, with_pump: bool
) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, LineLoop)
    if not with_pump:
        loop.lines.pump = None
    lines = [f"G1 X{1 + n % 90} Y{n % 7} F6000" for n in range(700)]
    async with firmware_bench(tmp_path) as bench:
        await bench.driver.start(bench.plate("\n".join(["G28", *lines, ""])), RUN)
        await bench.until(lambda: bench.run_state() is RunState.FINISHED)
        executed = [line for line in bench.firmware.executed if line.startswith("G")]
        assert executed == ["G28", *lines]


async def test_where_the_plate_waits_for_a_person_the_host_pauses_and_sends_nothing(
    bench: FirmwareBench,
) -> None:
    await bench.driver.start(bench.plate("G28\nM0 Turn it over\nG1 X1 F600\n"), RUN)
    await bench.until(lambda: bench.run_state() is RunState.PAUSED)
    run = bench.driver.observation.run
    assert run is not None
    assert (run.line, run.reason) == (1, "Turn it over")
    await bench.driver.resume()
    await bench.until(lambda: bench.run_state() is RunState.FINISHED)
    moves = [line for line in bench.firmware.executed if line in ("G28", "G1 X1 F600")]
    assert moves == ["G28", "G1 X1 F600"]
    assert not [line for line in bench.firmware.executed if line.startswith("M0")]


async def test_the_printer_may_ask_for_a_pause_its_end_and_a_cancel(bench: FirmwareBench) -> None:
    await bench.driver.start(bench.plate(BODY * 300), RUN)
    bench.say(b"//action:pause\n")
    await bench.until(lambda: bench.run_state() is RunState.PAUSED)
    bench.say(b"//action:resumed\n")
    await bench.until(lambda: bench.run_state() is RunState.PRINTING)
    bench.say(b"//action:cancel\n")
    await bench.until(lambda: bench.run_state() is RunState.STOPPED)


async def test_the_last_dialogue_can_be_read(bench: FirmwareBench) -> None:
    await bench.driver.command("send", {"line": "M114"})
    dialogue = await bench.driver.command("dialogue", {})
    assert "M114*" in dialogue
    assert "X:1.00" in dialogue or "X:1" in dialogue


async def test_a_stopped_run_ends_with_its_heaters_off(bench: FirmwareBench) -> None:
    await bench.driver.start(bench.plate(BODY * 200), RUN)
    await bench.driver.stop()
    await bench.until(lambda: bench.run_state() is RunState.STOPPED)
    assert {"M104 S0", "M140 S0", "M107"} <= set(bench.firmware.executed)
    assert bench.firmware.executed[-1] == "M84"


async def test_a_paused_run_goes_on_with_the_very_next_line(bench: FirmwareBench) -> None:
    await bench.driver.start(bench.plate(BODY), RUN)
    await bench.driver.pause()
    await bench.until(lambda: bench.run_state() is RunState.PAUSED)
    paused_at = len(bench.firmware.executed)
    await bench.driver.resume()
    await bench.until(lambda: bench.run_state() is RunState.FINISHED)
    lines = BODY.splitlines()
    before = [line for line in bench.firmware.executed[:paused_at] if line.startswith("G1")]
    after = [line for line in bench.firmware.executed[paused_at:] if line in set(lines)]
    assert before + after == lines


async def test_a_board_that_restarts_in_mid_print_fails_the_run_and_gets_no_further_line(
    bench: FirmwareBench,
) -> None:
    bench.reply = lambda data: b"" if b" G1 " in data else bench.firmware.receive(data)
    await bench.driver.start(bench.plate(BODY), RUN)
    bench.firmware.__init__()  # type: ignore[misc]
    bench.reply = bench.firmware.receive
    bench.say(b"start\n")
    await bench.until(lambda: bench.run_state() is RunState.FAILED)
    await bench.until(lambda: bench.driver.observation.state is PrinterState.IDLE)
    assert await bench.driver.command("send", {"line": "M114"}) == "X1 Y2 Z3 E4"
    assert not [line for line in bench.firmware.executed if line.startswith("G1")]
    assert "M104 S0" in bench.firmware.executed


async def test_a_plate_larger_than_the_bed_is_refused_with_its_line(bench: FirmwareBench) -> None:
    with pytest.raises(PlateRefused, match="X900") as refused:
        await bench.driver.start(bench.plate("G28\nG1 X900 E5 F600\n"), RUN)
    assert refused.value.line == 2
    assert bench.run_state() is None


async def test_a_thermal_runaway_halts_the_printer(bench: FirmwareBench) -> None:
    bench.say(b"Error:Thermal Runaway, system stopped! Heater_ID: 0\n")
    await bench.until(lambda: bench.driver.observation.state is PrinterState.HALTED)


@pytest.mark.parametrize("bench", [{}, {"stop_on": ["thermal_runaway"]}], indirect=True)
async def test_what_is_wrong_stops_a_run_only_where_the_settings_name_it(
    bench: FirmwareBench, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    runaway = Finding(rule="thermal_runaway.tool0", level=Level.ALARM, words="300 °C", evidence={})
    await bench.driver.start(bench.plate(BODY * 500), RUN)
    monkeypatch.setattr(marlin_serial, "TEND_INTERVAL_S", 0.01)
    monkeypatch.setattr(watching, "watch", lambda memory, look: (memory, (runaway,)))
    await bench.until(lambda: bench.driver.observation.findings == (runaway,))
    if "stop_on" in request.node.callspec.params["bench"]:
        await bench.until(lambda: bench.run_state() is RunState.STOPPED)
        run = bench.driver.observation.run
        assert run is not None
        assert run.reason == "300 °C"
    else:
        assert bench.run_state() is RunState.PRINTING


async def test_a_run_of_an_earlier_life_is_unknown(bench: FirmwareBench) -> None:
    seen = await bench.driver.recover(RunId("earlier"), None)
    assert seen.state is RunState.UNKNOWN
    assert seen.reason


async def test_without_a_port_nothing_starts(tmp_path: Path) -> None:
    driver = open_driver("marlin_serial", PrinterId("two"), {"port": str(tmp_path / "none")})
    plate = PlateFile(path=tmp_path / "p", sha256="", name="p")
    with pytest.raises(DriverUnavailable):
        await driver.start(plate, RUN)


def test_an_unknown_kind_or_setting_is_named() -> None:
    with pytest.raises(SettingsInvalid, match="marlin_serial"):
        open_driver("telepathy", PrinterId("x"), {})
    with pytest.raises(SettingsInvalid, match="prot"):
        open_driver("marlin_serial", PrinterId("x"), {"prot": "/dev/null"})
