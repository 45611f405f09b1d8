"""For all tests: how long an example takes depends on the machine, and proves nothing."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.fakes.postgresql_process import PostgresqlProcess, find, start_postgresql

settings.register_profile("farm", deadline=None)
settings.load_profile("farm")


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresqlProcess]:
    """A real server, started when the first test wants it."""
    if find() is None:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    with start_postgresql() as process:
        yield process
