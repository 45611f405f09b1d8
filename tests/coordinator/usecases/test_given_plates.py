"""G-code that people bring is held against its class of printers before anything of it is kept."""

from dataclasses import replace

import pytest

from coordinator.domain.plates import Plate
from coordinator.errors import Refused
from coordinator.usecases import absorbing, auditing
from coordinator.usecases.farm import Farm
from protocols.gcode.rules import Finding, Severity
from protocols.wire.vocabulary import JobId, PrinterId
from tests.fakes.fake_artifacts import FakeArtifacts
from tests.fakes.fake_farm import GCODE, order_file, order_gcode
from tests.fakes.fake_slicer import FakeSlicer
from tests.fakes.memory_store import MemoryStore
from tests.fakes.model_agent import ModelAgent

TOO_HOT = Finding(12, "temperature", Severity.REFUSE, "it heats the nozzle to 400 °C")
LONG = Finding(3, "line_length", Severity.WARN, "it has 200 characters")


def slicer_of(farm: Farm) -> FakeSlicer:
    assert isinstance(farm.slicer, FakeSlicer)
    return farm.slicer


async def printers(farm: Farm, *classes: str) -> None:
    presence = ModelAgent("many").presence()
    described = tuple(
        replace(presence.printers[0], printer_id=PrinterId(f"p-{name}"), printer_class=name)
        for name in classes
    )
    await absorbing.absorb(farm, replace(presence, printers=described))


async def plate_of(farm: Farm, job_id: JobId) -> Plate:
    async with farm.store.read() as unit:
        (plate,) = await unit.plates(job_id)
    return plate


async def test_what_a_person_says_is_the_class_that_it_is_held_against(farm: Farm) -> None:
    await printers(farm, "mk4", "xl")
    job = await order_gcode(farm, printer_class="xl")
    plate = await plate_of(farm, job.job_id)
    assert (plate.printer_class, slicer_of(farm).verified) == ("xl", ["xl"])
    assert (plate.time_s, plate.line_count, plate.remarks) == (120.0, 2, ())
    named = await order_gcode(farm, printer_id=PrinterId("p-mk4"))
    assert (await plate_of(farm, named.job_id)).printer_class == "mk4"
    assert not (await auditing.verify(farm)).faults


async def test_else_its_slicer_says_for_which_class_it_is(farm: Farm) -> None:
    await printers(farm, "prusa-mk4", "xl")
    job = await order_file(farm, GCODE + b"; printer_model = MK4\n", file_name="part.gco")
    assert (await plate_of(farm, job.job_id)).printer_class == "prusa-mk4"


async def test_a_farm_of_one_class_leaves_no_doubt(farm: Farm) -> None:
    await printers(farm, "mk4")
    job = await order_gcode(farm)
    assert (await plate_of(farm, job.job_id)).printer_class == "mk4"


async def test_where_nobody_says_a_class_its_owner_vouches_for_it(farm: Farm) -> None:
    await printers(farm, "mk4", "xl")
    job = await order_gcode(farm)
    assert (await plate_of(farm, job.job_id)).printer_class == ""
    assert slicer_of(farm).verified == []


async def test_a_person_who_says_another_class_than_the_slicer_is_told_so(farm: Farm) -> None:
    await printers(farm, "mk4", "xl")
    data = GCODE + b"; printer_model = Prusa MK4\n"
    job = await order_file(farm, data, file_name="part.gcode", printer_class="xl")
    plate = await plate_of(farm, job.job_id)
    assert plate.printer_class == "xl"
    assert plate.remarks == ("its slicer says that it is for Prusa MK4",)


async def test_what_must_not_run_there_is_refused_with_line_and_reason(farm: Farm) -> None:
    await printers(farm, "mk4", "xl")
    slicer_of(farm).findings["mk4"] = (LONG, TOO_HOT)
    with pytest.raises(Refused) as refused:
        await order_gcode(farm, printer_class="mk4")
    assert refused.value.code == "plate_unfit"
    assert "class mk4: line 12: it heats the nozzle to 400 °C" in refused.value.message
    assert refused.value.details["findings"] == [
        {"line": 12, "rule": "temperature", "words": "it heats the nozzle to 400 °C"}
    ]
    assert isinstance(farm.store, MemoryStore)
    assert isinstance(farm.artifacts, FakeArtifacts)
    assert not farm.store.tables.jobs
    assert not farm.artifacts.kept
    assert not farm.artifacts.left_behind
    assert (await order_gcode(farm, printer_class="xl")).job_id


async def test_a_warning_is_a_remark_on_the_plate(farm: Farm) -> None:
    slicer_of(farm).findings["mk4"] = (LONG,)
    job = await order_gcode(farm, printer_class="mk4")
    assert (await plate_of(farm, job.job_id)).remarks == ("line 3: it has 200 characters",)


async def test_a_class_that_no_profile_describes_is_taken_and_told(farm: Farm) -> None:
    slicer_of(farm).unknown.add("homemade")
    job = await order_gcode(farm, printer_class="homemade")
    (remark,) = (await plate_of(farm, job.job_id)).remarks
    assert remark == "not verified: there is no printer class 'homemade'"


async def test_binary_gcode_is_kept_as_the_text_that_agents_send(farm: Farm) -> None:
    await printers(farm, "mk4", "xl")
    job = await order_file(farm, b"GCDE" + GCODE, file_name="part.bgcode", printer_class="mk4")
    plate = await plate_of(farm, job.job_id)
    assert isinstance(farm.artifacts, FakeArtifacts)
    assert farm.artifacts.kept == {plate.sha256: GCODE}
    assert plate.name == "part.gcode"
    assert farm.artifacts.left_behind == []
    with pytest.raises(Refused, match="for which printer class"):
        await order_file(farm, b"GCDE" + GCODE, file_name="part.bgcode")
    slicer_of(farm).unknown.add("homemade")
    with pytest.raises(Refused, match="homemade"):
        await order_file(farm, b"GCDE" + GCODE, file_name="p.bgcode", printer_class="homemade")
