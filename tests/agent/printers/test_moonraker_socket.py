"""What Moonraker tells by itself is taken in the order in which it is true."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from agent.printers.moonraker_socket import (
    CHANGES,
    LINE,
    SUBSCRIBE,
    MoonrakerSocket,
    moonraker_socket,
)


async def speak(request: web.Request) -> web.WebSocketResponse:
    """Tell of a change and of a restart before each subscription, and of a change after it."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        asked = message.json()
        subscribes = asked["method"] == SUBSCRIBE
        if asked["method"] == "printer.gcode.script":
            await socket.send_json({"method": LINE, "params": ["B:20.0 /0.0"]})
        if subscribes:
            await socket.send_json({"method": CHANGES, "params": [{"print": "older"}]})
            await socket.send_json({"method": "notify_klippy_disconnected"})
        await socket.send_json({"id": asked["id"], "result": {"status": {}}})
        if subscribes:
            await socket.send_json({"method": CHANGES, "params": [{"print": "younger"}]})
    return socket


@pytest.fixture
async def socket() -> AsyncIterator[MoonrakerSocket]:
    app = web.Application()
    app.router.add_get("/websocket", speak)
    server = TestServer(app)
    await server.start_server()
    root = str(server.make_url("")).rstrip("/")
    async with aiohttp.ClientSession() as session, moonraker_socket(session, root, "") as opened:
        yield opened
    await server.close()


async def test_a_change_told_before_a_subscription_does_not_undo_what_that_told(
    socket: MoonrakerSocket,
) -> None:
    await socket.ask(SUBSCRIBE)
    told = [await socket.told(5), await socket.told(5)]
    assert told == [("notify_klippy_disconnected", []), (CHANGES, [{"print": "younger"}])]


async def test_what_klipper_says_is_heard_before_the_answer_that_ends_it(
    socket: MoonrakerSocket,
) -> None:
    said: list[str] = []
    socket.heard = said.append
    await socket.call("printer.gcode.script")
    assert said == ["B:20.0 /0.0"]
