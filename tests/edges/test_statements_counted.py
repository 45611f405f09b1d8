"""What is asked of the database again and again does not grow with the farm: counted, not timed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sqlalchemy import event

from coordinator.adapters.db.store import SqlStore, open_store
from coordinator.domain.jobs import JobState
from coordinator.domain.runs import RunState
from coordinator.usecases.dispatching import dispatch_jobs
from coordinator.usecases.starting import recover
from coordinator.usecases.timetable import timetable
from protocols.wire.vocabulary import Epoch, JobId, PrinterId, RunId
from tests.contracts.test_store_contract import AGENT, ARTIFACT
from tests.fakes.fake_farm import new_farm
from tests.fakes.values import JOB, PLATE, PRINTER, RUN


async def at_work(store: SqlStore, printers: int, waiting: int) -> None:
    """Have so many printers print, and so many jobs wait."""
    async with store.write() as unit:
        await unit.save_agent(replace(AGENT, agent_id=PRINTER.agent_id, online=True))
        await unit.save_artifact(replace(ARTIFACT, sha256=PLATE.sha256))
        for number in range(printers + waiting):
            job_id = JobId(f"job-{number}")
            prints = number < printers
            state = JobState.PRINTING if prints else JobState.READY
            await unit.save_job(replace(JOB, job_id=job_id, state=state))
            await unit.save_plate(replace(PLATE, job_id=job_id, time_s=600.0))
            if not prints:
                continue
            run_id, its_id = RunId(f"run-{number}"), PrinterId(f"printer-{number}")
            printer = replace(PRINTER, printer_id=its_id, run_id=run_id)
            await unit.save_printer(printer)
            run = replace(RUN, run_id=run_id, job_id=job_id, printer_id=its_id, epoch=Epoch(1))
            await unit.save_run(replace(run, state=RunState.PRINTING))


@contextmanager
def counted(store: SqlStore) -> Iterator[list[str]]:
    """Lend what is asked of a store by those who only read."""
    said: list[str] = []

    def note(_c: object, _k: object, text: str, _g: object, _x: object, _m: object) -> None:
        said.append(text)

    event.listen(store._reader, "before_cursor_execute", note)
    yield said
    event.remove(store._reader, "before_cursor_execute", note)


async def foretold(path: Path, printers: int, waiting: int) -> tuple[int, int]:
    """Return how many statements a timetable takes, and how many blocks it has."""
    async with open_store(path) as store:
        await at_work(store, printers, waiting)
        with counted(store) as said:
            table = await timetable(new_farm(path.parent, store=store), 168.0)
    return len(said), sum(len(blocks) for _, blocks in table.rows)


async def test_the_timetable_of_a_large_farm_takes_no_more_statements_than_that_of_a_small_one(
    tmp_path: Path,
) -> None:
    few, small = await foretold(tmp_path / "small.sqlite3", printers=2, waiting=3)
    many, large = await foretold(tmp_path / "large.sqlite3", printers=40, waiting=60)
    assert many == few
    assert (small, large) == (2 + 3, 40 + 60)


async def restarted(path: Path, printers: int) -> int:
    """Return how many statements a look for leases takes while nobody has come back yet."""
    async with open_store(path) as store:
        await at_work(store, printers, 0)
        farm = new_farm(path.parent, store=store)
        await recover(farm)
        with counted(store) as said:
            await dispatch_jobs(farm)
    return len(said)


async def test_while_nobody_has_come_back_after_a_start_a_large_farm_is_looked_at_no_more_often(
    tmp_path: Path,
) -> None:
    few = await restarted(tmp_path / "small.sqlite3", printers=2)
    assert await restarted(tmp_path / "large.sqlite3", printers=40) == few
