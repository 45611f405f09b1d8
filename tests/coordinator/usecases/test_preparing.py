"""A model goes to unlike printers: a plate is sliced for a class of them when it is wanted."""

import asyncio
from dataclasses import replace

import pytest

from coordinator.domain.effects import Save
from coordinator.domain.jobs import JobState
from coordinator.domain.plates import Plate, PlateState
from coordinator.domain.printers import BedState
from coordinator.usecases import absorbing, auditing, controlling, starting
from coordinator.usecases.dispatching import dispatch_jobs
from coordinator.usecases.farm import Farm
from coordinator.usecases.live import Live
from coordinator.usecases.performing import the_printer, writing
from coordinator.usecases.preparing import prepare_jobs
from coordinator.usecases.reading import job_view, why_waiting
from coordinator.usecases.slicing import slice_plates
from protocols.wire.vocabulary import JobId, PrinterId, PrinterState
from tests.fakes.fake_artifacts import FakeArtifacts
from tests.fakes.fake_farm import order_gcode, order_model
from tests.fakes.fake_slicer import FakeSlicer
from tests.fakes.model_agent import ModelAgent
from tests.fakes.story import names_in_history


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


async def clear(farm: Farm, *names: str) -> None:
    """Have printers idle on clear beds, ready for a lease."""
    async with writing(farm, "user:anna") as transaction:
        for name in names:
            printer = await the_printer(transaction.unit, PrinterId(name))
            bed = replace(printer.bed, state=BedState.CLEAR)
            idle = replace(printer, seen=PrinterState.IDLE, bed=bed)
            await transaction.perform((Save(idle),))


async def plan(farm: Farm) -> None:
    """Do all that is due, but for the slicing."""
    await prepare_jobs(farm)
    await dispatch_jobs(farm)


async def leased(farm: Farm) -> list[str]:
    """Return the printers that hold a lease."""
    async with farm.store.read() as unit:
        return [printer.printer_id for printer in await unit.printers(leased=True)]


def classes_sliced(farm: Farm) -> list[str]:
    return [wish.printer_class for wish in slicer_of(farm).wishes]


async def plates_of(farm: Farm, job_id: JobId) -> list[Plate]:
    async with farm.store.read() as unit:
        return await unit.plates(job_id)


async def test_a_job_is_ready_at_once_and_one_class_is_sliced_ahead(farm: Farm) -> None:
    await present(farm, ("p1", "mk4", "PLA"), ("p2", "xl", "PLA"), ("p3", "xl", "PLA"))
    job = await order_model(farm)
    assert await prepare_jobs(farm) == 1
    assert (await job_view(farm, job.job_id)).job.state is JobState.READY
    assert await slice_plates(farm) == 1
    assert [(wish.printer_class, wish.material) for wish in slicer_of(farm).wishes] == [
        ("xl", "PLA")  # most printers are of it
    ]
    view = await job_view(farm, job.job_id)
    for plate in view.plates:
        assert await farm.artifacts.size(plate.sha256) == plate.size_bytes
    assert artifacts_of(farm).left_behind == []
    assert (await prepare_jobs(farm), await slice_plates(farm)) == (0, 0)


async def test_the_class_of_a_free_printer_is_sliced_first(farm: Farm) -> None:
    await present(farm, ("p1", "mk4", "PLA"), ("p2", "xl", "PLA"), ("p3", "xl", "PLA"))
    await clear(farm, "p1")
    await order_model(farm)
    await plan(farm)
    await slice_plates(farm)
    assert classes_sliced(farm) == ["mk4"]


async def test_unlike_free_printers_each_get_a_copy_and_their_class_a_plate(farm: Farm) -> None:
    await present(
        farm, ("p1", "mk4", "PLA"), ("p2", "mk4", "PLA"), ("p3", "xl", "PLA"), ("p4", "s1", "PLA")
    )
    await clear(farm, "p1", "p2", "p3", "p4")
    job = await order_model(farm, copies=3)
    for _ in range(3):
        await plan(farm)
    assert len(await plates_of(farm, job.job_id)) == 2  # what three copies need, asked once
    assert await slice_plates(farm) == 2
    await dispatch_jobs(farm)
    assert len(await leased(farm)) == 3
    await dispatch_jobs(farm)
    assert len(slicer_of(farm).wishes) == 2
    assert not (await auditing.verify(farm)).faults


async def test_a_printer_with_a_plate_goes_before_one_that_would_need_slicing(farm: Farm) -> None:
    await present(farm, ("a", "mk4", "PLA"), ("b", "xl", "PLA"), ("c", "xl", "PLA"))
    job = await order_model(farm)
    await prepare_jobs(farm)
    await slice_plates(farm)
    await clear(farm, "a", "b")
    await dispatch_jobs(farm)
    assert await leased(farm) == ["b"]
    assert [plate.printer_class for plate in await plates_of(farm, job.job_id)] == ["xl"]


async def test_a_printer_is_kept_for_the_job_whose_plate_is_sliced(farm: Farm) -> None:
    await present(farm, ("p1", "mk4", "PLA"))
    await clear(farm, "p1")
    model = await order_model(farm)
    await plan(farm)
    await order_gcode(farm)
    await dispatch_jobs(farm)
    assert await leased(farm) == []
    await slice_plates(farm)
    await dispatch_jobs(farm)
    assert (await job_view(farm, model.job_id)).job.state is JobState.LEASED


async def test_a_class_that_comes_later_is_sliced_when_its_printer_is_free(farm: Farm) -> None:
    await present(farm, ("p1", "mk4", "PLA"))
    job = await order_model(farm)
    await plan(farm)
    await slice_plates(farm)
    await present(farm, ("p1", "mk4", "PLA"), ("p2", "xl", "PLA"))
    [wait] = [each for each in await why_waiting(farm, job.job_id) if each.code == "not_sliced"]
    assert (wait.printer_id, "class xl" in wait.words) == ("p2", True)
    await clear(farm, "p2")
    await dispatch_jobs(farm)
    await slice_plates(farm)
    await dispatch_jobs(farm)
    assert (await leased(farm), classes_sliced(farm)) == (["p2"], ["mk4", "xl"])


async def test_only_classes_that_hold_the_material_are_sliced(farm: Farm) -> None:
    await present(farm, ("p1", "mk4", "PLA"), ("p2", "xl", "petg"))
    await clear(farm, "p1", "p2")
    job = await order_model(farm, material="PETG", copies=2)
    await plan(farm)
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


async def test_a_class_that_fails_is_a_reason_for_it_alone(farm: Farm) -> None:
    slicer_of(farm).refused["mk4"] = "the model is larger than its bed"
    await present(farm, ("p1", "mk4", "PLA"), ("p2", "xl", "PLA"))
    await clear(farm, "p1")
    job = await order_model(farm)
    await plan(farm)
    assert await slice_plates(farm) == 2  # the next class is tried at once
    view = await job_view(farm, job.job_id)
    assert (view.job.state, view.job.reason) == (JobState.READY, "")
    assert [plate.printer_class for plate in view.plates] == ["xl"]
    told = {(wait.printer_id, wait.code): wait.words for wait in view.waits}
    assert "larger than its bed" in told[PrinterId("p1"), "plate_refused"]
    assert (PrinterId("p2"), "plate_refused") not in told
    assert await names_in_history(farm, "plate", f"{job.job_id}/mk4") == [
        "plate.wanted",
        "plate.refused",
    ]
    await dispatch_jobs(farm)
    assert await slice_plates(farm) == 0  # what was refused is not asked for again


async def test_a_job_that_no_class_can_print_fails_with_every_reason(farm: Farm) -> None:
    await present(farm, ("p1", "mk4", "PLA"), ("p2", "xl", "PLA"))
    job = await order_model(farm)
    await prepare_jobs(farm)
    slicer_of(farm).trouble = "install prusa-slicer"
    await slice_plates(farm)
    view = await job_view(farm, job.job_id)
    assert (view.job.state, view.plates) == (JobState.FAILED, ())
    assert view.job.reason == "mk4: install prusa-slicer; xl: install prusa-slicer"
    assert not (await auditing.verify(farm)).faults


async def test_progress_is_shown_while_it_slices(farm: Farm) -> None:
    await present(farm, ("p1", "mk4", "PLA"))
    job = await order_model(farm)
    await prepare_jobs(farm)

    async def look() -> None:
        view = await job_view(farm, job.job_id)
        assert view.preparing == 0.5
        [unmade] = view.unmade
        assert (unmade.ratio, unmade.stage) == (0.5, "slicing")
        assert any(wait.words.endswith("50%") for wait in view.waits)

    slicer_of(farm).meanwhile = look
    assert await slice_plates(farm) == 1
    view = await job_view(farm, job.job_id)
    assert (view.preparing, view.unmade) == (None, ())


async def test_a_job_cancelled_while_it_is_sliced_ends_the_slicing(farm: Farm) -> None:
    await present(farm, ("p1", "mk4", "PLA"))
    job = await order_model(farm)
    await prepare_jobs(farm)
    ended = asyncio.Event()

    async def cancel() -> None:
        await controlling.cancel_job(farm, job.job_id, "user:anna")
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.set()

    slicer_of(farm).meanwhile = cancel
    assert await slice_plates(farm) == 0
    assert ended.is_set()
    view = await job_view(farm, job.job_id)
    assert (view.job.state, view.plates) == (JobState.CANCELLED, ())
    assert list(artifacts_of(farm).kept) == [job.model_sha256]
    assert artifacts_of(farm).left_behind == []
    assert await slice_plates(farm) == 0


async def test_a_plate_that_nobody_wants_any_more_leaves_nothing(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    await present(farm, ("p1", "mk4", "PLA"))
    job = await order_model(farm)
    await prepare_jobs(farm)
    # The slicer is done before it hears of it.
    monkeypatch.setattr(Live, "give_up_slicing", lambda self, job_id: None)

    async def cancel() -> None:
        await controlling.cancel_job(farm, job.job_id, "user:anna")

    slicer_of(farm).meanwhile = cancel
    assert await slice_plates(farm) == 0
    assert [plate.state for plate in await plates_of(farm, job.job_id)] == [PlateState.WANTED]
    assert list(artifacts_of(farm).kept) == [job.model_sha256]


async def test_as_many_plates_are_sliced_at_once_as_there_are_callers(farm: Farm) -> None:
    await present(farm, ("p1", "mk4", "PLA"), ("p2", "xl", "PLA"), ("p3", "s1", "PLA"))
    await clear(farm, "p1", "p2", "p3")
    await order_model(farm, copies=3)
    await plan(farm)
    at_once: list[int] = []

    async def look() -> None:
        at_once.append(len(farm.live.slicings))
        await asyncio.sleep(0)

    slicer_of(farm).meanwhile = look
    answers = await asyncio.gather(slice_plates(farm), slice_plates(farm))
    assert sum(answers) == 3
    assert max(at_once) == 2
    assert sorted(classes_sliced(farm)) == ["mk4", "s1", "xl"]


async def test_what_a_crash_left_half_sliced_is_sliced_anew(farm: Farm) -> None:
    await present(farm, ("p1", "mk4", "PLA"))
    job = await order_model(farm)
    await prepare_jobs(farm)

    async def crash() -> None:
        raise Crash

    slicer_of(farm).meanwhile = crash
    with pytest.raises(BaseExceptionGroup) as caught:
        await slice_plates(farm)
    assert caught.group_contains(Crash)
    slicer_of(farm).meanwhile = None
    restarted = replace(farm, live=Live())
    await starting.recover(restarted)
    assert await slice_plates(restarted) == 1
    assert len((await job_view(restarted, job.job_id)).plates) == 1


async def test_a_job_of_an_earlier_version_that_was_being_prepared_goes_on(farm: Farm) -> None:
    await present(farm, ("p1", "mk4", "PLA"))
    job = await order_model(farm)
    async with farm.store.write() as unit:
        await unit.save_job(replace(job, state=JobState.PREPARING))
    await starting.recover(farm)
    assert await prepare_jobs(farm) == 1
    assert await slice_plates(farm) == 1
