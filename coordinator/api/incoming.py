"""A request's body as it comes in: no longer than it may be, and not endlessly slow.

The library waits for the next byte as long as a connection lives, and whoever sends one now and
then holds a connection, a file on its way to the disk, and a place among the open files.
"""

import asyncio
import time
from collections.abc import Awaitable
from typing import cast

from aiohttp import MultipartReader, StreamReader, web

from coordinator.api.problems import BadRequest, Problem

# Between two pieces: a phone that loses its net for a moment comes back within it.
STALL_S = 30.0
# Over all of it, once somebody was waited for so long; the worst link has tenfold.
GRACE_S = 60.0
BYTES_PER_S_MIN = 1024
# A document of a few hundred bytes comes in one piece, or within this time.
DOCUMENT_S = 30.0


class Incoming:
    """A body's bytes, piece by piece; all that `MultipartReader` asks of a stream."""

    def __init__(self, content: StreamReader, *, bytes_max: int, too_large: BadRequest) -> None:
        """Take a body of which nothing was read yet.

        Args:
            bytes_max: how long it may be, with all that stands around a file.
            too_large: how more is refused.
        """
        self._content = content
        self._bytes_max, self._too_large = bytes_max, too_large
        self._got, self._waited_s = 0, 0.0

    async def read(self, n: int = -1) -> bytes:
        """Return up to so many bytes, none at the end.

        Raises:
            BadRequest: 408 too slow, 413 too long.
        """
        return await self._next(self._content.read(n))

    async def readline(self, *, max_line_length: int | None = None) -> bytes:
        """Return a line; raises as `read`."""
        return await self._next(self._content.readline(max_line_length=max_line_length))

    def at_eof(self) -> bool:
        """Whether all was read."""
        return self._content.at_eof()

    def unread_data(self, data: bytes) -> None:
        """Put back what was read too far."""
        self._got -= len(data)
        self._content.unread_data(data)

    async def _next(self, getting: Awaitable[bytes]) -> bytes:
        """Wait for a piece; what we do with it meanwhile, a full disk say, is not its sender's."""
        left_s = GRACE_S + self._got / BYTES_PER_S_MIN - self._waited_s
        asked_s = time.monotonic()
        try:
            async with asyncio.timeout(min(STALL_S, left_s)):
                data = await getting
        except TimeoutError as error:
            raise too_slow() from error
        self._waited_s += time.monotonic() - asked_s
        self._got += len(data)
        if self._got > self._bytes_max:
            raise self._too_large
        return data


def form_in(request: web.Request, *, bytes_max: int, too_large: BadRequest) -> MultipartReader:
    """Return a form's parts, read as `Incoming` reads."""
    limits = request.protocol
    return MultipartReader(
        request.headers,
        # It asks no more of a stream than this.
        cast(StreamReader, Incoming(request.content, bytes_max=bytes_max, too_large=too_large)),
        max_field_size=limits.max_field_size,
        max_headers=limits.max_headers,
    )


async def document_in(request: web.Request) -> bytes:
    """Return a short body whole.

    Raises:
        BadRequest: 408, it does not come.
    """
    try:
        async with asyncio.timeout(DOCUMENT_S):
            return await request.read()
    except TimeoutError as error:
        raise too_slow() from error


def too_slow() -> BadRequest:
    """Return the refusal of what does not come."""
    return BadRequest(
        Problem(
            status=408,
            code="too_slow",
            title="Too slow",
            detail="What was to be sent did not come: try again on a better line.",
        )
    )
