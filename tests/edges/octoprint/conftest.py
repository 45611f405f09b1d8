"""One OctoPrint for each module of tests; each test has a driver and a printer that rests."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.edges.octoprint.bench import HostBench
from tests.fakes.octoprint_server import OctoPrintServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OctoPrintServer]:
    server = OctoPrintServer(tmp_path_factory.mktemp("server"))
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture
async def bench(server: OctoPrintServer, tmp_path: Path) -> AsyncIterator[HostBench]:
    bench = HostBench(server, tmp_path)
    yield bench
    await bench.die()
    await asyncio.to_thread(bench.tidy)
