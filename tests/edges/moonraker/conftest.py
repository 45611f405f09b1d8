"""One Moonraker for all tests; each test has a driver and a printer that rests."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.edges.moonraker.bench import MoonBench
from tests.fakes.moonraker_server import MoonrakerServer


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MoonrakerServer]:
    server = MoonrakerServer(tmp_path_factory.mktemp("server"))
    server.klippy.boot()
    server.start()
    yield server
    server.close()


@pytest.fixture
async def bench(server: MoonrakerServer, tmp_path: Path) -> AsyncIterator[MoonBench]:
    bench = MoonBench(server, tmp_path)
    yield bench
    await bench.die()
    await asyncio.to_thread(bench.tidy)
