"""For all tests: how long an example takes depends on the machine, and proves nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from tests.fakes.postgresql_process import PostgresqlProcess, find, start_postgresql

ROOT = Path(__file__).parent

# What takes longest begins first, so that no worker is left alone with it in the end.
FIRST = ("proofs", "edges", "simulation", "benchmarks")

settings.register_profile("farm", deadline=None)
settings.load_profile("farm")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Have each worker of a whole run begin to load the tests elsewhere.

    What one of them has compiled the others find compiled, which is most of the work; side by side
    each would compile all of it. Which tests there are, and their order, stays the same.
    """
    worker = getattr(session.config, "workerinput", None)
    if worker is not None and session.config.args == session.config.getini("testpaths"):
        files = sorted(str(path) for path in ROOT.rglob("test_*.py"))
        number = int(worker["workerid"].removeprefix("gw"))
        begin = len(files) * number // worker["workercount"]
        session.config.args[:] = files[begin:] + files[:begin]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the rooms of long tests first; within a file the order stays."""
    rooms = {room: place for place, room in enumerate(FIRST)}

    def place(item: pytest.Item) -> tuple[int, Path]:
        return rooms.get(item.path.relative_to(ROOT).parts[0], len(rooms)), item.path

    items.sort(key=place)


@pytest.fixture(autouse=True)
def said_as_before() -> Iterator[None]:
    """Take back what a test did to the log: the next one may listen to it."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresqlProcess]:
    """A real server, started when the first test wants it."""
    if find() is None:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    with start_postgresql() as process:
        yield process
