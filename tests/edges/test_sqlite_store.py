"""The store on a real SQLite file: killed, locked, torn, from the future."""

import asyncio
import random
import resource
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import SQLModel

from coordinator.adapters.db import beginning, engines
from coordinator.adapters.db.store import open_store
from coordinator.adapters.folder_lock import hold_folder
from coordinator.domain.jobs import Job
from coordinator.domain.printers import Printer
from coordinator.errors import StoreUnusable, Unavailable
from coordinator.ports import FarmEvent
from protocols.wire.vocabulary import AgentId, Epoch, JobId, PrinterId
from tests.golden.renew_database import dumped, migrated

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)

# Each transaction writes a job and its event, and says the number once both are committed.
WRITER = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from coordinator.adapters.db.store import open_store
from coordinator.domain.jobs import Job
from coordinator.ports import FarmEvent

async def main():
    async with open_store(Path(sys.argv[1])) as store:
        number = int(sys.argv[2])
        while True:
            number += 1
            now, job_id = datetime.now(UTC), f"job-{number}"
            async with store.write() as unit:
                await unit.save_job(
                    Job(job_id=job_id, name="n", created_at=now, updated_at=now)
                )
                await unit.record(
                    FarmEvent(subject="job", subject_id=job_id, name="x", at=now, actor="farm")
                )
            print(number, flush=True)

asyncio.run(main())
"""


def a_job(job_id: str) -> Job:
    return Job(job_id=JobId(job_id), name="n", created_at=NOW, updated_at=NOW)


def a_printer(printer_id: str) -> Printer:
    return Printer(
        printer_id=PrinterId(printer_id),
        agent_id=AgentId("a"),
        name="n",
        printer_class="c",
        driver="d",
    )


async def make(path: Path) -> None:
    async with open_store(path) as store, store.write() as unit:
        await unit.save_job(a_job("job-0"))


async def test_what_was_committed_survives_a_kill_at_any_moment(tmp_path: Path) -> None:
    path, chance, said = tmp_path / "farm.sqlite3", random.Random(7), 0
    for _ in range(3):
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITER, str(path), str(said + 1000), stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        for _ in range(chance.randint(1, 40)):
            said = int(await asyncio.wait_for(child.stdout.readline(), 30))
        child.send_signal(signal.SIGKILL)
        rest = (await child.stdout.read()).split()
        said = int(rest[-1]) if rest else said
        await child.wait()
        async with open_store(path) as store, store.read() as unit:
            assert await unit.job(JobId(f"job-{said}")) is not None
            jobs = await unit.jobs()
            for job in jobs[-3:]:
                assert await unit.history("job", job.job_id), "a job without its event"


async def test_a_database_that_another_program_holds_is_told_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "farm.sqlite3"
    await make(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnusable, match="another program holds the database"):
        async with open_store(path, patience_s=0.05):
            pass
    other.close()


async def test_a_lock_while_running_is_unavailable_and_passes(tmp_path: Path) -> None:
    path = tmp_path / "farm.sqlite3"
    async with open_store(path, patience_s=0.05) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="another program holds"):
            async with store.write() as unit:
                await unit.save_job(a_job("job-1"))
        async with store.read() as unit:
            assert await unit.jobs() == []
        other.execute("ROLLBACK")
        other.close()
        async with store.write() as unit:
            await unit.save_job(a_job("job-1"))


async def test_a_database_from_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "farm.sqlite3"
    await make(path)
    with sqlite3.connect(path) as future:
        future.execute("UPDATE alembic_version SET version_num = '9999'")
    future.close()
    with pytest.raises(StoreUnusable, match=r"newer version of Farmhand .*upgrade Farmhand"):
        async with open_store(path):
            pass


async def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "farm.sqlite3"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE songs (name TEXT)")
    other.close()
    with pytest.raises(StoreUnusable, match="another program"):
        async with open_store(path):
            pass


@pytest.mark.parametrize("wound", ["no database", "cut off", "overwritten"])
async def test_a_damaged_database_is_told_and_not_used(tmp_path: Path, wound: str) -> None:
    path = tmp_path / "farm.sqlite3"
    await make(path)
    data = path.read_bytes()
    match wound:
        case "no database":
            path.write_bytes(b"this is a text file\n" * 1000)
        case "cut off":
            path.write_bytes(data[: len(data) // 2])
        case _:
            path.write_bytes(data[:8192] + b"\xff" * 16384 + data[24576:])
    with pytest.raises(StoreUnusable, match=r"damaged .*backup"):
        async with open_store(path):
            pass


async def test_a_folder_that_can_not_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(StoreUnusable, match="set state_dir to another"),
        hold_folder(tmp_path / "file" / "folder"),
    ):
        pass


def test_two_coordinators_do_not_share_a_folder(tmp_path: Path) -> None:
    with (
        hold_folder(tmp_path),
        pytest.raises(StoreUnusable, match=r"another coordinator \(process \d+\)"),
        hold_folder(tmp_path),
    ):
        pass
    with hold_folder(tmp_path):
        pass


async def test_tables_and_migrations_say_the_same(tmp_path: Path) -> None:
    path = tmp_path / "farm.sqlite3"
    migrated(path)
    with engines.migrator(path).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []


async def test_a_new_database_is_what_the_migrations_make(tmp_path: Path) -> None:
    made, new = tmp_path / "made.sqlite3", tmp_path / "new.sqlite3"
    migrated(made)
    async with open_store(new):
        pass
    assert dumped(new) == dumped(made), "run python -m tests.golden.renew_database"


async def test_migrations_that_are_not_written_down_yet_run_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older, written, new = tmp_path / "older.sqlite3", tmp_path / "new.sql", tmp_path / "new.sqlite3"
    migrated(older, "0004")
    written.write_text(dumped(older))
    monkeypatch.setattr(beginning, "WRITTEN", written)
    await make(new)
    with engines.migrator(new).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []


async def test_an_error_in_the_block_leaves_nothing(tmp_path: Path) -> None:
    async with open_store(tmp_path / "farm.sqlite3") as store:

        async def fail() -> None:
            async with store.write() as unit:
                await unit.save_job(a_job("job-1"))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
        async with store.read() as unit:
            assert await unit.jobs() == []


async def test_a_cancelled_writer_leaves_nothing_and_lets_others_write(tmp_path: Path) -> None:
    async with open_store(tmp_path / "farm.sqlite3") as store:
        saved = asyncio.Event()

        async def hang() -> None:
            async with store.write() as unit:
                await unit.save_job(a_job("job-1"))
                saved.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(hang())
        await saved.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with store.write() as unit:
            assert await unit.jobs() == []
            await unit.save_job(a_job("job-2"))


async def test_a_reader_sees_one_state_while_others_write(tmp_path: Path) -> None:
    async with open_store(tmp_path / "farm.sqlite3") as store:
        async with store.read() as reader:
            assert await reader.jobs() == []
            async with store.write() as unit:
                await unit.save_job(a_job("job-1"))
            assert await reader.jobs() == []
        async with store.read() as reader:
            assert len(await reader.jobs()) == 1


async def test_of_many_who_raise_an_epoch_one_succeeds(tmp_path: Path) -> None:
    async with open_store(tmp_path / "farm.sqlite3") as store:
        async with store.write() as unit:
            await unit.save_printer(a_printer("p"))

        async def attempt() -> bool:
            async with store.write() as unit:
                return await unit.raise_epoch(PrinterId("p"), expected=Epoch(0))

        assert sorted(await asyncio.gather(*(attempt() for _ in range(20)))) == [False] * 19 + [
            True
        ]
        async with store.read() as unit:
            printer = await unit.printer(PrinterId("p"))
            assert printer is not None
            assert printer.epoch == 1


async def test_a_full_disk_is_told_and_passes(tmp_path: Path) -> None:
    path = tmp_path / "farm.sqlite3"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    big = replace(a_job("job-1"), reason="x" * 3_000_000)
    async with open_store(path) as store:
        # The kernel's limit on one file's length fails a write as a full disk does.
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
        try:
            with pytest.raises(Unavailable, match=r"can't be written .*: make room on its disk"):
                async with store.write() as unit:
                    await unit.save_job(big)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        async with store.read() as unit:
            assert await unit.jobs() == []
        async with store.write() as unit:
            await unit.save_job(big)


async def test_history_can_not_be_rewritten(tmp_path: Path) -> None:
    path = tmp_path / "farm.sqlite3"
    async with open_store(path) as store, store.write() as unit:
        await unit.record(
            FarmEvent(subject="job", subject_id="job-1", name="x", at=NOW, actor="farm")
        )
    with sqlite3.connect(path) as connection:
        for act in ("UPDATE events SET name = 'y'", "DELETE FROM events"):
            with pytest.raises(sqlite3.IntegrityError, match="only appended"):
                connection.execute(act)
    connection.close()


async def test_a_number_of_the_outbox_is_never_given_twice(tmp_path: Path) -> None:
    path = tmp_path / "farm.sqlite3"
    async with open_store(path) as store, store.write() as unit:
        await unit.mark_desired(PrinterId("p"))
        [(first, _)] = await unit.outbox(10)
        await unit.outbox_done([first])
    async with open_store(path) as store, store.write() as unit:
        await unit.mark_desired(PrinterId("p"))
        [(second, _)] = await unit.outbox(10)
    assert second > first


async def test_a_power_cut_takes_back_no_commit(tmp_path: Path) -> None:
    async with open_store(tmp_path / "farm.sqlite3") as store, store.write() as unit:
        connection = unit._connection
        answers = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("synchronous", "journal_mode", "foreign_keys")
        }
    full = 2
    assert answers == {"synchronous": full, "journal_mode": "wal", "foreign_keys": 1}
