"""Files leave when nobody needs them, and never before."""

import asyncio
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import pytest

from coordinator.domain.jobs import Job
from coordinator.domain.retention import Riddance
from coordinator.errors import NotFound, NotNow
from coordinator.usecases import backing_up, retaining, storing
from coordinator.usecases.controlling import cancel_job
from coordinator.usecases.farm import Farm
from coordinator.usecases.retaining import LEFT_BEHIND, Spare
from protocols.wire.vocabulary import EventKind, JobId
from tests.fakes.fake_farm import order_file, order_gcode, order_model
from tests.fakes.model_agent import ModelAgent
from tests.fakes.story import end, names_in_history, start, work

WEEK_S = 7 * 86400.0


async def clean(farm: Farm, *job_ids: str, days: float | None = None, dry: bool = False) -> Any:
    before = None if days is None else farm.clock.now() - timedelta(days=days)
    riddance = Riddance(before=before, job_ids=frozenset(JobId(each) for each in job_ids))
    return await retaining.cleanup(farm, riddance, "user:anna", "request r1", dry_run=dry)


def kept(farm: Farm) -> dict[str, bytes]:
    found: dict[str, bytes] = farm.artifacts.kept  # type: ignore[attr-defined]
    return found


async def printed(farm: Farm, agent: ModelAgent, nonce: str = "n1") -> Job:
    """Have a model sliced and printed; its job is over."""
    job = await order_model(farm)
    await work(farm, agent)
    await start(farm, agent, nonce)
    await end(farm, agent)
    return job


async def test_a_job_that_ended_long_ago_needs_its_files_no_more(
    farm: Farm, agent: ModelAgent
) -> None:
    job = await printed(farm, agent)
    before = dict(kept(farm))
    farm.clock.advance(WEEK_S)  # type: ignore[attr-defined]
    assert await clean(farm, days=8) == []
    planned = await clean(farm, days=6, dry=True)
    assert kept(farm) == before, "a dry run removes nothing"
    removed = await clean(farm, days=6)
    assert removed == planned
    assert {each.sha256 for each in removed} == before.keys()
    assert {each.job_id for each in removed} == {job.job_id}
    assert not kept(farm)
    for each in removed:
        assert (await names_in_history(farm, "artifact", each.sha256))[-1] == "artifact.removed"
    assert await clean(farm, days=6) == []


async def test_a_file_that_another_job_needs_stays(farm: Farm, agent: ModelAgent) -> None:
    done = await printed(farm, agent)
    waiting = await order_model(farm)
    assert waiting.model_sha256 == done.model_sha256
    removed = await clean(farm, done.job_id)
    assert done.model_sha256 in kept(farm)
    assert removed
    assert done.model_sha256 not in {each.sha256 for each in removed}


async def test_what_a_run_may_still_want_stays(farm: Farm, agent: ModelAgent) -> None:
    job = await order_gcode(farm)
    await work(farm, agent)
    await start(farm, agent)
    with pytest.raises(NotNow, match="needs its files"):
        await clean(farm, job.job_id)
    await end(farm, agent, EventKind.LOST)
    await cancel_job(farm, job.job_id, "user:anna")
    async with farm.store.read() as unit:
        found = await unit.job(job.job_id)
    assert found is not None
    assert found.state == "cancelled"
    assert await clean(farm, job.job_id) == [], "nobody settled how its run ended"
    assert len(kept(farm)) == 1


async def test_who_names_a_job_that_is_none_is_told(farm: Farm) -> None:
    with pytest.raises(NotFound):
        await clean(farm, "job-none")


async def test_what_a_crash_left_behind_goes_and_what_is_on_its_way_in_stays(farm: Farm) -> None:
    kept(farm)["f" * 64] = b"left"
    async with farm.artifacts.stage() as staged:
        await staged.write(b"on its way")
        await storing.keep(farm, staged)
        [gone] = await clean(farm)
        assert (gone.sha256, gone.kind, gone.job_id) == ("f" * 64, "", None)
        assert staged.sha256 in kept(farm)
        await storing.let_go(farm, staged.sha256)
    async with farm.store.read() as unit:
        [line] = await unit.history("artifact", "f" * 64)
    assert (line.cause, line.actor) == (LEFT_BEHIND, "user:anna")


async def test_nothing_leaves_while_a_backup_is_taken_or_somebody_reads_it(
    farm: Farm, agent: ModelAgent
) -> None:
    job = await printed(farm, agent)
    made = backing_up.backup(farm, "user:anna", "", version="1", secrets={})
    async with aclosing(made) as parts:
        await anext(parts)
        with pytest.raises(NotNow, match="backup"):
            await clean(farm, job.job_id)
    assert job.model_sha256 is not None
    farm.live.lent[job.model_sha256] += 1
    assert job.model_sha256 not in {each.sha256 for each in await clean(farm, job.job_id)}
    farm.live.lent[job.model_sha256] -= 1
    assert job.model_sha256 in {each.sha256 for each in await clean(farm, job.job_id)}


async def test_the_same_bytes_come_back_with_the_next_order(farm: Farm, agent: ModelAgent) -> None:
    job = await printed(farm, agent)
    await clean(farm, job.job_id)
    again = await order_model(farm)
    assert again.model_sha256 in kept(farm)


@pytest.mark.parametrize("seed", range(10))
async def test_no_order_loses_its_file_to_a_cleanup_whenever_that_looks(
    farm: Farm, agent: ModelAgent, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Orders of the same few files come and end, while cleanups look and remove all the time."""
    # Each step of a cleanup lets so many steps of others pass.
    original = farm.artifacts.stored

    async def slowly() -> list[tuple[str, int]]:
        found = await original()
        for _ in range(seed):
            await asyncio.sleep(0)
        return found

    monkeypatch.setattr(farm.artifacts, "stored", slowly)
    stop = asyncio.Event()
    removed: list[Spare] = []

    async def cleanups() -> None:
        while not stop.is_set():
            await asyncio.sleep(0)
            removed.extend(await clean(farm, days=0))

    async def orders(number: int) -> None:
        count = 0
        # Long enough for a cleanup to find something between two orders of the same file.
        while count < 15 or (not removed and count < 500):
            count += 1
            data = f"G28\nG1 X{count % 3}\n".encode()
            job = await order_file(farm, data, file_name="part.gcode")
            async with farm.store.read() as unit:
                [plate] = await unit.plates(job.job_id)
            for _ in range(number):
                await asyncio.sleep(0)
            assert kept(farm)[plate.sha256] == data, "a live job lost its plate"
            await cancel_job(farm, job.job_id, "user:anna")
            farm.clock.advance(1.0)  # type: ignore[attr-defined]

    async with asyncio.TaskGroup() as tasks:
        cleaning = tasks.create_task(cleanups())
        await asyncio.gather(*(orders(number) for number in range(3)))
        stop.set()
        await cleaning
    assert removed, "there was something to be lost"
