"""Writers that wait share a commit on a real SQLite file, whoever fails or is cancelled."""

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import event

from coordinator.adapters.db.store import SqlStore, open_store
from coordinator.domain.history import FarmEvent
from coordinator.domain.jobs import Job
from coordinator.errors import Unavailable
from coordinator.ports import Unit
from protocols.wire.vocabulary import JobId

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)


class Disk:
    """What waits for the disk: commits are counted, held up, and made to fail."""

    def __init__(self, store: SqlStore) -> None:
        self.commits = 0
        self.free = threading.Event()
        self.free.set()
        self.reached = asyncio.Event()
        self.faults: list[Exception] = []
        self._loop = asyncio.get_running_loop()
        event.listen(store._writer, "commit", self._commit)

    def _commit(self, _connection: object) -> None:
        self.commits += 1
        self._loop.call_soon_threadsafe(self.reached.set)
        assert self.free.wait(10), "somebody lets it go on"
        if self.faults:
            raise self.faults.pop()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    async with open_store(tmp_path / "farm.sqlite3") as opened:
        yield opened


@pytest.fixture
async def disk(store: SqlStore) -> Disk:
    return Disk(store)


async def save(unit: Unit, name: str) -> None:
    await unit.save_job(Job(job_id=JobId(name), name=name, created_at=NOW, updated_at=NOW))
    await unit.record(FarmEvent(subject="job", subject_id=name, name="x", at=NOW, actor="farm"))


async def write(store: SqlStore, name: str, then: Callable[[], object] = lambda: None) -> None:
    async with store.write() as unit:
        await save(unit, name)
        then()


async def stored(store: SqlStore) -> set[str]:
    """Return the jobs that are there, and check that history has exactly them, in a whole chain."""
    async with store.read() as unit:
        jobs = {str(job.job_id) for job in await unit.jobs()}
        lines = await unit.events(limit=10_000)
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    told = [line.subject_id for line in lines]
    assert sorted(told) == sorted(jobs)
    return jobs


def fail() -> None:
    raise ZeroDivisionError


def begun(store: SqlStore, *names: str) -> list["asyncio.Task[None]"]:
    return [asyncio.create_task(write(store, name)) for name in names]


async def behind(store: SqlStore, disk: Disk, *names: str) -> list["asyncio.Task[None]"]:
    """Return writers, of which the first is committing while all others wait."""
    disk.free.clear()
    first = asyncio.create_task(write(store, "first"))
    await disk.reached.wait()
    disk.reached.clear()
    return [first, *begun(store, *names)]


async def test_those_who_wait_while_one_commits_share_the_next_commit(
    store: SqlStore, disk: Disk
) -> None:
    writers = await behind(store, disk, *"abcdefgh")
    disk.free.set()
    await asyncio.gather(*writers)
    assert disk.commits == 2
    assert await stored(store) == {"first", *"abcdefgh"}


async def test_who_is_alone_commits_alone(store: SqlStore, disk: Disk) -> None:
    for name in "abc":
        await write(store, name)
    assert disk.commits == 3


async def test_one_that_fails_is_undone_alone(store: SqlStore, disk: Disk) -> None:
    writers = await behind(store, disk, "a")
    writers.insert(2, asyncio.create_task(write(store, "b", fail)))
    writers.append(asyncio.create_task(write(store, "c")))
    disk.free.set()
    told = await asyncio.gather(*writers, return_exceptions=True)
    assert [type(each) for each in told] == [type(None), type(None), ZeroDivisionError, type(None)]
    assert await stored(store) == {"first", "a", "c"}


async def test_the_first_of_those_who_share_may_fail(store: SqlStore, disk: Disk) -> None:
    writers = await behind(store, disk)
    writers += [asyncio.create_task(write(store, "a", fail)), *begun(store, "b", "c")]
    disk.free.set()
    told = await asyncio.gather(*writers, return_exceptions=True)
    assert isinstance(told[1], ZeroDivisionError)
    assert await stored(store) == {"first", "b", "c"}


async def test_nobody_is_told_anything_before_the_commit(store: SqlStore, disk: Disk) -> None:
    writers = await behind(store, disk, "a")
    writers.append(asyncio.create_task(write(store, "b", fail)))
    disk.free.set()
    await writers[0]
    disk.free.clear()
    await disk.reached.wait()
    assert not any(each.done() for each in writers[1:])
    assert await stored(store) == {"first"}
    disk.free.set()
    await writers[1]
    with pytest.raises(ZeroDivisionError):
        await writers[2]


async def test_a_commit_that_fails_fails_for_all_and_the_next_one_succeeds(
    store: SqlStore, disk: Disk
) -> None:
    writers = await behind(store, disk, "a")
    writers += [asyncio.create_task(write(store, "b", fail)), *begun(store, "c")]
    disk.free.set()
    await writers[0]
    disk.faults.append(Unavailable("disk_full", "no room"))
    told = await asyncio.gather(*writers[1:], return_exceptions=True)
    assert [type(each) for each in told] == [Unavailable] * 3
    await write(store, "d")
    assert await stored(store) == {"first", "d"}


async def test_what_the_database_undid_itself_is_told_to_all_who_share_it(
    store: SqlStore, disk: Disk
) -> None:
    """As on a full disk, where SQLite ends the whole transaction in the midst of a statement."""

    async def undone() -> None:
        async with store.write() as unit:
            unit._connection.exec_driver_sql("ROLLBACK")
            raise Unavailable("disk_full", "no room")

    writers = await behind(store, disk, "a")
    writers += [asyncio.create_task(undone()), *begun(store, "c")]
    disk.free.set()
    told = await asyncio.gather(*writers, return_exceptions=True)
    assert [type(each) for each in told] == [type(None), Unavailable, Unavailable, type(None)]
    assert await stored(store) == {"first", "c"}


async def test_who_is_cancelled_while_waiting_is_not_waited_for(
    store: SqlStore, disk: Disk
) -> None:
    writers = await behind(store, disk, "a", "b", "c")
    writers[2].cancel()
    writers[3].cancel()
    disk.free.set()
    told = await asyncio.gather(*writers, return_exceptions=True)
    assert [type(each) for each in told[2:]] == [asyncio.CancelledError] * 2
    assert await stored(store) == {"first", "a"}


async def test_who_is_cancelled_while_others_are_committed_with_it_hands_the_turn_on(
    store: SqlStore, disk: Disk
) -> None:
    writers = await behind(store, disk, "a", "b")
    disk.free.set()
    await writers[0]
    disk.free.clear()
    await disk.reached.wait()
    for each in writers[1:]:
        each.cancel()
    await asyncio.sleep(0)
    assert not any(each.done() for each in writers[1:]), "its connection is in a thread's hands"
    disk.free.set()
    told = await asyncio.gather(*writers[1:], return_exceptions=True)
    assert [type(each) for each in told] == [asyncio.CancelledError] * 2
    await write(store, "c")
    assert await stored(store) == {"first", "a", "b", "c"}


@pytest.mark.parametrize("seed", range(8))
async def test_whoever_was_told_is_right_whatever_fails_and_whoever_is_cancelled(
    store: SqlStore, disk: Disk, seed: int
) -> None:
    chance = random.Random(seed)
    kept: set[str] = set()
    undone: set[str] = set()

    async def one(name: str) -> None:
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
        fails = chance.random() < 0.2
        try:
            async with store.write() as unit:
                await save(unit, name)
                for _ in range(chance.randrange(3)):
                    await asyncio.sleep(0)
                if fails:
                    fail()
            kept.add(name)
        except (ZeroDivisionError, Unavailable):
            undone.add(name)

    if seed % 3 == 0:
        disk.faults.append(Unavailable("disk_full", "no room"))
    tasks = []
    for number in range(40):
        tasks.append(asyncio.create_task(one(f"job-{number}")))
        if chance.random() < 0.3:
            await asyncio.sleep(chance.choice((0, 0, 0.001)))
        if chance.random() < 0.3:
            chance.choice(tasks).cancel()
    for each in tasks:
        with suppress(asyncio.CancelledError):
            await each
    found = await stored(store)
    assert kept <= found
    assert not undone & found
    await asyncio.wait_for(write(store, "last"), 5)
