"""`farmhand-agent check` says of each kind of printer what is wrong, and what to do about it."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from agent.check import EXIT_ALL_WELL, EXIT_SOMETHING_WRONG, check
from agent.settings import AgentSettings
from tests.benchmarks.hosts.octoprint import free_port
from tests.fakes.fake_moonraker import FakeMoonraker
from tests.fakes.fake_octoprint import KEY, FakeOctoPrint
from tests.fakes.fake_prusalink import FakePrusaLink
from tests.fakes.pictures import JPEG

FAKES = {"octoprint": FakeOctoPrint, "moonraker": FakeMoonraker, "prusalink": FakePrusaLink}
Host = FakeOctoPrint | FakeMoonraker | FakePrusaLink


@pytest.fixture(params=sorted(FAKES))
async def host(request: pytest.FixtureRequest) -> AsyncIterator[tuple[str, Host, str]]:
    """A host's kind, the host, and its address."""
    fake = FAKES[request.param]()
    url = await fake.start()
    yield request.param, fake, url
    await fake.stop()


async def said_of(
    folder: Path, driver: str, *, camera: str = "", **settings: Any
) -> tuple[int, str]:
    """Return the exit code, and all that is said of one printer."""
    lines: list[str] = []
    printer = {"id": "p1", "driver": driver, "printer_class": "any", "settings": settings}
    printer["camera"] = camera
    asked = AgentSettings.model_validate({"state_dir": folder, "printers": [printer]})
    return await check(asked, timeout_s=1.2, say=lines.append), "\n".join(lines)


def turn_off(host: Host) -> None:
    """The host is there, its printer is not."""
    match host:
        case FakeOctoPrint():
            host.state = "Offline"
            host.refuse["connect"] = 400
        case FakeMoonraker():
            host.klippy_state = "shutdown"
        case FakePrusaLink():
            host.state, host.trouble = "ERROR", "Serial device does not exist"


async def test_a_printer_that_answers_is_well(host: tuple[str, Host, str], tmp_path: Path) -> None:
    driver, _, url = host
    code, said = await said_of(tmp_path, driver, url=url, api_key=KEY)
    assert (code, said) == (EXIT_ALL_WELL, f"ok    p1 ({driver}): idle")


async def test_its_camera_is_tried_too(tmp_path: Path) -> None:
    fake = FakePrusaLink(picture=JPEG)
    url = await fake.start()
    try:
        code, said = await said_of(tmp_path, "prusalink", camera="host", url=url, api_key=KEY)
        well = f"ok    p1 (prusalink): idle, its camera shows a picture of {len(JPEG)} bytes"
        assert (code, said) == (EXIT_ALL_WELL, well)
        fake.picture = None
        code, said = await said_of(tmp_path, "prusalink", camera="host", url=url, api_key=KEY)
        wrong = "WRONG p1 (prusalink): idle, PrusaLink has no camera"
        assert (code, said) == (EXIT_SOMETHING_WRONG, wrong)
        _, said = await said_of(tmp_path, "marlin_serial", camera="host", port="/dev/null")
        assert "has no host" in said
    finally:
        await fake.stop()


async def test_a_wrong_key_is_named_and_where_to_get_another(
    host: tuple[str, Host, str], tmp_path: Path
) -> None:
    driver, _, url = host
    code, said = await said_of(tmp_path, driver, url=url, api_key="guess")
    assert code == EXIT_SOMETHING_WRONG
    assert "refuses the API key" in said
    assert "take the key anew" in said


async def test_a_host_that_is_down_is_told_from_a_port_where_something_else_answers(
    host: tuple[str, Host, str], tmp_path: Path
) -> None:
    driver, _, _ = host
    down = f"http://127.0.0.1:{free_port()}"
    _, said = await said_of(tmp_path, driver, url=down, api_key=KEY)
    assert "nothing listens there" in said
    async with TestServer(web.Application(), host="127.0.0.1") as other:
        _, said = await said_of(
            tmp_path, driver, url=str(other.make_url("")).rstrip("/"), api_key=KEY
        )
    assert "something else answers there" in said


async def test_a_printer_that_is_off_is_told_from_a_host_that_is(
    host: tuple[str, Host, str], tmp_path: Path
) -> None:
    driver, fake, url = host
    turn_off(fake)
    code, said = await said_of(tmp_path, driver, url=url, api_key=KEY)
    assert code == EXIT_SOMETHING_WRONG
    verdict, advice = said.splitlines()
    assert verdict.startswith(f"WRONG p1 ({driver})")
    assert "printer" in advice
    assert "nothing listens" not in said


async def test_serial_ports_that_are_silent_gone_or_none_are_told_apart(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    try:
        _, silent = await said_of(tmp_path, "marlin_serial", port=os.ttyname(theirs))
    finally:
        os.close(ours)
        os.close(theirs)
    assert "turn the printer on" in silent
    _, gone = await said_of(tmp_path, "marlin_serial", port="/dev/serial/by-id/gone")
    assert "plug it in" in gone
    _, none = await said_of(tmp_path, "marlin_serial", port=str(tmp_path))
    assert "that is no serial port" in none


@pytest.mark.parametrize("scheme", ["socket", "rfc2217"])
async def test_a_serial_server_that_is_down_is_said_to_be(scheme: str, tmp_path: Path) -> None:
    port = f"{scheme}://127.0.0.1:{free_port()}"
    code, said = await said_of(tmp_path, "marlin_serial", port=port)
    assert code == EXIT_SOMETHING_WRONG
    assert "nothing listens there" in said
