"""Cameras that answer HTTP, or a program that reads one: a picture, or why there is none."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from aiohttp import web

from agent.cameras import DeviceCamera, HttpCamera, open_camera
from agent.commands import Order, Orders
from agent.errors import DriverError, DriverUnavailable, NotPossible, SettingsInvalid
from agent.pictures import Photographer, Post
from agent.printers.registry import open_driver
from agent.printers.webcam import beside, frame_in
from protocols.pictures import PICTURE_BYTES_MAX
from protocols.wire.to_agent import Command
from protocols.wire.vocabulary import AgentId, PrinterId
from tests.fakes.http_target import HttpTarget, http_target, status
from tests.fakes.pictures import JPEG, PNG

PRINTER = PrinterId("p-1")


@pytest.fixture
async def target() -> AsyncIterator[HttpTarget]:
    async with http_target() as found:
        yield found


def shows(picture: bytes) -> object:
    async def answer(request: web.Request, body: bytes) -> web.StreamResponse:
        return web.Response(body=picture)

    return answer


async def endless(request: web.Request, body: bytes) -> web.StreamResponse:
    """An MJPEG stream as ustreamer sends it, until somebody hangs up."""
    response = web.StreamResponse()
    response.content_type = "multipart/x-mixed-replace; boundary=frame"
    await response.prepare(request)
    with suppress(ConnectionError):
        while True:
            await response.write(b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + JPEG + b"\r\n")
    return response


@pytest.mark.parametrize("picture", [JPEG, PNG])
async def test_a_snapshot_is_taken_as_it_is(target: HttpTarget, picture: bytes) -> None:
    target.answer = shows(picture)  # type: ignore[assignment]
    assert await HttpCamera(target.url).picture() == picture


async def test_of_a_stream_one_frame_is_taken_and_the_line_hung_up(target: HttpTarget) -> None:
    target.answer = endless
    assert await HttpCamera(target.url).picture() == JPEG


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (shows(b"<html>no camera"), "neither JPEG nor PNG"),
        (shows(JPEG + bytes(PICTURE_BYTES_MAX)), "lower resolution"),
        (status(404), "answers 404"),
    ],
)
async def test_what_is_no_picture_says_what_it_is(
    target: HttpTarget, answer: object, words: str
) -> None:
    target.answer = answer  # type: ignore[assignment]
    with pytest.raises(NotPossible, match=words):
        await HttpCamera(target.url).picture()


async def test_where_nobody_answers_the_password_is_not_told(target: HttpTarget) -> None:
    url = f"http://eve:secret@127.0.0.1:{target.port}/x"
    target.answer = status(500)
    with pytest.raises(NotPossible) as told:
        await HttpCamera(url).picture()
    assert "secret" not in str(told.value)
    assert f"127.0.0.1:{target.port}/x" in str(told.value)
    with pytest.raises(DriverUnavailable, match="does not answer"):
        await HttpCamera("http://127.0.0.1:1/").picture()


@pytest.mark.parametrize(
    ("stream", "frame"),
    [
        (b"--b\r\nContent-Length: 3\r\n\r\nabcXX", b"abc"),
        (b"--b\r\nContent-Length: 9\r\n\r\nabc", None),
        (b"\r\n--b\r\ncontent-type: image/jpeg\r\n\r\nabc\r\n--b\r\n", b"abc"),
        (b"--b\nX: y\n\nabc\n--b\n", b"abc"),
        (b"--b\r\nX: y\r\n\r\nabc", None),
        (b"--b\r\nX: ", None),
        (b"--", None),
        (b"", None),
    ],
)
def test_a_frame_ends_where_its_length_or_its_boundary_says(
    stream: bytes, frame: bytes | None
) -> None:
    assert frame_in(stream) == frame


@pytest.mark.parametrize(
    ("host", "address", "own_port", "meant"),
    [
        ("http://octopi.local", "/webcam/?action=snapshot", None, "http://octopi.local/webcam/"),
        ("http://farm/octo", "webcam/?action=snapshot", None, "http://farm/octo/webcam/"),
        # An OctoPrint reaches its camera on its own machine, which is not ours.
        ("http://octopi.local", "http://127.0.0.1:8080/", None, "http://octopi.local:8080/"),
        ("http://127.0.0.1:5000", "http://localhost:8080/", None, "http://localhost:8080/"),
        ("http://octopi.local", "http://cam.local/jpg", None, "http://cam.local/jpg"),
        # Moonraker is asked past the web server that its addresses belong to.
        ("http://voron.local:7125", "/webcam/", 7125, "http://voron.local/webcam/"),
        ("http://[fe80::1]:7125", "/webcam/", 7125, "http://[fe80::1]/webcam/"),
        ("http://voron.local", "/webcam/", 7125, "http://voron.local/webcam/"),
    ],
)
def test_a_hosts_webcam_is_looked_for_where_the_host_means_it(
    host: str, address: str, own_port: int | None, meant: str
) -> None:
    assert beside(host, address, own_port=own_port).partition("?")[0] == meant


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


async def test_a_device_is_read_by_the_program_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    camera = DeviceCamera("/dev/video9")
    with pytest.raises(NotPossible, match="install ffmpeg or fswebcam"):
        await camera.picture()
    (tmp_path / "picture").write_bytes(JPEG)
    picture = tmp_path / "picture"
    program(tmp_path, "fswebcam", f'case "$*" in *"/dev/video9"*) /bin/cat {picture};; esac')
    assert await camera.picture() == JPEG
    program(tmp_path, "ffmpeg", "echo '/dev/video9: Device or resource busy' >&2; exit 1")
    with pytest.raises(DriverUnavailable, match="resource busy"):
        await camera.picture()


def test_a_printer_on_a_serial_line_has_no_host_to_ask_for_a_webcam() -> None:
    driver = open_driver("marlin_serial", PRINTER, {"port": "/dev/null"})
    assert open_camera("", driver) is None
    with pytest.raises(SettingsInvalid, match="has no host"):
        open_camera("host", driver)


class Lens:
    """A camera that shows what it is told to."""

    def __init__(self) -> None:
        self.shown: bytes | DriverError = JPEG
        self.open = asyncio.Event()
        self.open.set()

    async def picture(self) -> bytes:
        await self.open.wait()
        if isinstance(self.shown, DriverError):
            raise self.shown
        return self.shown


def photographer(target: HttpTarget, lens: Lens) -> Photographer:
    url = f"http://127.0.0.1:{target.port}"
    post = Post(AgentId("pi-1"), coordinator_url=url, token="agent_pi-1_s", ca_file=None)
    return Photographer(PRINTER, lens, post, monotonic_s=lambda: 100.0)


async def test_a_picture_goes_to_the_coordinator_with_the_agents_own_credential(
    target: HttpTarget,
) -> None:
    target.answer = status(204)
    await photographer(target, Lens()).command("picture", {"run_id": "run-7"})
    [asked] = target.asked
    assert (asked.method, asked.path) == ("PUT", "/api/v1/agents/pi-1/printers/p-1/picture")
    assert asked.body == JPEG
    assert asked.headers["authorization"] == "Bearer agent_pi-1_s"
    assert asked.headers["content-type"] == "image/jpeg"
    target.answer = status(403)
    with pytest.raises(NotPossible, match="answers 403"):
        await photographer(target, Lens()).command("picture", {})


async def test_two_pictures_of_a_printer_lie_two_seconds_apart(
    target: HttpTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    asleep = asyncio.sleep

    async def sleep(delay_s: float) -> None:
        slept.append(delay_s)
        await asleep(0)

    target.answer = status(204)
    looks = photographer(target, Lens())
    monkeypatch.setattr("agent.pictures.asyncio.sleep", sleep)
    await looks.command("picture", {})
    await looks.command("picture", {})
    # Others on this loop may sleep too.
    assert [delay_s for delay_s in slept if delay_s == 2.0] == [2.0]


async def test_a_camera_that_hangs_holds_up_no_other_command(target: HttpTarget) -> None:
    lens = Lens()
    lens.open.clear()
    driver = open_driver("marlin_serial", PRINTER, {"port": "/dev/null"})
    orders = Orders(driver, lambda: 0.0, photographer(target, lens))
    answers: asyncio.Queue[tuple[str, bool, str]] = asyncio.Queue()

    def order(name: str) -> Order:
        command = Command(id=name, agent_id=AgentId("pi-1"), printer_id=PRINTER, name=name)
        return Order(
            command=command,
            expires_at_s=1.0,
            answer=lambda ok, code, words: answers.put_nowait((name, ok, code)),
        )

    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(orders.run())
        assert orders.put(order("picture"))
        assert orders.put(order("dialogue"))
        assert await answers.get() == ("dialogue", True, "")
        lens.shown = DriverUnavailable("it is dark")
        lens.open.set()
        assert await answers.get() == ("picture", False, "failed")
        running.cancel()
