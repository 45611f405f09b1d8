"""A provider before a server that stands in for its service, for the contract of all providers."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from coordinator.domain.providing import Handle, Look, Phase, Piece, Submitted, Wish
from coordinator.ports_providers import Provider, Tools
from tests.fakes.fake_artifacts import FakeArtifacts
from tests.fakes.manual_clock import ManualClock
from tests.fakes.paid_service import PaidService

_ENDED = (Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELLED)
_LOOKS_MAX = 50


@dataclass(kw_only=True)
class ProviderBench:
    """What the contract needs of one provider.

    Attributes:
        wish: one that it takes, and that costs something.
        refused: one that it does not take, though its kind is right.
        secrets: what must never be shown: keys.
        make: another one of it, as after a restart.
        delivery: a webhook's headers and body about a task; None where it has none.
    """

    provider: Provider
    service: PaidService
    wish: Wish
    refused: Wish
    secrets: tuple[str, ...]
    make: Callable[[], Provider]
    artifacts: FakeArtifacts
    clock: ManualClock
    delivery: Callable[[str], tuple[dict[str, str], bytes]] | None = None
    others: list[Provider] = field(default_factory=list)

    @property
    def began_at(self) -> datetime:
        return self.clock.now()

    async def submitted(self, key: str = "gen-1") -> Submitted:
        return await self.provider.submit(self.wish, key, _told)

    async def ended(self, handle: Handle) -> Look:
        """Look until a task has ended."""
        for _ in range(_LOOKS_MAX):
            look = await self.provider.look(handle)
            if look.phase in _ENDED:
                return look
        raise AssertionError(f"it did not end within {_LOOKS_MAX} looks")

    async def made(self) -> tuple[Handle, Look]:
        """Return a task that has succeeded."""
        submitted = await self.submitted()
        if submitted.look is not None:
            return submitted.handle, submitted.look
        self.service.finish()
        return submitted.handle, await self.ended(submitted.handle)

    async def fetched(self, piece: Piece) -> bytes:
        async with self.artifacts.stage(piece.suffix) as sink:
            await self.provider.fetch(piece, sink)
            return sink.path.read_bytes()

    def restarted(self) -> Provider:
        """Return a new one of it, that knows nothing."""
        self.others.append(self.make())
        return self.others[-1]


def _told(progress: float | None, stage: str) -> None:
    del progress, stage


def kept(handle: Handle) -> Handle:
    """Return a handle as it comes back from a database."""
    return replace(handle, extra=json.loads(json.dumps(dict(handle.extra))))


@asynccontextmanager
async def bench_of(
    folder: Path,
    service: PaidService,
    make: Callable[[Tools], Provider],
    *,
    wish: Wish,
    refused: Wish,
    secrets: tuple[str, ...] = (),
    delivery: Callable[[str], tuple[dict[str, str], bytes]] | None = None,
) -> AsyncIterator[ProviderBench]:
    """Put a provider before a server that runs."""
    clock, artifacts = ManualClock(), FakeArtifacts(folder)
    service.now_ms = int(clock.now().timestamp() * 1000)
    tools = Tools(clock=clock, artifacts=artifacts, folder=folder)
    bench = ProviderBench(
        provider=make(tools),
        service=service,
        wish=wish,
        refused=refused,
        secrets=(service.key, *secrets),
        make=lambda: make(tools),
        artifacts=artifacts,
        clock=clock,
        delivery=delivery,
    )
    try:
        yield bench
    finally:
        for each in (bench.provider, *bench.others):
            await each.close()
