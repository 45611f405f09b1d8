"""Runs on a real OctoPrint with its Virtual Printer."""

import asyncio

import pytest
from aiohttp import web

from agent.errors import DriverUnavailable, NotPossible
from agent.printers.driver import Observation, RunState
from protocols.wire.vocabulary import PrinterState
from tests.edges.octoprint.bench import HostBench
from tests.fakes.http_target import http_target
from tests.fakes.pictures import JPEG


def target(seen: Observation) -> float | None:
    return seen.temperatures["tool0"].target_celsius if seen.temperatures else None


async def test_a_plate_is_printed_to_its_end_under_the_name_of_its_run(bench: HostBench) -> None:
    await bench.connect()
    run_id = await bench.start(bench.short, "run-whole")
    await bench.until_run(RunState.FINISHED)
    run = bench.driver.observation.run
    assert run is not None
    assert (run.run_id, run.progress, run.line) == (run_id, 1.0, run.line_count)
    assert run.layer == run.layer_count == 5
    assert bench.driver.observation.state is PrinterState.IDLE
    printed = await asyncio.to_thread(bench.server.printed, "farmhand/run-whole.gcode")
    assert (printed["success"], printed["failure"]) == (1, 0)


async def test_a_run_pauses_goes_on_and_stops_with_its_heaters_off(bench: HostBench) -> None:
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


async def test_what_a_person_cancels_on_the_page_has_stopped_not_failed(bench: HostBench) -> None:
    await bench.connect()
    await bench.start(bench.long, "run-cancelled")
    await bench.person("api/job", {"command": "cancel"})
    await bench.until_run(RunState.STOPPED)
    assert "cancelled at OctoPrint" in bench.driver.observation.run.reason  # type: ignore[union-attr]


async def test_a_foreign_print_is_seen_and_neither_claimed_nor_stopped(bench: HostBench) -> None:
    await bench.connect()
    await bench.driver.check(bench.long)
    path = f"api/files/local/farmhand/plates/{bench.long.sha256}.gcode"
    await bench.person(path, {"command": "select", "print": True})
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
    await bench.person("api/job", {"command": "cancel"})
    await bench.until(lambda seen: seen.state is PrinterState.IDLE)
    assert not bench.driver.observation.foreign


async def test_a_line_is_answered_by_the_printer_and_stands_in_the_dialogue(
    bench: HostBench,
) -> None:
    await bench.connect()
    assert "Virtual Marlin" in await bench.driver.command("send", {"line": "M115"})
    said = (await bench.driver.command("dialogue", {"lines": 100})).splitlines()
    assert any("M115" in line for line in said if line.startswith(">"))
    await bench.start(bench.long, "run-talked-to")
    with pytest.raises(NotPossible):
        await bench.driver.command("send", {"line": "G28"})
    assert await bench.driver.command("send", {"line": "M117 hello"}) == "echo:hello"


async def test_the_webcam_is_told_as_an_address(bench: HostBench) -> None:
    await bench.connect()
    address = await bench.driver.command("webcam", {})
    assert address == f"{bench.server.url}/webcam/?action=stream"


async def test_a_picture_is_taken_of_the_webcam_that_octoprint_names(bench: HostBench) -> None:
    await bench.connect()
    with pytest.raises(DriverUnavailable, match="snapshot does not answer"):
        await bench.driver.picture()

    async def shows(request: web.Request, body: bytes) -> web.StreamResponse:
        return web.Response(body=JPEG)

    async with http_target(shows, port=bench.server.camera_port) as camera:
        assert await bench.driver.picture() == JPEG
    assert camera.asked[0].path == "/snapshot"
    assert "x-api-key" not in camera.asked[0].headers
