"""What is told of agents' updates: to people, where they have to look, and to programs."""

from dataclasses import replace
from pathlib import Path

import pytest

from coordinator.domain import rolling_out
from coordinator.domain.notices import Pace
from coordinator.domain.rolling_out import Step
from coordinator.domain.updates import (
    AgentUpdate,
    AgentView,
    Rollout,
    RolloutState,
    UpdateState,
)
from coordinator.usecases.farm import Farm
from coordinator.usecases.noticing import Herald
from coordinator.usecases.performing import writing
from protocols.wire.from_agent import UpdateReport
from protocols.wire.vocabulary import AgentId, UpdatePhase
from tests.coordinator.usecases.test_noticing import told
from tests.fakes.fake_farm import new_farm
from tests.fakes.fake_outside import FakeOutside
from tests.fakes.fake_people import FakePeople
from tests.fakes.webhook_story import carry, hook

CANARY = AgentId("pi-1")
BAD = "it died at its start"


@pytest.fixture
def outside() -> FakeOutside:
    return FakeOutside()


@pytest.fixture
def farm(tmp_path: Path, outside: FakeOutside) -> Farm:
    return new_farm(tmp_path, outside=outside)


@pytest.fixture
def people() -> FakePeople:
    return FakePeople()


@pytest.fixture
async def herald(farm: Farm, people: FakePeople) -> Herald:
    made = Herald(farm, people, Pace(gather_s=60.0), ("*",))
    await made.look()
    return made


def going_on(farm: Farm) -> Rollout:
    """Return a rollout whose canary has the release on trial, and whose other agent waits."""
    now = farm.clock.now()
    agents = (
        AgentUpdate(agent_id=CANARY, stage=0, state=UpdateState.UPDATING),
        AgentUpdate(agent_id=AgentId("pi-2"), stage=1),
    )
    return Rollout(
        rollout_id="rollout-1",
        version="0.2.0",
        state=RolloutState.CANARY,
        agents=agents,
        made_at=now,
        changed_at=now,
    )


async def happened(farm: Farm, step: Step, actor: str = "farm") -> None:
    async with writing(farm, actor, "rollout") as transaction:
        await transaction.unit.save_rollout(step.rollout)
        await transaction.perform(step.notes)


def left_by_its_canary(farm: Farm) -> Step:
    report = UpdateReport(version="0.2.0", phase=UpdatePhase.ROLLED_BACK, words=BAD)
    view = AgentView(online=True, build="0.1.0", report=report, reachable=frozenset())
    return rolling_out.advance(going_on(farm), {CANARY: view}, farm.clock.now())


async def test_an_update_that_halted_by_itself_is_told_to_people_with_the_reason(
    farm: Farm, herald: Herald, people: FakePeople
) -> None:
    await happened(farm, left_by_its_canary(farm))
    [words] = await told(farm, herald, people)
    assert words == f"the update of agents to 0.2.0 halted: pi-1 rolled back: {BAD}"


async def test_an_update_that_goes_on_again_or_that_somebody_halted_is_no_news_for_people(
    farm: Farm, herald: Herald, people: FakePeople
) -> None:
    step = left_by_its_canary(farm)
    await happened(farm, step)
    await happened(farm, rolling_out.resume(step.rollout, farm.clock.now()), "user:anna")
    assert await told(farm, herald, people) == []
    by_hand = rolling_out.halt(going_on(farm), "by user:anna", farm.clock.now())
    await happened(farm, by_hand, "user:anna")
    assert await told(farm, herald, people) == []


async def test_that_an_update_is_through_is_told_with_those_where_it_failed(
    farm: Farm, herald: Herald, people: FakePeople
) -> None:
    rollout = going_on(farm)
    well = replace(rollout.agents[0], state=UpdateState.HEALTHY)
    silent = replace(rollout.agents[1], state=UpdateState.SILENT, words="it was not heard of")
    rollout = replace(rollout, agents=(well, silent), troubles_max=1)
    step = rolling_out.advance(rollout, {}, farm.clock.now())
    assert step.rollout.state is RolloutState.DONE
    await happened(farm, step)
    [words] = await told(farm, herald, people)
    assert words == "1 of 2 agents run 0.2.0 now; pi-2: it was not heard of"


async def test_programs_are_told_which_agent_went_back_and_what_became_of_the_update(
    farm: Farm, outside: FakeOutside
) -> None:
    await hook(farm, types=("agent.*", "rollout.*"))
    await happened(farm, left_by_its_canary(farm))
    await carry(farm)
    back, halted = outside.said()
    assert (back["type"], halted["type"]) == ("agent.rolled_back", "rollout.halted")
    assert back["data"]["agent_id"] == CANARY
    assert back["data"]["facts"] == {
        "version": "0.2.0", "rollout_id": "rollout-1", "state": "rolled_back",
    }  # fmt: skip
    assert halted["data"]["rollout_id"] == "rollout-1"
    assert halted["data"]["cause"] == f"pi-1 rolled back: {BAD}"
