"""The store on a real PostgreSQL server: two coordinators at once, forged, locked, gone and back.

What every store keeps to is in `tests/contracts`, which runs on such a server too.
"""

import asyncio
import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from coordinator.adapters.db.postgresql import named
from coordinator.adapters.db.store import SqlStore, open_database
from coordinator.domain.printers import BedState
from coordinator.errors import Refused, SettingsInvalid, StoreUnusable, Unavailable
from coordinator.ports import FarmEvent
from coordinator.usecases import sealing
from coordinator.usecases.auditing import Verdict, verify
from protocols.wire.vocabulary import Epoch
from tests.edges.test_coordinator_process import START_S, outcome, spawn
from tests.edges.test_sqlite_store import NOW, a_job, a_printer
from tests.fakes.fake_farm import new_farm, order_gcode
from tests.fakes.postgresql_process import PostgresqlProcess
from tests.fakes.story import connect, end, start, work

# Raises the epoch of one printer ten times, from what it believes it to be; who is late tries
# again.
COORDINATOR = """
import asyncio, sys
from datetime import UTC, datetime
from coordinator.adapters.db.postgresql import named
from coordinator.adapters.db.store import open_database
from coordinator.ports import FarmEvent

async def main():
    async with open_database(named(sys.argv[1], patience_s=60.0)) as store:
        print("ready", flush=True)
        sys.stdin.readline()
        raised = 0
        while raised < 10:
            async with store.read() as unit:
                epoch = (await unit.printer("p")).epoch
            async with store.write() as unit:
                if await unit.raise_epoch("p", expected=epoch):
                    raised += 1
                    for name in ("x.begun", "x.done"):
                        await unit.record(FarmEvent(
                            subject="x", subject_id=str(epoch + 1), name=name,
                            at=datetime.now(UTC), actor=sys.argv[2],
                        ))

asyncio.run(main())
"""


async def proved(store: SqlStore, folder: Path) -> Verdict:
    return await verify(new_farm(folder, store=store))


async def test_of_two_coordinators_one_raises_each_epoch_and_one_chain_comes_of_it(
    postgresql: PostgresqlProcess, tmp_path: Path
) -> None:
    url = postgresql.new_database()
    async with open_database(named(url)) as store, store.write() as unit:
        await unit.save_printer(a_printer("p"))
    both = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", COORDINATOR, url, name),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for name in ("one", "two")
    ]
    for each in both:
        assert each.stdout is not None
        assert await asyncio.wait_for(each.stdout.readline(), START_S) == b"ready\n"
    for each in both:
        assert each.stdin is not None
        each.stdin.write(b"go\n")
    assert await asyncio.gather(*(asyncio.wait_for(each.wait(), 120) for each in both)) == [0, 0]
    async with open_database(named(url)) as store:
        async with store.read() as unit:
            printer = await unit.printer(a_printer("p").printer_id)
            lines = await unit.events(limit=1000)
        verdict = await proved(store, tmp_path)
    assert printer is not None
    assert printer.epoch == 20
    assert [line.subject_id for line in lines[::2]] == [str(n) for n in range(1, printer.epoch + 1)]
    assert [line.actor for line in lines[::2]] == [line.actor for line in lines[1::2]]
    assert {line.actor for line in lines} == {"one", "two"}
    assert {fault.code for fault in verdict.faults} == {"differs"}, "only the bare printer is told"


async def test_a_farm_lives_there_is_proved_and_archived(
    postgresql: PostgresqlProcess, tmp_path: Path
) -> None:
    async with open_database(named(postgresql.new_database())) as store:
        farm = new_farm(tmp_path, store=store)
        agent = await connect(farm, "a")
        await order_gcode(farm)
        await work(farm, agent)
        await start(farm, agent)
        await end(farm, agent)
        verdict = await verify(farm)
        assert (verdict.faults, verdict.rows_count) == ((), 6)
        hashed = hashlib.sha256()
        async for part in sealing.archive(farm, 9):
            hashed.update(part)
        await sealing.seal(farm, upto=9, archive_sha256=hashed.hexdigest(), actor="user:anna")
        async with store.read() as unit:
            assert (await unit.events(limit=1))[0].number == 10
        assert (await verify(farm)).faults == ()


@pytest.mark.parametrize(
    "act",
    [
        "UPDATE events SET name = 'y'",
        "DELETE FROM events",
        "DELETE FROM history",
        "TRUNCATE events",
        "INSERT INTO events SELECT 9, at, actor, '', '', '', '', name, '', '', 'h' FROM events",
    ],
)
async def test_the_server_itself_refuses_to_rewrite_history(
    postgresql: PostgresqlProcess, act: str
) -> None:
    url = postgresql.new_database()
    async with open_database(named(url)) as store, store.write() as unit:
        await unit.record(FarmEvent(subject="s", subject_id="i", name="n", at=NOW, actor="a"))
    with (
        psycopg.connect(url) as connection,
        pytest.raises(psycopg.errors.RaiseException, match="only appended"),
    ):
        connection.execute(act)  # type: ignore[call-overload]


async def test_a_lock_that_another_program_holds_is_unavailable_and_passes(
    postgresql: PostgresqlProcess,
) -> None:
    url = postgresql.new_database()
    async with open_database(named(url, patience_s=0.1)) as store:
        with psycopg.connect(url) as other:
            other.execute("LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(Unavailable, match="another program holds"):
                async with store.write() as unit:
                    await unit.save_job(a_job("job-1"))
        async with store.write() as unit:
            await unit.save_job(a_job("job-1"))


async def test_connections_that_the_server_cut_are_made_anew(postgresql: PostgresqlProcess) -> None:
    url = postgresql.new_database()
    cut = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE datname = '{named(url).url.database}'"
    )

    async def write_and_be_cut_off(store: SqlStore) -> None:
        async with store.write() as unit:
            await unit.save_job(a_job("job-1"))
            postgresql.execute(cut)

    async with open_database(named(url)) as store:
        with pytest.raises(Unavailable, match="does not answer"):
            await write_and_be_cut_off(store)
        async with store.read() as unit:
            assert await unit.jobs() == []
        async with store.write() as unit:
            await unit.save_job(a_job("job-2"))


async def test_what_the_server_can_not_store_is_refused(postgresql: PostgresqlProcess) -> None:
    async with open_database(named(postgresql.new_database())) as store:

        async def save(**changes: object) -> None:
            async with store.write() as unit:
                await unit.save_job(replace(a_job("job-1"), **changes))  # type: ignore[arg-type]

        with pytest.raises(Refused, match="can't store that"):
            await save(reason="a\x00b")
        with pytest.raises(Refused, match="can't store that"):
            await save(priority=2**70)
        await save(reason="fine", priority=2**40)


async def test_a_database_that_is_not_ours_or_not_there_is_told(
    postgresql: PostgresqlProcess,
) -> None:
    theirs = postgresql.new_database(empty=True)
    newer = postgresql.new_database()
    with psycopg.connect(theirs) as connection:
        connection.execute("CREATE TABLE songs (name TEXT)")
    with psycopg.connect(newer) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    for url, told in (
        (theirs, "another program's"),
        (newer, "newer version of Farmhand"),
        (postgresql.url("nowhere"), r"can't be used|does not answer"),
        ("postgresql://farmhand@127.0.0.1:1/farm", "does not answer"),
    ):
        with pytest.raises(StoreUnusable, match=told):
            async with open_database(named(url, patience_s=0.5)):
                pass
    with pytest.raises(SettingsInvalid, match="write postgresql://") as refused:
        named("my secret")
    assert "secret" not in str(refused.value)
    assert "secret" not in repr(named("postgresql://me:secret@host/farm"))
    assert "secret" not in str(named("postgresql://me:secret@host/farm"))


async def test_a_new_database_gets_its_tables_and_an_upgrade_runs_once(
    postgresql: PostgresqlProcess,
) -> None:
    url = postgresql.new_database(empty=True)
    for _ in range(2):
        async with open_database(named(url)) as store, store.write() as unit:
            await unit.save_printer(a_printer("p"))
            assert (await unit.printers(bed=BedState.UNKNOWN))[0].epoch == Epoch(0)


async def test_a_coordinator_uses_the_database_that_one_setting_names(
    postgresql: PostgresqlProcess, tmp_path: Path
) -> None:
    url = postgresql.new_database()
    process = await spawn(tmp_path, "--port", "0", "--broker-port", "0", FARMHAND_DATABASE_URL=url)
    assert process.stderr is not None
    async with asyncio.timeout(START_S):
        async for line in process.stderr:
            if b"coordinator.ready" in line:
                break
    process.terminate()
    code, _ = await outcome(process)
    assert code == 0
    assert not (tmp_path / "farm.sqlite3").exists()
