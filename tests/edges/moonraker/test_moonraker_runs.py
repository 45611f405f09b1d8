"""Runs on a real Moonraker; Klipper is a stand-in."""

import asyncio
import hashlib
from dataclasses import replace

import pytest

from agent.errors import NotPossible
from agent.printers.driver import Observation, RunState
from protocols.wire.vocabulary import PrinterState, RunId
from tests.edges.moonraker.bench import MoonBench
from tests.edges.octoprint.bench import plate_of


def target(seen: Observation) -> float | None:
    return seen.temperatures["tool0"].target_celsius


async def test_a_plate_is_printed_to_its_end_under_the_name_of_its_run(bench: MoonBench) -> None:
    await bench.connect()
    run_id = await bench.start(bench.short, "run-whole")
    await bench.until_run(RunState.FINISHED)
    run = bench.driver.observation.run
    assert run is not None
    assert (run.run_id, run.progress, run.line) == (run_id, 1.0, run.line_count)
    assert run.layer == run.layer_count == 5
    assert bench.klippy.status("idle_timeout")["state"] == "Ready", "motion has ended"
    await bench.until(lambda seen: seen.state is PrinterState.IDLE)
    assert bench.klippy.begun[-1] == "farmhand/run-whole.gcode"
    printed = await asyncio.to_thread(bench.server.printed, "farmhand/run-whole.gcode")
    assert printed == ["completed"]


async def test_a_run_pauses_goes_on_and_stops_with_its_heaters_off(bench: MoonBench) -> None:
    await bench.connect()
    await bench.start(bench.long, "run-steered")
    await bench.driver.pause()
    await bench.until_run(RunState.PAUSED)
    assert bench.driver.observation.state is PrinterState.PAUSED
    await bench.driver.resume()
    await bench.until_run(RunState.PRINTING)
    await bench.until(lambda seen: seen.run and seen.run.progress > 0)
    await bench.until(lambda seen: target(seen) == 50)
    await bench.driver.stop()
    await bench.until_run(RunState.STOPPED)
    await bench.until(lambda seen: seen.state is PrinterState.IDLE)
    await bench.until(lambda seen: target(seen) == 0)


async def test_an_order_waits_for_klippers_command_and_is_not_given_twice(
    bench: MoonBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.printers.moonraker.ORDER_S", 0.05)
    await bench.connect()
    await bench.start(bench.endless, "run-slow")
    before = len(bench.klippy.said)
    await bench.until(lambda _: bench.klippy.status("extruder")["target"] == 50)
    for _ in range(3):
        await bench.driver.stop()
    assert bench.driver.observation.run.state is RunState.PRINTING  # type: ignore[union-attr]
    bench.klippy.hurry()
    await bench.until_run(RunState.STOPPED)
    assert bench.klippy.said[before:].count("CANCEL_PRINT") == 1


async def test_what_a_person_cancels_has_stopped_not_failed(bench: MoonBench) -> None:
    await bench.connect()
    await bench.start(bench.long, "run-cancelled")
    await bench.person("printer/print/cancel", {})
    await bench.until_run(RunState.STOPPED)
    assert "cancelled at Klipper" in bench.driver.observation.run.reason  # type: ignore[union-attr]


async def test_a_line_that_klipper_refuses_fails_the_run_with_its_words(bench: MoonBench) -> None:
    # Else a plate that leaves the bed is refused before.
    bench.settings["allow"] = ["cold", "unhomed", "envelope"]
    bench.driver = bench.fresh()
    await bench.connect()
    far = plate_of(bench.folder, "far.gcode", layers=2, dwell_ms=50)
    text = far.path.read_bytes().replace(b"X50 Y50", b"X950 Y5")
    far.path.write_bytes(text)
    far = replace(far, sha256=hashlib.sha256(text).hexdigest())
    await bench.driver.check(far)
    await bench.driver.start(far, RunId("run-far"))
    await bench.until_run(RunState.FAILED)
    run = bench.driver.observation.run
    assert run is not None
    assert "Move out of range" in run.reason
    assert any("Move out of range" in line for line in run.evidence)


async def test_a_foreign_print_is_seen_and_neither_claimed_nor_stopped(bench: MoonBench) -> None:
    await bench.connect()
    await bench.driver.check(bench.long)
    stored = f"farmhand/plates/{bench.long.sha256}.gcode"
    await bench.person("printer/print/start", {"filename": stored})
    await bench.until(lambda seen: seen.state is PrinterState.PRINTING)
    seen = bench.driver.observation
    assert seen.foreign
    assert seen.run is None
    for order in (bench.driver.pause, bench.driver.stop):
        with pytest.raises(NotPossible):
            await order()
    with pytest.raises(NotPossible):
        await bench.start(bench.short, "run-refused")
    assert bench.driver.observation.foreign
    await bench.person("printer/print/cancel", {})
    await bench.until(lambda seen: seen.state is PrinterState.IDLE)
    assert not bench.driver.observation.foreign
