"""OctoPrint's push socket: what it tells of its printer as it happens.

SockJS's raw websocket: each message is one JSON object with one key (docs.octoprint.org, "Push
updates"). A session from a passive login admits us; a subscription keeps away what nobody reads,
above all the terminal, which is most of the traffic while it prints.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from agent.errors import DriverUnavailable

# States at once; the rest comes with the next `current` message.
EVENTS = ["PrinterStateChanged", "FileSelected", "PrintCancelled", "PrintDone", "PrintFailed"]
THROTTLE = 2  # times 0.5 s between two `current` messages: telemetry has 1 Hz
CONNECT_S_MAX = 10.0
FIRST_MESSAGE_S_MAX = 15.0
PING_S = 15.0  # a host that froze is lost after one and a half of it
MESSAGE_BYTES_MAX = 16 << 20  # the first one of a long print carries hours of temperatures


class NoSocket(Exception):
    """The host is there, but it gives no push socket: something between us lets none through."""


class PushSocket:
    """An open one."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Read from a socket; see `push_socket`."""
        self._socket = socket

    async def receive(self, within_s: float | None = None) -> dict[str, Any]:
        """Return the next message, one key and its payload.

        Raises:
            DriverUnavailable: the connection is lost, or nothing came in time.
        """
        try:
            message = await self._socket.receive(timeout=within_s)
        except TimeoutError as error:
            raise DriverUnavailable("it tells nothing on its push socket") from error
        if message.type is not aiohttp.WSMsgType.TEXT:
            broken = self._socket.exception()
            raise DriverUnavailable(f"the connection broke: {broken}" if broken else "it closed")
        try:
            told = json.loads(message.data)
        except ValueError as error:
            raise DriverUnavailable("its push socket says no JSON") from error
        if not isinstance(told, dict):
            return {}
        if "reauthRequired" in told:
            raise DriverUnavailable("it wants another login")
        return told


@asynccontextmanager
async def push_socket(
    root: str, login: str, *, terminal: bool = False
) -> AsyncIterator[PushSocket]:
    """Connect, log in, subscribe.

    Args:
        root: address of OctoPrint's page.
        login: `user:session`.
        terminal: have the lines between it and its printer too.

    Raises:
        DriverUnavailable: it can't be reached.
        NoSocket: it answers, but not with a socket.
    """
    address = "ws" + root.removeprefix("http") + "/sockjs/websocket"
    state = {"logs": terminal, "messages": False}
    subscription = {"state": state, "plugins": False, "events": EVENTS}
    async with aiohttp.ClientSession() as session:
        try:
            async with asyncio.timeout(CONNECT_S_MAX):
                socket = await session.ws_connect(
                    address, heartbeat=PING_S, max_msg_size=MESSAGE_BYTES_MAX
                )
        except aiohttp.WSServerHandshakeError as error:
            raise NoSocket(f"{error.status} {error.message}") from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            words = str(error) or "no answer in time"
            raise DriverUnavailable(f"no connection: {words}") from error
        async with socket:
            try:
                await socket.send_json({"throttle": 1 if terminal else THROTTLE})
                await socket.send_json({"subscribe": subscription})
                await socket.send_json({"auth": login})
            except (aiohttp.ClientError, OSError) as error:
                raise DriverUnavailable(f"the connection broke: {error}") from error
            yield PushSocket(socket)
