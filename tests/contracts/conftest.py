"""What each port's contract is run on. An implementation joins by one line here."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from coordinator.adapters.db.postgresql import named
from coordinator.adapters.db.store import open_database, open_store
from coordinator.ports import Store
from tests.fakes.memory_store import MemoryStore
from tests.fakes.postgresql_process import PostgresqlProcess


@asynccontextmanager
async def memory_store(folder: Path) -> AsyncIterator[Store]:
    yield MemoryStore()


# Each opens an empty store in a folder of its own, and closes it.
STORES: dict[str, Callable[[Path], AbstractAsyncContextManager[Store]]] = {
    "memory": memory_store,
    "sqlite": lambda folder: open_store(folder / "farm.sqlite3"),
}


@pytest.fixture(params=[*sorted(STORES), "postgresql"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "postgresql":
        server: PostgresqlProcess = request.getfixturevalue("postgresql")
        opening: AbstractAsyncContextManager[Store] = open_database(named(server.new_database()))
    else:
        opening = STORES[request.param](tmp_path)
    async with opening as opened:
        yield opened
