"""The camera above a simulated bed: any GET is answered with a picture of how it looks now."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

_ASKS_S_MAX = 5.0
_HEAD = "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: {}\r\nConnection: close\r\n"


class Camera:
    """Serves pictures on a free port of this machine."""

    def __init__(self, address: Path, picture: Callable[[], bytes]) -> None:
        """Serve what `picture` returns; its URL is written to a file once it can be asked."""
        self._address = address
        self._picture = picture
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen, and tell where."""
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self._address.parent.mkdir(parents=True, exist_ok=True)
        scratch = self._address.with_name(self._address.name + ".new")
        scratch.write_text(f"http://127.0.0.1:{port}/\n")
        scratch.replace(self._address)

    def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            self._address.unlink(missing_ok=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, TimeoutError, ValueError):
            async with asyncio.timeout(_ASKS_S_MAX):
                await reader.readuntil(b"\r\n\r\n")
                picture = self._picture()
                writer.write(_HEAD.format(len(picture)).encode() + b"\r\n" + picture)
                await writer.drain()
        writer.close()
