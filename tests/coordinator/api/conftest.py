from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.fakes.served_farm import ServedFarm, served


@pytest.fixture
def farm(tmp_path: Path) -> ServedFarm:
    return ServedFarm(tmp_path)


@pytest.fixture
async def session(farm: ServedFarm) -> AsyncIterator[aiohttp.ClientSession]:
    async with served(farm) as session:
        yield session
