"""Whose a job is: who steers it, how many they may have, and who lets it print."""

from pathlib import Path

import pytest

from coordinator.domain.access import Role
from coordinator.domain.accounts import User, UserId
from coordinator.domain.jobs import JobState
from coordinator.domain.policy import Policy
from coordinator.errors import NotNow, NotPermitted, Refused
from coordinator.usecases import controlling, reading
from coordinator.usecases.dispatching import dispatch_jobs
from coordinator.usecases.farm import Farm
from tests.fakes.fake_farm import new_farm, order_gcode
from tests.fakes.story import connect


async def add_anna(farm: Farm, jobs_open_max: int | None = None) -> None:
    user = User(
        user_id=UserId("user-1"),
        name="anna",
        role=Role.SUBMITTER,
        jobs_open_max=jobs_open_max,
        created_at=farm.clock.now(),
    )
    async with farm.store.write() as unit:
        await unit.save_user(user)


async def test_a_job_belongs_to_who_ordered_it_also_with_a_key(tmp_path: Path) -> None:
    farm = new_farm(tmp_path)
    assert (await order_gcode(farm)).owner == "user:anna"
    with_key = await order_gcode(farm, actor="key:anna/ci", owner="user:anna")
    assert with_key.owner == "user:anna"


@pytest.mark.parametrize("verb", ["cancel_job", "pause_job", "resume_job"])
async def test_nobody_steers_the_job_of_another(tmp_path: Path, verb: str) -> None:
    farm = new_farm(tmp_path)
    job = await order_gcode(farm)
    with pytest.raises(NotPermitted) as refused:
        await getattr(controlling, verb)(farm, job.job_id, "user:bert", only_of="user:bert")
    assert refused.value.code == "not_your_job"
    async with farm.store.read() as unit:
        assert await unit.job(job.job_id) == job


async def test_everybody_steers_their_own(tmp_path: Path) -> None:
    farm = new_farm(tmp_path)
    job = await order_gcode(farm)
    paused = await controlling.pause_job(farm, job.job_id, "user:anna", only_of="user:anna")
    assert paused.held
    ended = await controlling.cancel_job(farm, job.job_id, "user:anna", only_of="user:anna")
    assert ended.state is JobState.CANCELLED


async def test_a_job_waits_for_approval_where_the_farm_wants_that(tmp_path: Path) -> None:
    farm = new_farm(tmp_path, policy=Policy(approval=True))
    await connect(farm, "a")
    job = await order_gcode(farm)
    assert await dispatch_jobs(farm) == 0
    assert [wait.code for wait in await reading.why_waiting(farm, job.job_id)] == ["not_approved"]
    await controlling.approve_job(farm, job.job_id, "user:olga")
    assert await dispatch_jobs(farm) == 1
    with pytest.raises(NotNow):
        await controlling.approve_job(farm, job.job_id, "user:olga")
    async with farm.store.read() as unit:
        told = [event for event in await unit.history("job", job.job_id) if event.changes]
    assert [event.actor for event in told if event.name == "job.approved"] == ["user:olga"]


async def test_who_may_approve_need_not_ask(tmp_path: Path) -> None:
    farm = new_farm(tmp_path, policy=Policy(approval=True))
    assert (await order_gcode(farm, approved=True)).approved
    assert (await order_gcode(new_farm(tmp_path))).approved, "where nobody wants approval"


async def test_an_order_beyond_the_quota_leaves_nothing(tmp_path: Path) -> None:
    farm = new_farm(tmp_path)
    await add_anna(farm, jobs_open_max=1)
    await order_gcode(farm)
    with pytest.raises(Refused) as refused:
        await order_gcode(farm)
    assert refused.value.code == "quota_jobs_open"
    assert refused.value.details == {"jobs_open": 1, "jobs_open_max": 1}
    await order_gcode(farm, actor="user:bert")
    async with farm.store.read() as unit:
        assert len(await unit.jobs()) == 2
