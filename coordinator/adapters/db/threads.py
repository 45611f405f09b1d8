"""What may take long in a database is done in a thread, to its end even when cancelled."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


async def whole(work: Callable[[], Result]) -> Result:
    """Do something in a thread, to its end even when cancelled: the connection is in its hands."""
    return await ended(asyncio.ensure_future(asyncio.to_thread(work)))


async def ended(doing: asyncio.Future[Result]) -> Result:
    """Wait to the end of something, also while cancelled; return what it returns."""
    cancelled = False
    while not doing.done():
        try:
            await asyncio.wait({doing})
        except asyncio.CancelledError:
            cancelled = True
    result = doing.result()
    if cancelled:
        raise asyncio.CancelledError
    return result
