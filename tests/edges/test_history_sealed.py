"""Sealed history in a real SQLite file: what left, what stays, and what somebody does to it."""

import asyncio
import hashlib
import random
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from coordinator.adapters.db.scratch import scratch
from coordinator.adapters.db.store import SqlStore, open_store
from coordinator.domain.rebuilt import RebuiltInMemory, rows_digest
from coordinator.errors import NotNow, Refused
from coordinator.usecases import sealing
from coordinator.usecases.auditing import check_tail, verify
from coordinator.usecases.farm import Farm
from tests.edges.test_history_chain import audit, forge, last_of, live, number_of
from tests.fakes.fake_farm import new_farm, order_gcode


async def archive_of(farm: Farm, upto: int) -> bytes:
    return b"".join([part async for part in sealing.archive(farm, upto)])


async def seal(farm: Farm, upto: int) -> None:
    sha256 = hashlib.sha256(await archive_of(farm, upto)).hexdigest()
    await sealing.seal(farm, upto=upto, archive_sha256=sha256, actor="user:anna")


async def live_and_seal(path: Path) -> None:
    await live(path)
    async with open_store(path) as store:
        await seal(new_farm(path.parent, store=store), number_of(path, "run.printing"))


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("lived") / "farm.sqlite3"
    asyncio.run(live_and_seal(file))
    return file


@pytest.fixture
def path(lived: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(lived, tmp_path))


def first_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT min(number) FROM events").fetchone()[0])


async def test_what_was_sealed_is_gone_and_all_that_is_stored_is_proved(path: Path) -> None:
    assert first_of(path) > 5
    verdict = await audit(path)
    assert (verdict.faults, verdict.rows_count) == ((), 6)
    assert verdict.checkpoint is not None
    assert verdict.checkpoint.number == first_of(path) - 1
    async with open_store(path) as store:
        farm = new_farm(path.parent, store=store)
        await check_tail(farm)
        assert farm.live.history_trouble == ""
        await seal(farm, last_of(path))
    assert (await audit(path)).faults == ()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE checkpoint_rows SET row = replace(row, 'true', 'false')", "are not those that"),
        ("DELETE FROM checkpoint_rows WHERE subject = 'job'", "are not those that were sealed"),
        ("UPDATE checkpoints SET archive_sha256 = 'f'", "no event tells that all up to event"),
        ("UPDATE checkpoints SET number = number + 1", "no event tells that all up to event"),
        ("UPDATE checkpoints SET hash = 'f'", "is not what was written"),
        ("DELETE FROM checkpoints", "are missing"),
        ("DELETE FROM events WHERE name = 'history.sealed'", "no event tells that all up to"),
        ("UPDATE jobs SET priority = 9", "priority is 9 in the table, but 0 by history"),
    ],
)
async def test_whatever_somebody_does_to_the_checkpoint_is_found(
    path: Path, change: str, told: str
) -> None:
    forge(path, change)
    assert any(told in fault.words for fault in (await audit(path)).faults)


@pytest.mark.parametrize(
    "act",
    [
        "DELETE FROM events WHERE number > 1",
        "UPDATE checkpoints SET number = 999",
        "DELETE FROM checkpoints",
    ],
)
async def test_the_database_refuses_to_remove_what_is_not_sealed(path: Path, act: str) -> None:
    with (
        closing(sqlite3.connect(path)) as connection,
        pytest.raises(sqlite3.IntegrityError, match="only appended"),
    ):
        connection.execute(act)


async def test_without_the_whole_archive_nothing_is_removed(path: Path) -> None:
    async with open_store(path) as store:
        farm, upto = new_farm(path.parent, store=store), last_of(path)
        torn = hashlib.sha256((await archive_of(farm, upto))[:-1]).hexdigest()
        with pytest.raises(Refused, match="nothing was removed"):
            await sealing.seal(farm, upto=upto, archive_sha256=torn, actor="user:anna")
        whole = hashlib.sha256(await archive_of(farm, upto)).hexdigest()
        for wrong in (1, upto + 1):
            with pytest.raises(NotNow):
                await sealing.seal(farm, upto=wrong, archive_sha256=whole, actor="user:anna")
        assert last_of(path) == upto


async def test_a_history_that_can_not_be_trusted_is_not_sealed(path: Path) -> None:
    forge(path, f"UPDATE events SET actor = 'user:nobody' WHERE number = {last_of(path) - 1}")
    async with open_store(path) as store:
        farm = new_farm(path.parent, store=store)
        with pytest.raises(Refused, match="can't be trusted is not archived"):
            await seal(farm, last_of(path))


async def test_lines_that_a_crash_left_behind_the_checkpoint_count_no_more(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(farm: Farm) -> None:
        raise ZeroDivisionError

    begun, upto = first_of(path), last_of(path)
    async with open_store(path) as store:
        farm = new_farm(path.parent, store=store)
        with monkeypatch.context() as patched:
            patched.setattr(sealing, "drop_sealed", dies)
            with pytest.raises(ZeroDivisionError):
                await seal(farm, upto)
        assert first_of(path) == begun
        assert (await verify(farm)).faults == ()
        await check_tail(farm)
        assert farm.live.history_trouble == ""
        await sealing.drop_sealed(farm)
        assert first_of(path) == upto + 1
        assert (await verify(farm)).faults == ()


async def test_of_two_who_archive_at_once_one_is_told_to_begin_anew(path: Path) -> None:
    async with open_store(path) as store:
        farm = new_farm(path.parent, store=store)
        done = await asyncio.gather(
            *(seal(farm, last_of(path)) for _ in range(2)), return_exceptions=True
        )
        assert sorted(type(each).__name__ for each in done) == ["NoneType", "NotNow"]
        assert (await verify(farm)).faults == ()


async def test_events_since_a_time_are_looked_up_and_not_searched_for(path: Path) -> None:
    statements: list[tuple[str, object]] = []
    async with open_store(path) as store:
        await order_gcode(new_farm(path.parent, store=store))
        _listen(store, statements)
        async with store.read() as unit:
            await unit.events(limit=5, since=datetime.now(UTC) - timedelta(days=9000))
    with closing(sqlite3.connect(path)) as connection:
        plans = [
            row[3]
            for text, given in statements
            for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", given)  # type: ignore[arg-type]
        ]
    assert plans == [
        "SEARCH events USING COVERING INDEX ix_events_at (at>?)",
        "SEARCH events USING INTEGER PRIMARY KEY (rowid>?)",
    ]


def _listen(store: SqlStore, statements: list[tuple[str, object]]) -> None:
    @event.listens_for(store._reader, "before_cursor_execute")
    def _note(_c: object, _k: object, text: str, given: object, _x: object, _m: object) -> None:
        if text.startswith("SELECT"):
            statements.append((text, given))


def test_a_scratch_holds_what_memory_would_and_more_than_it_keeps_there() -> None:
    chance, plain = random.Random(3), RebuiltInMemory()
    with scratch() as rows:
        for number in range(20_000):
            thing = ("job", f"job-{chance.randrange(6000)}")
            match chance.randrange(5):
                case 0:
                    assert rows.pop(thing) == plain.pop(thing)
                case 1:
                    assert rows.get(thing) == plain.get(thing)
                case _:
                    told = ({"state": "ready", "layer": number, "none": None}, number)
                    rows.put(thing, told)
                    plain.put(thing, told)
        assert list(rows.in_order()) == list(plain.in_order())
        assert rows_digest(rows.in_order()) == rows_digest(plain.in_order())
        assert len(rows._hot) <= 500
