"""Backups on the real thing: taken of a farm at work, restored into an equal one, or refused."""

import asyncio
import hashlib
import io
import sqlite3
import tarfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import SQLModel

from coordinator.adapters.backup_folder import BackupFolder
from coordinator.adapters.db.database import Database, SqliteFile
from coordinator.adapters.db.postgresql import named
from coordinator.adapters.db.store import open_database
from coordinator.adapters.storage.obstore_artifacts import open_artifacts
from coordinator.backup_files import read_backup
from coordinator.domain import backups
from coordinator.errors import NotFound, Refused, StoreUnusable, Unavailable
from coordinator.restoring import restore
from coordinator.usecases import backing_up, sealing
from coordinator.usecases.auditing import verify
from coordinator.usecases.farm import Farm
from tests.fakes.fake_farm import new_farm, order_file, order_gcode, order_model
from tests.fakes.postgresql_process import PostgresqlProcess
from tests.fakes.story import connect, end, start, work

# Lines that only the restored farm has: that it was restored.
OWN_LINES = 1

Made = Callable[[], Database]


@pytest.fixture(params=["sqlite", "postgresql"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Made:
    if request.param == "sqlite":
        return lambda: SqliteFile(tmp_path / "first.sqlite3")
    server: PostgresqlProcess = request.getfixturevalue("postgresql")
    return lambda: named(server.new_database())


@asynccontextmanager
async def opened(database: Database, folder: Path) -> AsyncIterator[Farm]:
    """A farm with a real database and a real folder of artifacts."""
    async with open_database(database) as store, open_artifacts(folder) as artifacts:
        folder.joinpath("fakes").mkdir(exist_ok=True)
        yield replace(new_farm(folder / "fakes"), store=store, artifacts=artifacts)


async def taken(farm: Farm, file: Path, **secrets: Path) -> Path:
    made = backing_up.backup(farm, "user:anna", "request r1", version="1", secrets=secrets)
    chunks = [chunk async for chunk in made]
    await asyncio.to_thread(file.write_bytes, b"".join(chunks))
    return file


def rows(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of all tables but the history's, which goes on."""
    engine = database.reader()
    try:
        with engine.connect() as connection:
            return {
                table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
                for table in SQLModel.metadata.sorted_tables
                if table.name not in ("events", "history")
            }
    finally:
        engine.dispose()


async def live_through_something(farm: Farm) -> None:
    """A print that ended, one that goes on, a model that waits."""
    agent = await connect(farm, "a")
    await order_gcode(farm)
    await work(farm, agent)
    await start(farm, agent)
    await end(farm, agent)
    other = await connect(farm, "b")
    await order_model(farm)
    await work(farm, other)
    await start(farm, other, "n2")


async def test_a_restored_farm_has_the_same_rows_artifacts_and_history(
    made: Made, tmp_path: Path
) -> None:
    database = made()
    async with opened(database, tmp_path / "artifacts") as farm:
        await live_through_something(farm)
        file = await taken(farm, tmp_path / "farm.tar")
        first = await verify(farm)
        stored = sorted(await farm.artifacts.stored())
    restored = await restore(file, tmp_path / "new")
    assert not first.faults
    assert restored.verdict == first
    other = SqliteFile(tmp_path / "new" / "farm.sqlite3")
    assert rows(other) == rows(database)
    async with opened(other, tmp_path / "new" / "artifacts") as farm:
        assert sorted(await farm.artifacts.stored()) == stored
        again = await verify(farm, known=first.head)
        assert not again.faults
        assert again.head.number == first.head.number + OWN_LINES


async def sealed(farm: Farm) -> None:
    """Have all that happened so far in an archive, and only there."""
    farm.clock.advance(60.0)  # type: ignore[attr-defined]
    upto = await sealing.last_before(farm, farm.clock.now())
    archive = b"".join([part async for part in sealing.archive(farm, upto)])
    digest = hashlib.sha256(archive).hexdigest()
    await sealing.seal(farm, upto=upto, archive_sha256=digest, actor="user:anna")


async def test_a_farm_moves_from_a_file_to_a_server_and_back(
    postgresql: PostgresqlProcess, tmp_path: Path
) -> None:
    file, server = SqliteFile(tmp_path / "first.sqlite3"), named(postgresql.new_database())
    async with opened(file, tmp_path / "artifacts") as farm:
        await live_through_something(farm)
        await sealed(farm)
        there = await taken(farm, tmp_path / "there.tar")
    await restore(there, tmp_path / "on-server", elsewhere=server)
    assert not (tmp_path / "on-server" / "farm.sqlite3").exists()
    assert rows(server) == rows(file)
    async with opened(server, tmp_path / "on-server" / "artifacts") as farm:
        await order_gcode(
            farm, job_id="job-new"
        )  # numbers and triggers are those of a farm that goes on
        assert not (await verify(farm)).faults
        back = await taken(farm, tmp_path / "back.tar")
    with pytest.raises(StoreUnusable, match="in use"):
        await restore(back, tmp_path / "third", elsewhere=server)
    await restore(back, tmp_path / "on-file")
    assert rows(SqliteFile(tmp_path / "on-file" / "farm.sqlite3")) == rows(server)


async def test_a_backup_taken_under_load_is_the_farm_at_one_moment(
    made: Made, tmp_path: Path
) -> None:
    begun, enough = asyncio.Event(), asyncio.Event()

    async def orders(farm: Farm, number: int) -> None:
        count = 0
        while not enough.is_set():
            count += 1
            data = b"G28\n" + f"G1 X{number} Y{count}\n".encode() * 2000
            await order_file(farm, data, file_name="part.gcode")

    async def prints(farm: Farm) -> None:
        agent, count = await connect(farm, "a"), 0
        while not enough.is_set():
            count += 1
            agent = await connect(farm, f"a{count}")
            await work(farm, agent)
            await start(farm, agent)
            await end(farm, agent)
            begun.set()

    async with opened(made(), tmp_path / "artifacts") as farm, asyncio.TaskGroup() as tasks:
        for number in range(3):
            tasks.create_task(orders(farm, number))
        tasks.create_task(prints(farm))
        await begun.wait()
        for number in range(3):
            await taken(farm, tmp_path / f"{number}.tar")
        enough.set()
        for number in range(3):
            restored = await restore(tmp_path / f"{number}.tar", tmp_path / f"new-{number}")
            assert (restored.missing, restored.damaged) == (0, 0)
            # It is where the farm once was, to the line, and all its tables say the same.
            assert not restored.verdict.faults
            assert not (await verify(farm, known=restored.verdict.head)).faults


@pytest.mark.parametrize("cut", [1, 700, 20_000])
async def test_a_part_of_a_backup_is_refused(tmp_path: Path, cut: int) -> None:
    file = await a_backup(tmp_path)
    file.write_bytes(file.read_bytes()[: -2048 - cut])
    await refused(file, tmp_path)


async def test_a_backup_with_one_bit_changed_is_refused_whichever_it_is(tmp_path: Path) -> None:
    whole = (await a_backup(tmp_path)).read_bytes()
    with tarfile.open(fileobj=io.BytesIO(whole)) as archive:
        places = [(each.name, each.offset_data + each.size // 2) for each in archive]
    for name, place in places:
        changed = bytearray(whole)
        changed[place] ^= 1
        file = tmp_path / "changed.tar"
        file.write_bytes(changed)
        assert await refused(file, tmp_path), name


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "secrets/../evil", "artifacts/evil"])
async def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    now, text = datetime.now(UTC), b"evil"
    told = backups.head(version="1", made_at=now, secrets=False)
    contents = backups.Contents()
    parts = [backups.header(backups.HEAD, len(told), now), told, backups.padding(len(told))]
    parts += [backups.header(name, len(text), now), text, backups.padding(len(text))]
    file = tmp_path / "evil.tar"
    file.write_bytes(b"".join(parts) + backups.end(contents, now))
    await refused(file, tmp_path)
    assert not await asyncio.to_thread(lambda: list(tmp_path.rglob("evil")))


async def test_a_history_that_was_changed_in_the_backup_is_told_and_refused_unless_wanted(
    tmp_path: Path,
) -> None:
    async with opened(SqliteFile(tmp_path / "first.sqlite3"), tmp_path / "artifacts") as farm:
        await live_through_something(farm)
        with closing(sqlite3.connect(tmp_path / "first.sqlite3")) as connection:
            connection.execute("UPDATE jobs SET copies = 7")
            connection.commit()
        file = await taken(farm, tmp_path / "farm.tar")
    with pytest.raises(Refused, match="copies is 7 in the table"):
        await restore(file, tmp_path / "new")
    assert not (tmp_path / "new" / "farm.sqlite3").exists()
    assert (await restore(file, tmp_path / "new", distrusted=True)).verdict.faults


async def test_a_folder_with_anything_in_it_is_left_alone(tmp_path: Path) -> None:
    file = await a_backup(tmp_path)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "mine.txt").write_text("mine")
    with pytest.raises(StoreUnusable, match=r"mine\.txt"):
        await restore(file, tmp_path / "new")


async def test_a_damaged_artifact_is_told_and_the_rest_restored(tmp_path: Path) -> None:
    async with opened(SqliteFile(tmp_path / "first.sqlite3"), tmp_path / "artifacts") as farm:
        await live_through_something(farm)
        sha256, size_bytes = (await farm.artifacts.stored())[0]
        path = tmp_path / backups.place_of(sha256)
        path.chmod(0o600)
        path.write_bytes(b"?" * size_bytes)
        file = await taken(farm, tmp_path / "farm.tar")
    assert read_backup(file, lambda _: None).contents.damaged == [sha256]
    restored = await restore(file, tmp_path / "new")
    assert (restored.damaged, restored.missing) == (1, 1)
    assert not (tmp_path / "new" / backups.place_of(sha256)).exists()


async def test_secrets_go_where_they_were_and_nobody_else_reads_them(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("secret\n")
    async with opened(SqliteFile(tmp_path / "first.sqlite3"), tmp_path / "artifacts") as farm:
        file = await taken(farm, tmp_path / "farm.tar", token=token)
    await restore(file, tmp_path / "new")
    assert (tmp_path / "new" / "token").read_text() == "secret\n"
    for name in ("token", "farm.sqlite3"):
        assert (tmp_path / "new" / name).stat().st_mode & 0o077 == 0


async def test_backups_taken_by_itself_are_so_many_whole_ones_and_nothing_else_is_touched(
    tmp_path: Path,
) -> None:
    place = tmp_path / "backups"
    folder = BackupFolder(folder=place, every=timedelta(hours=24), kept=2)
    async with opened(SqliteFile(tmp_path / "first.sqlite3"), tmp_path / "artifacts") as farm:
        await live_through_something(farm)
        made = []
        for day in range(1, 5):
            now = datetime(2030, 1, day, 12, tzinfo=UTC)
            assert await folder.due(now)
            made.append(place / (await folder.put(parts(farm), now)).name)
            assert not await folder.due(now + timedelta(hours=23))
            (place / "farmhand-notes.tar").write_text("somebody's")
            (place / "farmhand-20300101T000000Z.tar.part").write_text("a crash's")

        async def torn() -> AsyncIterator[bytes]:
            async for part in parts(farm):
                yield part
                break

        with pytest.raises(Unavailable, match="not whole"):
            await folder.put(torn(), datetime(2030, 1, 9, tzinfo=UTC))
        kept = await folder.kept_backups()
        assert [(each.name, each.size_bytes) for each in kept] == [
            (path.name, path.stat().st_size) for path in made[2:]
        ]
        whole = b"".join([part async for part in folder.read(made[3].name)])
        assert hashlib.sha256(whole).digest() == hashlib.sha256(made[3].read_bytes()).digest()
        for other in ("farmhand-notes.tar", "../first.sqlite3", made[0].name):
            with pytest.raises(NotFound):
                await anext(folder.read(other))
    names = await asyncio.to_thread(lambda: sorted(path.name for path in place.iterdir()))
    assert names == [made[2].name, made[3].name, "farmhand-notes.tar"]
    assert made[3].stat().st_mode & 0o077 == 0
    assert (await restore(made[3], tmp_path / "new")).artifacts


def parts(farm: Farm) -> AsyncIterator[bytes]:
    return backing_up.backup(farm, "farm", "schedule", version="1", secrets={})


async def a_backup(folder: Path) -> Path:
    async with opened(SqliteFile(folder / "first.sqlite3"), folder / "artifacts") as farm:
        await live_through_something(farm)
        return await taken(farm, folder / "farm.tar")


async def refused(file: Path, folder: Path) -> bool:
    """Whether a backup is refused, and nothing of it there afterwards."""
    with pytest.raises(Refused):
        await restore(file, folder / "new")
    return [path.name for path in (folder / "new").iterdir()] == ["coordinator.lock"]
