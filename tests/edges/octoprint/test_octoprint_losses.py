"""What becomes of a run when OctoPrint, its printer or the agent is lost in the middle of it."""

import asyncio

import pytest
from structlog.testing import capture_logs

from agent.errors import DriverUnavailable
from agent.printers.driver import RunState
from protocols.wire.vocabulary import PrinterState, RunId
from tests.edges.octoprint.bench import HostBench


async def test_a_run_goes_on_under_the_eyes_of_another_agent_process(bench: HostBench) -> None:
    await bench.connect()
    run_id = await bench.start(bench.long, "run-watched")
    await bench.reconnect()
    assert bench.driver.observation.run is None
    assert not bench.driver.observation.foreign
    seen = await bench.driver.recover(run_id, bench.long)
    assert seen.state is RunState.PRINTING
    await bench.driver.stop()
    await bench.until_run(RunState.STOPPED)


async def test_a_run_that_ended_while_no_agent_was_there_is_told_by_octoprints_history(
    bench: HostBench,
) -> None:
    await bench.connect()
    finished = await bench.start(bench.short, "run-finished")
    await bench.die()
    await asyncio.to_thread(bench.tidy_after, "farmhand/run-finished.gcode")
    await bench.reconnect()
    assert (await bench.driver.recover(finished, None)).state is RunState.FINISHED
    cancelled = await bench.start(bench.long, "run-cancelled")
    await bench.die()
    await bench.person("api/job", {"command": "cancel"})
    await asyncio.to_thread(bench.tidy_after, "farmhand/run-cancelled.gcode")
    await bench.reconnect()
    assert (await bench.driver.recover(cancelled, None)).state is RunState.STOPPED


async def test_a_run_that_octoprint_does_not_know_is_lost_and_can_not_begin_later(
    bench: HostBench,
) -> None:
    await bench.connect()
    await bench.driver.check(bench.short)
    # As after a start whose order is still on its way.
    await bench.driver._host.prepare(bench.short, RunId("run-lost"))
    seen = await bench.driver.recover(RunId("run-lost"), bench.short)
    assert seen.state is RunState.UNKNOWN
    assert "may never have begun" in seen.reason
    files = await asyncio.to_thread(bench.server.ask, "api/files/local/farmhand?recursive=true")
    assert "run-lost.gcode" not in [file["name"] for file in files["children"]]


async def test_killing_octoprint_in_mid_print_fails_the_run_and_keeps_what_was_seen(
    bench: HostBench,
) -> None:
    await bench.connect()
    with capture_logs() as logs:
        await bench.start(bench.long, "run-killed")
        await bench.until(lambda seen: seen.run and seen.run.line > 64 and seen.temperatures)
        bench.server.kill()
        await bench.until(lambda seen: seen.state is PrinterState.OFFLINE)
        before = bench.driver.observation
        assert before.run is not None
        assert (before.run.state, before.run.line > 64) == (RunState.PRINTING, True)
        assert before.temperatures
        assert [finding.rule for finding in before.findings] == ["stale"]
        with pytest.raises(DriverUnavailable):
            await bench.driver.stop()
        with pytest.raises(DriverUnavailable):
            await bench.driver.recover(RunId("run-killed"), None)
        await asyncio.to_thread(bench.server.start)
        await bench.until_run(RunState.FAILED)
    after = bench.driver.observation
    assert after.run is not None
    assert "no longer prints it" in after.run.reason
    assert after.run.line == before.run.line
    assert after.findings == ()
    told = [entry["event"] for entry in logs if entry["event"].startswith("host.")]
    assert told == ["host.lost", "host.back"]


async def test_a_printer_that_is_disconnected_in_mid_print_fails_the_run_and_comes_back_by_command(
    bench: HostBench,
) -> None:
    await bench.connect()
    await bench.start(bench.long, "run-unplugged")
    await bench.person("api/connection", {"command": "disconnect"})
    await bench.until_run(RunState.FAILED)
    # That the run has failed is told by an event, what the printer is by the next look.
    await bench.until(lambda seen: seen.state is PrinterState.OFFLINE)
    assert "not connected to its printer" in bench.driver.observation.message
    with pytest.raises(DriverUnavailable):
        await bench.start(bench.short, "run-nowhere")
    await bench.driver.command("connect", {})
    await bench.until(lambda seen: seen.state is PrinterState.IDLE)


async def test_a_firmware_that_halts_fails_the_run_with_its_words_and_the_dialogue(
    bench: HostBench,
) -> None:
    await bench.connect()
    await bench.start(bench.long, "run-halted")
    await asyncio.to_thread(bench.server.say, "!!DEBUG:trigger_fatal_error_marlin")
    await bench.until_run(RunState.FAILED)
    seen = bench.driver.observation
    assert seen.state is PrinterState.HALTED
    await bench.until(lambda seen: "kill() called" in seen.message)
    assert seen.run is not None
    assert any("Thermal Runaway" in line for line in seen.run.evidence)


async def test_a_wrong_key_is_said_once(bench: HostBench) -> None:
    bench.settings["api_key"] = "A" * 32
    bench.driver = bench.fresh()
    with capture_logs() as logs:
        bench.task = asyncio.create_task(bench.driver.run(), name="driver")
        await bench.until(lambda seen: "refuses the API key" in seen.message)
        with pytest.raises(DriverUnavailable):
            await bench.driver.start(bench.short, RunId("run-keyless"))
    assert bench.driver.observation.state is PrinterState.OFFLINE
    assert [entry["event"] for entry in logs] == ["host.lost"]
