"""A model becomes a plate for each class of printers that could print it."""

from dataclasses import replace

import pytest

from coordinator.domain.jobs import JobState
from coordinator.domain.plates import Plate
from coordinator.usecases import absorbing, controlling, starting
from coordinator.usecases.farm import Farm
from coordinator.usecases.live import Live
from coordinator.usecases.preparing import prepare_jobs
from coordinator.usecases.reading import job_view
from protocols.wire.vocabulary import JobId, PrinterId
from tests.fakes.fake_artifacts import FakeArtifacts
from tests.fakes.fake_farm import order_model
from tests.fakes.fake_slicer import FakeSlicer
from tests.fakes.model_agent import ModelAgent
from tests.fakes.story import connect, end, names_in_history, start, work


class Crash(BaseException):
    """The process ends here."""


def slicer_of(farm: Farm) -> FakeSlicer:
    assert isinstance(farm.slicer, FakeSlicer)
    return farm.slicer


def artifacts_of(farm: Farm) -> FakeArtifacts:
    assert isinstance(farm.artifacts, FakeArtifacts)
    return farm.artifacts


async def present(farm: Farm, *printers: tuple[str, str, str]) -> None:
    """Connect an agent with these printers: id, class, material."""
    presence = ModelAgent("many").presence()
    described = tuple(
        replace(
            presence.printers[0], printer_id=PrinterId(name), printer_class=cls, material=material
        )
        for name, cls, material in printers
    )
    await absorbing.absorb(farm, replace(presence, printers=described))


async def plates_of(farm: Farm, job_id: JobId) -> list[Plate]:
    async with farm.store.read() as unit:
        return await unit.plates(job_id)


async def test_each_class_is_sliced_once(farm: Farm) -> None:
    await present(farm, ("p1", "mk4", "PLA"), ("p2", "mk4", "PLA"), ("p3", "xl", "PLA"))
    job = await order_model(farm)
    assert await prepare_jobs(farm) == 1
    assert [(wish.printer_class, wish.material) for wish in slicer_of(farm).wishes] == [
        ("mk4", "PLA"),
        ("xl", "PLA"),
    ]
    view = await job_view(farm, job.job_id)
    assert view.job.state is JobState.READY
    for plate in view.plates:
        assert await farm.artifacts.size(plate.sha256) == plate.size_bytes
    assert artifacts_of(farm).left_behind == []
    assert await prepare_jobs(farm) == 0


async def test_only_classes_that_hold_the_material_are_sliced(farm: Farm) -> None:
    await present(farm, ("p1", "mk4", "PLA"), ("p2", "xl", "petg"))
    job = await order_model(farm, material="PETG")
    await prepare_jobs(farm)
    assert [plate.printer_class for plate in await plates_of(farm, job.job_id)] == ["xl"]


async def test_a_job_without_any_printer_waits_and_says_so(farm: Farm) -> None:
    job = await order_model(farm)
    assert await prepare_jobs(farm) == 0
    view = await job_view(farm, job.job_id)
    assert view.job.state is JobState.RECEIVED
    assert "start an agent" in view.waits[0].words
    await present(farm, ("p1", "mk4", "PLA"))
    assert await prepare_jobs(farm) == 1
    assert (await job_view(farm, job.job_id)).job.reason == ""


async def test_a_class_that_fails_is_a_reason_and_not_the_end(farm: Farm) -> None:
    slicer_of(farm).refused["mk4"] = "the model is larger than its bed"
    await present(farm, ("p1", "mk4", "PLA"), ("p2", "xl", "PLA"))
    job = await order_model(farm)
    await prepare_jobs(farm)
    view = await job_view(farm, job.job_id)
    assert view.job.state is JobState.READY
    assert view.job.reason == "mk4: the model is larger than its bed"
    assert [plate.printer_class for plate in view.plates] == ["xl"]


async def test_the_reason_stays_while_the_job_is_printed_elsewhere(farm: Farm) -> None:
    slicer_of(farm).refused["xl"] = "the model is larger than its bed"
    agent = await connect(farm, "a")
    await present(farm, ("p2", "xl", "PLA"))
    job = await order_model(farm)
    await work(farm, agent)
    view = await job_view(farm, job.job_id)
    assert view.job.state is JobState.LEASED
    assert view.job.reason == "xl: the model is larger than its bed"
    assert "plate.refused" in await names_in_history(farm, "job", job.job_id)
    await start(farm, agent)
    await end(farm, agent)
    assert (await job_view(farm, job.job_id)).job.reason == ""


async def test_a_job_that_no_class_can_print_fails_with_the_reason(farm: Farm) -> None:
    await present(farm, ("p1", "mk4", "PLA"))
    job = await order_model(farm)
    slicer_of(farm).trouble = "install prusa-slicer"
    await prepare_jobs(farm)
    view = await job_view(farm, job.job_id)
    assert (view.job.state, view.plates) == (JobState.FAILED, ())
    assert view.job.reason == "mk4: install prusa-slicer"


async def test_progress_is_shown_while_it_slices(farm: Farm) -> None:
    await present(farm, ("p1", "mk4", "PLA"), ("p2", "xl", "PLA"))
    job = await order_model(farm)
    seen: list[float | None] = []

    async def look() -> None:
        seen.append((await job_view(farm, job.job_id)).preparing)

    slicer_of(farm).meanwhile = look
    await prepare_jobs(farm)
    assert seen == [0.25, 0.75]
    assert (await job_view(farm, job.job_id)).preparing is None


async def test_a_job_cancelled_while_it_is_sliced_leaves_nothing(farm: Farm) -> None:
    await present(farm, ("p1", "mk4", "PLA"))
    job = await order_model(farm)

    async def cancel() -> None:
        await controlling.cancel_job(farm, job.job_id, "user:anna")

    slicer_of(farm).meanwhile = cancel
    await prepare_jobs(farm)
    assert (await job_view(farm, job.job_id)).job.state is JobState.CANCELLED
    assert await plates_of(farm, job.job_id) == []
    assert list(artifacts_of(farm).kept) == [job.model_sha256]


async def test_a_second_call_leaves_the_first_alone(farm: Farm) -> None:
    await present(farm, ("p1", "mk4", "PLA"))
    await order_model(farm)
    second: list[int] = []

    async def again() -> None:
        second.append(await prepare_jobs(farm))

    slicer_of(farm).meanwhile = again
    assert await prepare_jobs(farm) == 1
    assert second == [0]
    assert len(slicer_of(farm).wishes) == 1


async def test_what_a_crash_left_half_sliced_is_sliced_anew(farm: Farm) -> None:
    await present(farm, ("p1", "mk4", "PLA"))
    job = await order_model(farm)

    async def crash() -> None:
        raise Crash

    slicer_of(farm).meanwhile = crash
    with pytest.raises(Crash):
        await prepare_jobs(farm)
    slicer_of(farm).meanwhile = None
    assert (await job_view(farm, job.job_id)).job.state is JobState.PREPARING
    restarted = replace(farm, live=Live())
    await starting.recover(restarted)
    assert (await job_view(restarted, job.job_id)).job.state is JobState.RECEIVED
    assert await prepare_jobs(restarted) == 1
    assert (await job_view(restarted, job.job_id)).job.state is JobState.READY
