"""What every `Store` keeps to with releases and rollouts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from coordinator.domain.updates import (
    AgentUpdate,
    Rollout,
    RolloutState,
    UpdateState,
)
from coordinator.ports import Store
from protocols.wire.vocabulary import AgentId, PrinterId
from tests.fakes.values import RELEASE

NOW = datetime(2030, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
ROLLOUT = Rollout(
    rollout_id="rollout-1",
    version="0.2.0",
    state=RolloutState.CANARY,
    agents=(
        AgentUpdate(
            agent_id=AgentId("pi-1"),
            stage=0,
            state=UpdateState.UPDATING,
            words="no answer from p-1",
            reachable=(PrinterId("p-1"), PrinterId("p-2")),
            asked_at=NOW,
            away_since=NOW + timedelta(seconds=1),
            sound_since=NOW + timedelta(seconds=2),
        ),
        AgentUpdate(agent_id=AgentId("pi-2"), stage=1),
    ),
    soak_s=5.0,
    start_s=7.0,
    troubles_max=1,
    words="",
    made_by="user:anna",
    made_at=NOW,
    changed_at=NOW,
)


async def test_a_release_comes_back_as_it_was_saved_and_goes(store: Store) -> None:
    newer = replace(RELEASE, version="0.3.0", added_at=NOW + timedelta(seconds=1))
    async with store.write() as unit:
        await unit.save_release(RELEASE)
        await unit.save_release(newer)
    async with store.read() as unit:
        assert await unit.release("0.2.0") == RELEASE
        assert await unit.release("0.9.0") is None
        assert await unit.releases() == [newer, RELEASE]
    async with store.write() as unit:
        await unit.drop_release("0.2.0")
        await unit.drop_release("0.9.0")
    async with store.read() as unit:
        assert await unit.releases() == [newer]


async def test_a_rollout_comes_back_as_it_was_saved_last(store: Store) -> None:
    later = replace(ROLLOUT, rollout_id="rollout-2", made_at=NOW + timedelta(seconds=1))
    changed = replace(ROLLOUT, state=RolloutState.HALTED, words="pi-1 rolled back", agents=())
    for each in (ROLLOUT, later, changed):
        async with store.write() as unit:
            await unit.save_rollout(each)
        async with store.read() as unit:
            assert await unit.rollout(each.rollout_id) == each
    async with store.read() as unit:
        assert await unit.rollouts(5) == [later, changed]
        assert await unit.rollouts(1) == [later]
        assert await unit.rollout("rollout-9") is None


async def test_a_releases_file_is_needed_as_long_as_the_release_is_there(store: Store) -> None:
    async with store.write() as unit:
        await unit.save_release(RELEASE)
    async with store.read() as unit:
        assert RELEASE.sha256 in await unit.referred_elsewhere()
