"""Files that were fetched to be looked at: kept for a while, so that they are not fetched twice."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from coordinator.ports import ArtifactStore, StagedFile

# Each may be as long as the longest download.
FILES_MAX = 3


@dataclass(eq=False)
class _Held:
    stack: AsyncExitStack
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    path: Path | None = None
    users: int = 0


class Shelf:
    """Holds files by their addresses in the store's own place for what is not kept."""

    def __init__(self, artifacts: ArtifactStore) -> None:
        """Begin empty."""
        self._artifacts = artifacts
        self._held: OrderedDict[str, _Held] = OrderedDict()

    @asynccontextmanager
    async def lend(
        self, url: str, fetch: Callable[[StagedFile], Awaitable[None]], *, last: bool = False
    ) -> AsyncIterator[Path]:
        """Lend a file.

        Args:
            fetch: writes it, where it is not here.
            last: it is not wanted any more afterwards.
        """
        held = self._held.setdefault(url, _Held(AsyncExitStack()))
        held.users += 1
        try:
            async with held.lock:
                if held.path is None:
                    held.path = await self._fetched(held, fetch)
            yield held.path
        finally:
            held.users -= 1
            self._held.move_to_end(url)
            if not held.users and (last or held.path is None):
                await self._held.pop(url).stack.aclose()
            await self._tidy()

    async def close(self) -> None:
        """Let go of all."""
        while self._held:
            await self._held.popitem()[1].stack.aclose()

    async def _fetched(self, held: _Held, fetch: Callable[[StagedFile], Awaitable[None]]) -> Path:
        async with AsyncExitStack() as stack:
            staged = await stack.enter_async_context(self._artifacts.stage())
            await fetch(staged)
            held.stack = stack.pop_all()
            return staged.path

    async def _tidy(self) -> None:
        idle = [url for url, held in self._held.items() if not held.users]
        for url in idle[: max(0, len(self._held) - FILES_MAX)]:
            await self._held.pop(url).stack.aclose()
