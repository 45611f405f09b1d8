"""What people ask of a printer behind a real Moonraker."""

import asyncio

import pytest
from aiohttp import web

from agent.errors import DriverUnavailable, NotPossible
from protocols.wire.vocabulary import PrinterState, RunId, Tuning
from tests.edges.moonraker.bench import MoonBench
from tests.fakes.http_target import http_target
from tests.fakes.pictures import JPEG


async def test_a_line_is_answered_and_stands_in_the_dialogue(bench: MoonBench) -> None:
    await bench.connect()
    answer = await bench.driver.command("send", {"line": "M105"})
    assert answer == "B:20.0 /0.0 T0:21.0 /0.0"
    told = (await bench.driver.command("dialogue", {"lines": 2})).splitlines()
    assert told == ["> M105", f"< {answer}"]
    with pytest.raises(NotPossible, match="Move out of range"):
        await bench.driver.command("send", {"line": "G1 X900"})


async def test_fan_and_factors_are_seen_as_klipper_has_them(bench: MoonBench) -> None:
    await bench.connect()
    await bench.driver.command("send", {"line": "M106 S51"})
    await bench.driver.command("send", {"line": "M220 S80"})
    tuned = Tuning(fan_ratio=0.2, speed_ratio=0.8, flow_ratio=1.0)
    await bench.until(lambda seen: seen.tuning == tuned)


async def test_a_line_that_a_print_does_not_bear_is_refused(bench: MoonBench) -> None:
    await bench.connect()
    await bench.start(bench.long, "run-unborn")
    with pytest.raises(NotPossible):
        await bench.driver.command("send", {"line": "G28"})
    assert "G28" not in bench.klippy.said


async def test_a_head_that_a_person_moves_keeps_a_run_from_starting(bench: MoonBench) -> None:
    await bench.connect()
    await bench.driver.check(bench.short)
    jog = "\n".join(["G1 X10", "G4 P100"] * 100)
    jogging = asyncio.create_task(bench.person("printer/gcode/script", {"script": jog}))
    await bench.until(lambda seen: seen.state is PrinterState.ATTENTION)
    assert not bench.driver.observation.foreign
    with pytest.raises(NotPossible):
        await bench.driver.start(bench.short, RunId("run-too-soon"))
    bench.klippy.hurry()
    await jogging
    await bench.until(lambda seen: seen.state is PrinterState.IDLE)


async def test_the_picture_and_the_emergency_stop_are_at_hand(bench: MoonBench) -> None:
    await bench.connect()
    address = await bench.driver.command("webcam", {})
    assert address == f"{bench.server.url}/webcam/?action=stream"
    await bench.driver.command("emergency_stop", {})
    await bench.until(lambda seen: seen.state is PrinterState.HALTED)
    await bench.driver.command("connect", {})
    await bench.until(lambda seen: seen.state is PrinterState.IDLE)


async def test_a_picture_is_taken_of_the_webcam_that_moonraker_names(bench: MoonBench) -> None:
    await bench.connect()
    with pytest.raises(DriverUnavailable, match="snapshot does not answer"):
        await bench.driver.picture()

    async def shows(request: web.Request, body: bytes) -> web.StreamResponse:
        return web.Response(body=JPEG)

    async with http_target(shows, port=bench.server.camera_port) as camera:
        assert await bench.driver.picture() == JPEG
    assert camera.asked[0].path == "/snapshot"
    assert "x-api-key" not in camera.asked[0].headers
