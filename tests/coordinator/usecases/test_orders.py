"""An order is taken whole, or nothing of it stays."""

import pytest

from coordinator.domain.jobs import JobState
from coordinator.errors import Refused, Unavailable
from coordinator.usecases.farm import Farm
from protocols.wire.vocabulary import PrinterId
from tests.fakes.fake_artifacts import FakeArtifacts
from tests.fakes.fake_farm import GCODE, order_file, order_gcode, order_model
from tests.fakes.memory_store import MemoryStore
from tests.fakes.model_agent import ModelAgent
from tests.fakes.story import names_in_history


def nothing_is_left(farm: Farm) -> bool:
    assert isinstance(farm.store, MemoryStore)
    assert isinstance(farm.artifacts, FakeArtifacts)
    tables = farm.store.tables
    stored = (tables.jobs, tables.artifacts, tables.lines, farm.artifacts.kept)
    return not any(stored) and not farm.artifacts.left_behind


async def test_gcode_is_ready_at_once(farm: Farm, pokes: list[str]) -> None:
    job = await order_gcode(farm, copies=2, material="PLA", printer_class="mk4")
    assert (job.state, job.model_sha256, job.copies) == (JobState.READY, None, 2)
    async with farm.store.read() as unit:
        assert await unit.job(job.job_id) == job
        (plate,) = await unit.plates(job.job_id)
        assert await unit.artifact(plate.sha256) is not None
    assert (plate.size_bytes, plate.printer_class, plate.material) == (len(GCODE), "mk4", "PLA")
    assert await farm.artifacts.size(plate.sha256) == len(GCODE)
    assert await names_in_history(farm, "job", job.job_id) == ["job.received", "job.ready"]
    assert "dispatch" in pokes


async def test_a_model_waits_to_be_prepared(farm: Farm, pokes: list[str]) -> None:
    job = await order_model(farm)
    assert job.state is JobState.RECEIVED
    assert job.model_sha256 is not None
    assert await farm.artifacts.size(job.model_sha256) is not None
    assert pokes == ["prepare"]


@pytest.mark.parametrize(
    "suffix", [".stl", ".3mf", ".obj", ".ply", ".glb", ".amf", ".step", ".stp"]
)
async def test_a_model_of_every_format_that_slicing_reads_is_taken(farm: Farm, suffix: str) -> None:
    job = await order_file(farm, b"solid part", file_name=f"part{suffix}")
    assert job.model_sha256 is not None


@pytest.mark.parametrize(
    ("file_name", "data", "code"),
    [
        ("part.gcode", b"", "empty_file"),
        ("part.gcode", b"only words\n; G28 in a comment\n", "not_gcode"),
        ("part.gcode", b"\x7fELF\0\0\0G28\n", "not_gcode"),
        ("part.gcode", b"x" * 100_000, "not_gcode"),
        ("part.stl", b"no model", "model_unsupported"),
        ("part.doc", b"G28\n", "unknown_file_type"),
        ("part", b"G28\n", "unknown_file_type"),
    ],
)
async def test_what_cannot_be_printed_is_refused_and_leaves_nothing(
    farm: Farm, file_name: str, data: bytes, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        await order_file(farm, data, file_name=file_name)
    assert refused.value.code == code
    assert nothing_is_left(farm)


@pytest.mark.parametrize("copies", [0, -1, 1001])
async def test_a_number_of_copies_out_of_range_is_refused(farm: Farm, copies: int) -> None:
    with pytest.raises(Refused, match="1 to 1000"):
        await order_gcode(farm, copies=copies)
    assert nothing_is_left(farm)


async def test_an_unknown_printer_is_refused(farm: Farm) -> None:
    with pytest.raises(Refused, match="there is no printer"):
        await order_gcode(farm, printer_id=PrinterId("nobody"))
    assert nothing_is_left(farm)


async def test_a_printer_of_another_class_is_refused(farm: Farm, agent: ModelAgent) -> None:
    with pytest.raises(Refused) as refused:
        await order_gcode(farm, printer_id=agent.printer_id, printer_class="xl")
    assert refused.value.code == "printer_of_other_class"


async def test_a_database_that_fails_leaves_no_file(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(self: object, job: object) -> None:
        raise Unavailable("locked", "the database is locked")

    monkeypatch.setattr("tests.fakes.memory_store.MemoryUnit.save_job", fail)
    with pytest.raises(Unavailable):
        await order_gcode(farm)
    assert nothing_is_left(farm)


async def test_a_file_that_others_use_survives_a_failed_order(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await order_gcode(farm)

    async def fail(self: object, job: object) -> None:
        raise Unavailable("locked", "the database is locked")

    monkeypatch.setattr("tests.fakes.memory_store.MemoryUnit.save_job", fail)
    with pytest.raises(Unavailable):
        await order_gcode(farm)
    async with farm.store.read() as unit:
        (plate,) = await unit.plates(job.job_id)
    assert await farm.artifacts.size(plate.sha256) == len(GCODE)
