"""A farm on fakes, and an agent with one printer that is connected and clear."""

from pathlib import Path

import pytest

from coordinator.usecases.farm import Farm
from tests.fakes.fake_farm import new_farm
from tests.fakes.model_agent import ModelAgent
from tests.fakes.story import connect


@pytest.fixture
def pokes() -> list[str]:
    return []


@pytest.fixture
def farm(tmp_path: Path, pokes: list[str]) -> Farm:
    return new_farm(tmp_path, poke=pokes.append)


@pytest.fixture
async def agent(farm: Farm) -> ModelAgent:
    return await connect(farm, "a")
