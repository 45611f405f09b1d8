"""Work in a thread for as long as a block lasts."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TypeVar

Lent = TypeVar("Lent")


@contextmanager
def in_thread(work: Callable[[], object], stop: Callable[[], object]) -> Iterator[None]:
    """Do `work` in a thread; `stop` has it end, which is waited for."""
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop()
        thread.join()


@contextmanager
def apart(serving: AbstractAsyncContextManager[Lent]) -> Iterator[Lent]:
    """Lend a server that lives in a thread, for tests that are not asynchronous themselves."""
    lent: list[Lent] = []
    ready, ended, loop = threading.Event(), asyncio.Event(), asyncio.new_event_loop()

    async def serve() -> None:
        async with serving as server:
            lent.append(server)
            ready.set()
            await ended.wait()

    with in_thread(
        lambda: loop.run_until_complete(serve()), lambda: loop.call_soon_threadsafe(ended.set)
    ):
        assert ready.wait(20)
        yield lent[0]
    loop.close()
