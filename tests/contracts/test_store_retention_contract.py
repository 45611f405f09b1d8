"""What every `Store` keeps to where it is asked who refers to files."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Column, String, Table
from sqlmodel import SQLModel

from coordinator.adapters.db import retention_unit
from coordinator.domain.jobs import JobState
from coordinator.domain.plates import PlateState
from coordinator.domain.retention import JobFiles
from coordinator.domain.runs import RunState
from coordinator.ports import Store
from protocols.wire.vocabulary import JobId
from tests.fakes.values import JOB, NOW, PLATE, PRINTER, RUN

MODEL, PICTURE, OLD_PLATE = "b" * 64, "c" * 64, "d" * 64
# More than are read at once.
MANY = 450


async def job_files(store: Store) -> list[JobFiles]:
    async with store.read() as unit:
        return [each async for page in unit.job_files() for each in page]


async def test_a_jobs_files_are_its_model_its_plates_their_pictures_and_what_was_printed(
    store: Store,
) -> None:
    ended = NOW + timedelta(hours=1)
    job = replace(JOB, model_sha256=MODEL, state=JobState.FINISHED, updated_at=ended)
    waiting = replace(PLATE, printer_class="xl", sha256="", state=PlateState.WANTED)
    async with store.write() as unit:
        await unit.save_job(job)
        await unit.save_job(replace(JOB, job_id=JobId("job-2")))
        await unit.save_plate(replace(PLATE, pictures={"plate-64": PICTURE}))
        await unit.save_plate(waiting)
        await unit.save_printer(PRINTER)
        await unit.save_run(replace(RUN, plate_sha256=OLD_PLATE, state=RunState.FAILED))
    first, second = await job_files(store)
    assert first.sha256s == {MODEL, PLATE.sha256, PICTURE, OLD_PLATE}
    assert (first.state, first.updated_at, first.unsettled) == (JobState.FINISHED, ended, False)
    assert (second.job_id, second.sha256s) == ("job-2", frozenset())


async def test_a_run_that_lives_or_is_lost_makes_its_job_unsettled(store: Store) -> None:
    for state in RunState:
        async with store.write() as unit:
            await unit.save_job(replace(JOB, state=JobState.CANCELLED))
            await unit.save_printer(PRINTER)
            await unit.save_run(replace(RUN, state=state))
        [found] = await job_files(store)
        assert found.unsettled is (replace(RUN, state=state).live or state is RunState.LOST), state


async def test_every_job_is_told_of_once_however_many_there_are(store: Store) -> None:
    names = [f"job-{number:03}" for number in range(MANY)]
    async with store.write() as unit:
        for name in names:
            await unit.save_job(replace(JOB, job_id=JobId(name)))
    assert [each.job_id for each in await job_files(store)] == names


async def test_a_fresh_farm_refers_to_nothing(store: Store) -> None:
    async with store.read() as unit:
        assert await unit.referred_elsewhere() == set()


def test_tables_that_are_said_to_refer_to_no_file_exist() -> None:
    left_out = retention_unit._REFERS_TO_NONE | retention_unit._OF_JOBS
    assert left_out <= SQLModel.metadata.tables.keys()


async def test_a_hash_in_any_other_table_keeps_its_file(store: Store) -> None:
    from coordinator.adapters.db.unit import SqlUnit

    table = Table("strange_things", SQLModel.metadata, Column("name", String), Column("x", String))
    try:
        async with store.write() as unit:
            if not isinstance(unit, SqlUnit):
                return  # the one in memory has no other tables
            table.create(unit._connection)
            row = {"name": "a", "x": f'{{"parents": ["{MODEL}"], "no": "{"e" * 65}"}}'}
            unit._connection.execute(table.insert(), row)
        async with store.read() as unit:
            assert await unit.referred_elsewhere() == {MODEL}
    finally:
        SQLModel.metadata.remove(table)
