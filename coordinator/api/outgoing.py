"""Answers that are made while they are sent."""

from collections.abc import AsyncIterator

from aiohttp import web

from coordinator.errors import FarmError


async def give_out(
    request: web.Request, response: web.StreamResponse, parts: AsyncIterator[bytes]
) -> None:
    """Send the parts of a prepared answer, and end it.

    After the headers nothing can be said any more: who did not get all sees the connection break.
    """
    try:
        async for part in parts:
            await response.write(part)
    except FarmError:
        if request.transport is not None:
            request.transport.abort()
        raise
    await response.write_eof()
