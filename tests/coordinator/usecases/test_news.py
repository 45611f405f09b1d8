"""What changes in the store is told after its commit, and only then."""

from collections.abc import Collection
from pathlib import Path

import pytest

from coordinator.domain.history import Thing
from coordinator.errors import NotNow
from coordinator.usecases import controlling
from tests.fakes.fake_farm import new_farm, order_gcode


async def test_who_listens_is_told_what_was_changed_once_it_is_in_the_store(
    tmp_path: Path,
) -> None:
    farm, told = new_farm(tmp_path), []

    def hear(things: Collection[Thing]) -> None:
        told.append((set(things), len(farm.store.tables.jobs)))  # type: ignore[attr-defined]

    with farm.live.news.heard(hear):
        job = await order_gcode(farm)
    [(things, stored)] = told
    assert ("job", job.job_id) in things
    assert stored == 1
    await controlling.cancel_job(farm, job.job_id, "user:anna")
    assert len(told) == 1


async def test_what_was_not_done_is_not_told(tmp_path: Path) -> None:
    farm, told = new_farm(tmp_path), []
    job = await order_gcode(farm)
    with farm.live.news.heard(told.append), pytest.raises(NotNow):
        await controlling.resume_job(farm, job.job_id, "user:anna")
    assert told == []
