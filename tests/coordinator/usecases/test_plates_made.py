"""What comes with a plate: its time by past runs, its pictures, and the copies on it."""

import asyncio
from dataclasses import replace
from typing import Any
from unittest.mock import AsyncMock

import pytest

from coordinator.domain.estimates import RUNS_MIN, Estimate, Source
from coordinator.domain.jobs import JobState
from coordinator.domain.library import Origin
from coordinator.domain.plates import Plate
from coordinator.usecases import auditing, controlling, library, slicing
from coordinator.usecases.farm import Farm
from coordinator.usecases.library import ModelWish, NewVersion
from coordinator.usecases.orders import Order, order_version
from coordinator.usecases.preparing import prepare_jobs
from coordinator.usecases.reading import job_view, why_waiting
from coordinator.usecases.slicing import slice_plates
from protocols.wire.vocabulary import EventKind, RunPhase
from tests.coordinator.usecases.test_library import upload
from tests.coordinator.usecases.test_preparing import artifacts_of, present, slicer_of
from tests.fakes.fake_farm import order_gcode, order_model
from tests.fakes.story import connect, end, say, start, work


async def test_what_past_runs_took_corrects_what_the_slicer_says(farm: Farm) -> None:
    agent = await connect(farm, "a")
    for _ in range(RUNS_MIN):
        await order_model(farm)
        await work(farm, agent)
        await start(farm, agent)
        agent.end(RunPhase.FINISHED, EventKind.FINISHED)
        agent.outbox[-1] = replace(agent.outbox[-1], facts={"duration_s": 90.0})
        await say(farm, agent)
        await controlling.clear_printer(farm, agent.printer_id, "user:anna")
    job = await order_model(farm, copies=2)
    await work(farm)
    view = await job_view(farm, job.job_id)
    assert view.demand.estimate == Estimate(
        seconds=180.0, low_s=180.0, high_s=180.0, source=Source.CLASS
    )
    assert (view.demand.filament_g, view.demand.cost) == (0.06, 0.02)
    estimates = [wait.estimate for wait in await why_waiting(farm, job.job_id) if wait.estimate]
    assert estimates[0].source is Source.PRINTER
    assert estimates[0].seconds == 90.0


async def test_where_a_model_came_from_goes_into_its_plates(farm: Farm) -> None:
    await present(farm, ("p1", "mk4", "PLA"))
    model = await library.make_model(farm, ModelWish(name="Hook"), "user:anna")
    origin = Origin(kind="generated", provider="meshy", prompt="a hook\nM112")
    await upload(farm, model.model_id, new=NewVersion(file_name="hook.stl", origin=origin))
    order = Order(name="", file_name="", actor="user:anna")
    await order_version(farm, order, model.model_id)
    await order_model(farm)
    await prepare_jobs(farm)
    await slice_plates(farm)
    of_version, of_file = slicer_of(farm).wishes
    assert of_version.provenance["prompt"] == "a hook\nM112"
    assert (of_version.provenance["model"], of_version.provenance["version"]) == ("Hook", "1")
    assert of_file.provenance == {}


async def test_pictures_are_kept_with_the_plate_and_gone_with_it(farm: Farm) -> None:
    await present(farm, ("p1", "mk4", "PLA"))
    slicer_of(farm).drawn = {"model": b"a model", "plate": b"a plate"}
    job = await order_model(farm)
    await prepare_jobs(farm)
    await slice_plates(farm)
    [plate] = (await job_view(farm, job.job_id)).plates
    kept = artifacts_of(farm).kept
    assert {shows: kept[sha256] for shows, sha256 in plate.pictures.items()} == {
        "model-64": b"a model",
        "plate-64": b"a plate",
    }
    assert artifacts_of(farm).left_behind == []
    assert not (await auditing.verify(farm)).faults

    other = await order_model(farm, material="PLA")
    slicer_of(farm).drawn = {"plate": b"another plate"}
    await prepare_jobs(farm)
    before = dict(kept)

    async def cancel() -> None:
        await controlling.cancel_job(farm, other.job_id, "user:anna")

    slicer_of(farm).meanwhile = cancel
    await slice_plates(farm)
    assert kept == before


async def test_a_run_counts_for_the_copies_that_found_room_on_its_plate(farm: Farm) -> None:
    agent = await connect(farm, "a")
    slicer_of(farm).room = 2
    job = await order_model(farm, copies=5, copies_per_plate=3)
    finished = []
    for _ in range(3):
        await work(farm, agent)
        await start(farm, agent)
        await end(farm, agent)
        await controlling.clear_printer(farm, agent.printer_id, "user:anna")
        view = await job_view(farm, job.job_id)
        finished.append((view.copies_finished, view.job.state))
    assert slicer_of(farm).wishes[0].copies == 3
    assert finished == [(2, JobState.READY), (4, JobState.READY), (6, JobState.FINISHED)]
    assert not (await auditing.verify(farm)).faults


async def test_a_ready_plate_holds_as_many_copies_as_is_said(farm: Farm) -> None:
    agent = await connect(farm, "a")
    job = await order_gcode(farm, copies=4, copies_per_plate=4)
    await work(farm, agent)
    await start(farm, agent)
    assert (await job_view(farm, job.job_id)).copies_live == 4
    await end(farm, agent)
    view = await job_view(farm, job.job_id)
    assert (view.copies_finished, view.job.state, len(view.runs)) == (4, JobState.FINISHED, 1)


async def test_a_plate_is_not_taken_away_by_a_job_that_made_the_same_and_wants_it_no_more(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    await present(farm, ("p1", "mk4", "PLA"))
    jobs = [await order_model(farm) for _ in range(2)]
    await prepare_jobs(farm)
    kept, given_up = asyncio.Event(), asyncio.Event()
    conclude = slicing._conclude

    async def late(farm: Farm, plate: Plate, *rest: Any) -> bool:
        if plate.job_id == jobs[0].job_id:
            kept.set()
            await given_up.wait()
            return await conclude(farm, plate, *rest)
        return False

    monkeypatch.setattr(slicing, "_conclude", late)
    first = asyncio.create_task(slice_plates(farm))
    await kept.wait()
    with monkeypatch.context() as once:
        once.setattr(slicing, "_next", AsyncMock(side_effect=[await slicing._next(farm), None]))
        await slice_plates(farm)
    given_up.set()
    monkeypatch.setattr(slicing, "_next", AsyncMock(return_value=None))
    await first
    [plate] = (await job_view(farm, jobs[0].job_id)).plates
    assert plate.sha256 in artifacts_of(farm).kept
    assert not farm.live.held
