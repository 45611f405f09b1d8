"""A provider with its tools on a bench: wishes in, files out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from coordinator.adapters.outbound.guarded_http import guarded_http
from coordinator.adapters.outbound.reach import Reach
from coordinator.domain.providing import Look, Phase, Piece, ProviderFault, Submitted, Wish
from coordinator.ports_outward import Outside
from coordinator.ports_providers import Provider, ProviderMaker, Tools
from tests.fakes.fake_artifacts import FakeArtifacts
from tests.fakes.manual_clock import ManualClock

KEY = "gen-01jc5xk2v8"


class OneProvider:
    """What a use case does with a provider, in short."""

    def __init__(self, provider: Provider, artifacts: FakeArtifacts, clock: ManualClock) -> None:
        self.provider = provider
        self.artifacts = artifacts
        self.clock = clock
        self.told: list[tuple[float | None, str]] = []

    async def submit(self, wish: Wish, key: str = KEY) -> Submitted:
        return await self.provider.submit(wish, key, lambda *told: self.told.append(told))

    async def look(self, submitted: Submitted) -> Look:
        return submitted.look or await self.provider.look(submitted.handle)

    async def made(self, wish: Wish) -> Look:
        """Submit what is done at once, and return the look at it."""
        seen = await self.look(await self.submit(wish))
        assert seen.phase is Phase.SUCCEEDED, seen
        return seen

    async def fetched(self, piece: Piece) -> bytes:
        async with self.artifacts.stage(piece.suffix) as sink:
            await self.provider.fetch(piece, sink)
            return sink.path.read_bytes()

    async def refused(self, wish: Wish) -> ProviderFault:
        """Return the fault of a submit."""
        with pytest.raises(ProviderFault) as caught:
            await self.submit(wish)
        return caught.value

    async def unfetched(self, piece: Piece) -> ProviderFault:
        """Return the fault of a fetch."""
        with pytest.raises(ProviderFault) as caught:
            await self.fetched(piece)
        return caught.value


@asynccontextmanager
async def one_provider(
    maker: ProviderMaker, options: dict[str, Any], folder: Path, outside: Outside | None = None
) -> AsyncIterator[OneProvider]:
    """Lend a provider; the way to the outside is the real one, which asks nobody on this machine.

    Args:
        outside: another way.
    """
    artifacts, clock = FakeArtifacts(folder), ManualClock()
    async with guarded_http(Reach()) as guarded:
        tools = Tools(
            clock=clock, artifacts=artifacts, folder=folder / "own", outside=outside or guarded
        )
        provider = maker("box", options, tools)
        try:
            yield OneProvider(provider, artifacts, clock)
        finally:
            await provider.close()
