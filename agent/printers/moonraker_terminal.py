"""What people say to a printer behind Moonraker, and what they see of its terminal."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

from agent.errors import AnswerLost, NotPossible
from agent.printers.moonraker_socket import Link
from agent.printers.webcam import beside, fetch_picture

COMMANDS = frozenset({"send", "dialogue", "emergency_stop", "connect", "webcam"})

SEND_TIMEOUT_S = 55.0  # less than an agent gives a command: so the answer says what it waits for
LINES_SHOWN = 60
OWN_PORT = 7125  # where Moonraker is asked itself, and not through the server of the web page
LINES_MAX = 1000  # Moonraker keeps no more, unless it is told to
_WAYS = {"command": ">", "response": "<"}


class MoonrakerTerminal:
    """One Moonraker's."""

    def __init__(self, link: Link) -> None:
        """Ask over a link."""
        self._link = link
        self._answer: list[str] | None = None
        self._asking = asyncio.Lock()

    def heard(self, line: str) -> None:
        """Klipper said a line."""
        if self._answer is not None:
            self._answer.append(line)

    async def command(self, name: str, arguments: Mapping[str, Any]) -> str:
        """Do one of `COMMANDS`.

        `send` says one `line` of G-code and returns what Klipper answered, `within_s`; `dialogue`
        returns the last `lines`; `emergency_stop` shuts Klipper down; `connect` restarts Klipper
        and its firmware where they stopped; `webcam` returns the address of its picture.

        Raises:
            NotPossible: with the reason.
            DriverUnavailable: no connection.
            AnswerLost: it was lost before the answer.
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
                return "\n".join(await self.lines(count))
            case "emergency_stop":
                await self._link.call("printer.emergency_stop")
                return "Klipper was shut down; reset it before anything else"
            case "connect":
                return await self._restart()
            case "webcam":
                return await self._webcam()
        raise NotPossible(f"{name!r} is no command for this printer")

    async def lines(self, count: int = LINES_SHOWN) -> list[str]:
        """Return the last lines, `>` to Klipper and `<` from it, oldest first.

        Lines of a file that is printed are not among them.
        """
        told = await self._link.ask("server.gcode_store", {"count": min(count, LINES_MAX)})
        shown: list[str] = []
        for entry in told.get("gcode_store", ()):
            way = _WAYS.get(entry.get("type"), "|")
            shown += [f"{way} {line}" for line in str(entry.get("message", "")).splitlines()]
        return shown[-count:]

    async def _send(self, line: str, within_s: float) -> str:
        """Say a line and return what Klipper says until it is done with it."""
        async with self._asking:
            answer: list[str] = []
            self._answer = answer
            try:
                await self._link.call("printer.gcode.script", {"script": line}, within_s)
            except AnswerLost as error:
                raise NotPossible(f"{error}; it may still be carried out") from error
            finally:
                self._answer = None
        return "\n".join(answer)

    async def _restart(self) -> str:
        told = await self._link.ask("server.info")
        if told.get("klippy_state") == "ready":
            return "Klipper is connected to its printer"
        await self._link.call("printer.firmware_restart")
        return "Klipper restarts, and its firmware too"

    async def picture(self) -> bytes:
        """Return a picture of the first webcam that is enabled.

        Raises:
            NotPossible: there is none; DriverUnavailable: nobody answers.
        """
        address = await self._address("snapshot_url", "stream_url")
        return await fetch_picture(beside(self._link.root, address, own_port=OWN_PORT))

    async def _webcam(self) -> str:
        return urljoin(f"{self._link.root}/", await self._address("stream_url", "snapshot_url"))

    async def _address(self, *kinds: str) -> str:
        """Return the first webcam's address, of the first kind that it has."""
        told = await self._link.ask("server.webcams.list")
        for webcam in told.get("webcams", ()):
            address = next((str(webcam[kind]) for kind in kinds if webcam.get(kind)), "")
            if webcam.get("enabled", True) and address:
                return address
        raise NotPossible("Moonraker has no webcam")
