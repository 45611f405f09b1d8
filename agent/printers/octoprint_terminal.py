"""What people say to a printer behind OctoPrint, and what they see of its terminal.

Its terminal is told on the push socket only, and costs both sides much while it prints. So it is
listened to just while somebody asks: a second socket begins with the last lines.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urljoin

from octorest import OctoRest

from agent.errors import DriverUnavailable, NotPossible
from agent.printers.octoprint_rest import Rest
from agent.printers.octoprint_socket import (
    FIRST_MESSAGE_S_MAX,
    NoSocket,
    PushSocket,
    push_socket,
)
from agent.printers.webcam import beside, fetch_picture

COMMANDS = frozenset({"send", "dialogue", "emergency_stop", "connect", "webcam"})

SEND_TIMEOUT_S = 55.0  # less than an agent gives a command: so the answer says what it waits for
LINES_SHOWN = 60
LINES_MAX = 300  # OctoPrint keeps no more

_NUMBERED = re.compile(r"N\d+ (.*?)\*\d+$")


class OctoPrintTerminal:
    """One OctoPrint's."""

    def __init__(self, rest: Rest, connect: Callable[[], Awaitable[None]]) -> None:
        """Ask through its API; `connect` has it connect to its printer."""
        self._rest = rest
        self._connect = connect

    async def command(self, name: str, arguments: Mapping[str, Any]) -> str:
        """Do one of `COMMANDS`.

        `send` says one `line` of G-code and returns what the printer answered, `within_s`;
        `dialogue` returns the last `lines`; `emergency_stop` says M112; `connect` has OctoPrint
        connect to its printer; `webcam` returns the address of its picture.

        Raises:
            NotPossible: with the reason.
            DriverUnavailable: no connection, or it was lost before the answer.
        """
        match name:
            case "send":
                within_s = arguments.get("within_s")
                if not isinstance(within_s, int | float):
                    within_s = SEND_TIMEOUT_S
                return await self._send(str(arguments["line"]), within_s)
            case "dialogue":
                count = arguments.get("lines", LINES_SHOWN)
                if isinstance(count, bool) or not isinstance(count, int) or count < 1:
                    raise NotPossible(f"lines is a number up to {LINES_MAX}, not {count!r}")
                return "\n".join((await self.lines())[-count:])
            case "emergency_stop":
                await self._rest.call(lambda client: client.gcode("M112"))
                return "M112 was said; reset the printer before anything else"
            case "connect":
                await self._connect()
                return "OctoPrint connects to its printer"
            case "webcam":
                return await self._rest.call(self._webcam)
        raise NotPossible(f"{name!r} is no command for this printer")

    async def lines(self) -> list[str]:
        """Return the last lines, `>` to the printer and `<` from it, oldest first."""
        try:
            async with push_socket(
                self._rest.root, await self._rest.login(), terminal=True
            ) as socket:
                return [_shown(line) for line in await _history(socket)]
        except NoSocket as error:
            raise DriverUnavailable(f"the terminal comes by push socket only: {error}") from error

    async def _send(self, line: str, within_s: float) -> str:
        """Say a line and return what came until it was accepted."""
        login = await self._rest.login()
        try:
            async with (
                asyncio.timeout(within_s),
                push_socket(self._rest.root, login, terminal=True) as socket,
            ):
                await _history(socket)
                await self._rest.call(lambda client: client.gcode(line))
                return await _answer(socket, line)
        except TimeoutError:
            raise NotPossible(
                f"no answer to {line} within {within_s:.0f} s; it may still be carried out"
            ) from None
        except NoSocket as error:
            raise DriverUnavailable(f"answers are told on a push socket only: {error}") from error

    async def picture(self) -> bytes:
        """Return a picture of its webcam.

        Raises:
            NotPossible: there is none; DriverUnavailable: nobody answers.
        """
        kinds = ("snapshotUrl", "streamUrl")
        address = await self._rest.call(lambda client: _address(client, *kinds))
        return await fetch_picture(beside(self._rest.root, address))

    def _webcam(self, client: OctoRest) -> str:
        return urljoin(f"{self._rest.root}/", _address(client, "streamUrl", "snapshotUrl"))


def _address(client: OctoRest, *kinds: str) -> str:
    """Return the webcam's address, of the first kind that it has."""
    told = client.settings()["webcam"]
    address = next((str(told[kind]) for kind in kinds if told.get(kind)), "")
    if not told.get("webcamEnabled", True) or not address:
        raise NotPossible("OctoPrint has no webcam")
    return address


async def _history(socket: PushSocket) -> list[str]:
    """Return the lines before now; after it, new ones come."""
    while True:
        message = await socket.receive(FIRST_MESSAGE_S_MAX)
        if "history" in message:
            return list(message["history"].get("logs") or ())


async def _answer(socket: PushSocket, line: str) -> str:
    """Return what the printer says between a line and its acceptance.

    OctoPrint has one line in flight: the first `ok` after ours is its own.
    """
    said, answer = False, list[str]()
    while True:
        message = await socket.receive()
        for entry in (message.get("current") or {}).get("logs") or ():
            way, text = _split(entry)
            if way == ">":
                said = said or _bare(text) == line
            elif way == "<" and said:
                if text.startswith("ok"):
                    if rest := text.removeprefix("ok").strip():
                        answer.append(rest)
                    return "\n".join(answer)
                answer.append(text)


def _split(entry: str) -> tuple[str, str]:
    for word, way in (("Send: ", ">"), ("Recv: ", "<")):
        if entry.startswith(word):
            return way, entry.removeprefix(word).strip()
    return "", entry.strip()


def _shown(entry: str) -> str:
    way, text = _split(entry)
    return f"{way or '|'} {text}"


def _bare(text: str) -> str:
    numbered = _NUMBERED.match(text)
    return (numbered[1] if numbered else text).strip()
