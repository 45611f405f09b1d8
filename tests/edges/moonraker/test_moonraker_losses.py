"""What becomes of a run when Moonraker, Klipper or the agent is lost in the middle of it."""

import asyncio

import pytest
from structlog.testing import capture_logs

from agent.errors import DriverUnavailable, StartUnknown
from agent.printers.driver import RunState
from protocols.wire.vocabulary import PrinterState, RunId
from tests.edges.moonraker.bench import MoonBench

# Losing and finding Moonraker again takes its time: with `./farmhand prove moonraker`.
pytestmark = pytest.mark.slow


async def test_a_run_goes_on_under_the_eyes_of_another_agent_process(bench: MoonBench) -> None:
    await bench.connect()
    run_id = await bench.start(bench.long, "run-watched")
    await bench.reconnect()
    assert bench.driver.observation.run is None
    assert not bench.driver.observation.foreign
    assert (await bench.driver.recover(run_id, bench.long)).state is RunState.PRINTING
    await bench.driver.stop()
    await bench.until_run(RunState.STOPPED)


async def test_a_run_that_ended_while_no_agent_was_there_is_told_by_moonrakers_history(
    bench: MoonBench,
) -> None:
    await bench.connect()
    finished = await bench.start(bench.short, "run-finished")
    await bench.die()
    await asyncio.to_thread(bench.until_told, "farmhand/run-finished.gcode", "completed")
    # A person has cleaned up, and prints another file.
    bench.klippy.script("SDCARD_RESET_FILE")
    await bench.reconnect()
    assert (await bench.driver.recover(finished, None)).state is RunState.FINISHED
    await bench.until(lambda seen: seen.state is PrinterState.IDLE)
    cancelled = await bench.start(bench.long, "run-cancelled")
    await bench.die()
    await bench.person("printer/print/cancel", {})
    await asyncio.to_thread(bench.until_told, "farmhand/run-cancelled.gcode", "cancelled")
    await bench.reconnect()
    assert (await bench.driver.recover(cancelled, None)).state is RunState.STOPPED


async def test_a_start_that_klipper_has_not_come_to_is_unknown_and_can_not_begin_later(
    bench: MoonBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.printers.moonraker.ORDER_S", 0.2)
    await bench.connect()
    await bench.driver.check(bench.short)
    before = len(bench.klippy.begun)
    busy = asyncio.create_task(bench.person("printer/gcode/script", {"script": "G4 P600000"}))
    await bench.until(lambda _: "G4 P600000" in bench.klippy.said)
    with pytest.raises(StartUnknown):
        await bench.driver.start(bench.short, RunId("run-late"))
    seen = await bench.driver.recover(RunId("run-late"), bench.short)
    assert seen.state is RunState.UNKNOWN
    assert "may never have begun" in seen.reason
    bench.klippy.hurry()
    await busy
    await bench.until(lambda _: any("run-late" in line for line in bench.klippy.said))
    assert bench.klippy.begun[before:] == []


async def test_a_moonraker_that_was_killed_and_is_back_finds_the_run_going_on_to_its_end(
    bench: MoonBench,
) -> None:
    await bench.connect()
    with capture_logs() as logs:
        await bench.start(bench.endless, "run-kept")
        await asyncio.to_thread(bench.until_told, "farmhand/run-kept.gcode", "in_progress")
        bench.server.kill()
        await bench.until(lambda seen: seen.state is PrinterState.OFFLINE)
        lost = bench.driver.observation
        assert lost.run is not None
        assert lost.run.state is RunState.PRINTING
        assert lost.temperatures
        assert [finding.rule for finding in lost.findings] == ["stale"]
        with pytest.raises(DriverUnavailable):
            await bench.driver.stop()
        await asyncio.to_thread(bench.server.start)
        await bench.until(lambda seen: seen.state is PrinterState.PRINTING)
        bench.klippy.hurry()
        await bench.until_run(RunState.FINISHED)
    told = [entry["event"] for entry in logs if entry["event"].startswith("host.")]
    assert told == ["host.lost", "host.back"]
    assert bench.klippy.begun.count("farmhand/run-kept.gcode") == 1
    history = await asyncio.to_thread(bench.server.printed, "farmhand/run-kept.gcode")
    assert history == ["interrupted"], "only Klipper knew the end"


@pytest.mark.slow
async def test_a_run_that_nobody_can_tell_the_end_of_is_unknown(bench: MoonBench) -> None:
    await bench.connect()
    run_id = await bench.start(bench.endless, "run-untold")
    await asyncio.to_thread(bench.until_told, "farmhand/run-untold.gcode", "in_progress")
    await bench.die()
    bench.server.kill()
    bench.klippy.hurry()
    await asyncio.to_thread(bench.until_klipper, "complete")
    bench.klippy.script("SDCARD_RESET_FILE")  # at the printer's own screen
    await asyncio.to_thread(bench.server.start)
    await bench.reconnect()
    seen = await bench.driver.recover(run_id, bench.endless)
    assert seen.state is RunState.UNKNOWN
    assert "told to forget it" in seen.reason


@pytest.mark.slow
async def test_a_power_cut_fails_the_run(bench: MoonBench) -> None:
    await bench.connect()
    await bench.start(bench.long, "run-dark")
    await asyncio.to_thread(bench.until_told, "farmhand/run-dark.gcode", "in_progress")
    bench.server.kill()
    bench.klippy.kill()
    bench.klippy.boot()
    await asyncio.to_thread(bench.server.start)
    await bench.until_run(RunState.FAILED)
    assert "it was restarted, and Moonraker too" in bench.driver.observation.run.reason  # type: ignore[union-attr]
    await bench.until(lambda seen: seen.state is PrinterState.IDLE)


async def test_a_shutdown_fails_the_run_with_its_words_and_a_command_brings_klipper_back(
    bench: MoonBench,
) -> None:
    await bench.connect()
    await bench.start(bench.long, "run-shut")
    bench.klippy.shut_down()
    await bench.until_run(RunState.FAILED)
    seen = bench.driver.observation
    assert seen.state is PrinterState.HALTED
    assert "Timer too close" in seen.message
    assert seen.run is not None
    assert "Timer too close" in seen.run.reason
    assert "restarts" in await bench.driver.command("connect", {})
    await bench.until(lambda seen: seen.state is PrinterState.IDLE)
    await bench.start(bench.short, "run-after")
    await bench.until_run(RunState.FINISHED)


async def test_a_klipper_that_is_gone_fails_the_run_and_is_seen_again(bench: MoonBench) -> None:
    await bench.connect()
    await bench.start(bench.long, "run-gone")
    bench.klippy.kill()
    await bench.until_run(RunState.FAILED)
    seen = bench.driver.observation
    assert seen.state is PrinterState.OFFLINE
    assert "Klipper is not running" in seen.message
    with pytest.raises(DriverUnavailable):
        await bench.start(bench.short, "run-nowhere")
    bench.klippy.boot()
    await bench.until(lambda seen: seen.state is PrinterState.IDLE)


async def test_a_wrong_key_is_said_once(bench: MoonBench) -> None:
    for settings in ({"api_key": "A" * 32}, {}):
        bench.settings = {"url": bench.server.url, **settings}
        await bench.die()
        bench.driver = bench.fresh()
        with capture_logs() as logs:
            bench.task = asyncio.create_task(bench.driver.run(), name="driver")
            await bench.until(lambda seen: "refuses the API key" in seen.message)
            with pytest.raises(DriverUnavailable):
                await bench.driver.start(bench.short, RunId("run-keyless"))
        assert bench.driver.observation.state is PrinterState.OFFLINE
        assert [entry["event"] for entry in logs] == ["host.lost"]
