"""The history in a real SQLite file: what somebody changed by hand is found and named."""

import asyncio
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from coordinator.adapters.clock import TimeSortedIds
from coordinator.adapters.db.store import open_store
from coordinator.domain.history import Head, Line, digest
from coordinator.errors import StoreUnusable
from coordinator.usecases.auditing import Verdict, check_tail, verify
from tests.fakes.fake_farm import new_farm, order_gcode
from tests.fakes.story import connect, end, start, work

COLUMNS = ("at", "actor", "origin", "cause", "subject", "subject_id", "name", "facts", "changes")


async def live(path: Path) -> None:
    """Print one plate, from the order to the cleared bed."""
    async with open_store(path) as store:
        farm = new_farm(path.parent, store=store)
        agent = await connect(farm, "a")
        await order_gcode(farm)
        await work(farm, agent)
        await start(farm, agent)
        await end(farm, agent)


async def audit(path: Path, known: Head | None = None) -> Verdict:
    async with open_store(path) as store:
        return await verify(new_farm(path.parent, store=store), known)


async def trouble_at_the_start(path: Path) -> str:
    async with open_store(path) as store:
        farm = new_farm(path.parent, store=store)
        await check_tail(farm)
        return farm.live.history_trouble


def forge(path: Path, *statements: str) -> None:
    """Change the file as somebody does who knows of the triggers."""
    with closing(sqlite3.connect(path)) as connection:
        guards = [
            row[0]
            for row in connection.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger'")
        ]
        names = [
            row[0]
            for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        ]
        for statement in (*(f"DROP TRIGGER {name}" for name in names), *statements, *guards):
            connection.execute(statement)
        connection.commit()


def number_of(path: Path, name: str) -> int:
    """Return the number of the first event of that name."""
    with closing(sqlite3.connect(path)) as connection:
        wanted = "SELECT min(number) FROM events WHERE name = ?"
        return int(connection.execute(wanted, (name,)).fetchone()[0])


def last_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT max(number) FROM events").fetchone()[0])


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("lived") / "farm.sqlite3"
    asyncio.run(live(file))
    return file


@pytest.fixture
def path(lived: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(lived, tmp_path))


async def test_a_history_that_nobody_touched_proves_all_that_is_stored(path: Path) -> None:
    verdict = await audit(path)
    assert verdict.faults == ()
    assert verdict.head.number == last_of(path)
    assert verdict.rows_count == 6  # an agent, a printer, an artifact, a job, its plate, its run
    assert await trouble_at_the_start(path) == ""


@pytest.mark.parametrize("column", COLUMNS)
async def test_an_altered_event_is_named_whatever_was_altered(path: Path, column: str) -> None:
    number = number_of(path, "job.leased")
    forge(path, f"UPDATE events SET {column} = {column} || ' ' WHERE number = {number}")
    verdict = await audit(path)
    assert (verdict.faults[0].code, verdict.faults[0].number) == ("altered", number)
    assert f"event {number} is not what was written" in verdict.faults[0].words
    assert f"event {number} " in await trouble_at_the_start(path)


async def test_an_altered_event_with_a_new_hash_breaks_the_next_one(path: Path) -> None:
    number = number_of(path, "job.leased")
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        row = dict(
            connection.execute("SELECT * FROM events WHERE number = ?", (number,)).fetchone()
        )
        wanted = "SELECT hash FROM events WHERE number = ?"
        before = connection.execute(wanted, (number - 1,)).fetchone()[0]
    hashed = digest(before, Line(**{**row, "actor": "user:nobody"}))
    forge(
        path,
        f"UPDATE events SET actor = 'user:nobody', hash = '{hashed}' WHERE number = {number}",
    )
    faults = (await audit(path)).faults
    assert [(fault.code, fault.number) for fault in faults] == [("altered", number + 1)]


@pytest.mark.parametrize("which", ["first", "middle", "last", "last two"])
async def test_a_removed_event_is_named(path: Path, which: str) -> None:
    last = last_of(path)
    number = {"first": 1, "middle": number_of(path, "run.printing"), "last": last}.get(
        which, last - 1
    )
    upto = last if which == "last two" else number
    forge(path, f"DELETE FROM events WHERE number BETWEEN {number} AND {upto}")
    first = (await audit(path)).faults[0]
    assert first.number == number
    assert first.code == ("cut" if "last" in which else "missing")
    if "last" in which:
        assert first.words == f"the history ends at event {number - 1}, but {last} were written"
    else:
        assert first.words == f"event {number} is missing"
    assert await trouble_at_the_start(path)


async def test_after_the_last_events_were_cut_off_what_is_written_later_does_not_heal_it(
    path: Path,
) -> None:
    last = last_of(path)
    forge(path, f"DELETE FROM events WHERE number = {last}")
    async with open_store(path) as store:
        await order_gcode(new_farm(path.parent, store=store, ids=TimeSortedIds()))
    first = (await audit(path)).faults[0]
    assert (first.code, first.number, first.words) == ("missing", last, f"event {last} is missing")


async def test_an_event_that_was_put_in_is_named(path: Path) -> None:
    number, last = number_of(path, "run.printing"), last_of(path)
    columns = ", ".join((*COLUMNS, "hash"))
    copy = f"INSERT INTO events (number, {columns}) SELECT {{}}, {columns} FROM events"
    forge(
        path,
        f"UPDATE events SET number = -number WHERE number >= {number}",
        "UPDATE events SET number = 1 - number WHERE number < 0",
        copy.format(number) + " WHERE number = 1",
    )
    first = (await audit(path)).faults[0]
    assert (first.code, first.number) == ("altered", number)

    forge(path, copy.format(last + 2) + " WHERE number = 1")
    forge(path, f"UPDATE history SET number = {last + 2}")
    assert "altered" in {fault.code for fault in (await audit(path)).faults}


async def test_an_event_behind_the_last_one_is_named(path: Path) -> None:
    last = last_of(path)
    columns = ", ".join(COLUMNS)
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        row = dict(connection.execute("SELECT * FROM events WHERE number = ?", (last,)).fetchone())
    hashed = digest(row["hash"], Line(**{**row, "number": last + 1}))
    forge(
        path,
        f"INSERT INTO events (number, {columns}, hash) "
        f"SELECT {last + 1}, {columns}, '{hashed}' FROM events WHERE number = {last}",
    )
    first = (await audit(path)).faults[0]
    assert (first.code, first.number) == ("added", last + 1)
    assert first.words == f"only {last} events were written, but there are {last + 1}"


async def test_events_that_changed_places_are_named(path: Path) -> None:
    number = number_of(path, "job.leased")
    forge(
        path,
        f"UPDATE events SET number = -1 WHERE number = {number}",
        f"UPDATE events SET number = {number} WHERE number = {number + 1}",
        f"UPDATE events SET number = {number + 1} WHERE number = -1",
    )
    first = (await audit(path)).faults[0]
    assert (first.code, first.number) == ("altered", number)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE jobs SET priority = 9", "priority is 9 in the table, but 0 by history"),
        ("UPDATE printers SET epoch = 7", "epoch is 7 in the table"),
        ("UPDATE printers SET bed_state = 'clear'", "bed_state is 'clear' in the table"),
        ("UPDATE runs SET state = 'no such state'", "state is 'no such state' in the table"),
        ("DELETE FROM agents", "history tells of it, but no table has it"),
        (
            "INSERT INTO artifacts VALUES ('f00', 'plate', 'x', 1, '2026-01-01 00:00:00.000000')",
            "a table has it, but history never told of it",
        ),
        ("UPDATE jobs SET updated_at = 'noon'", "a table holds what can't be read"),
    ],
)
async def test_a_table_that_was_changed_behind_history_s_back_is_named(
    path: Path, change: str, told: str
) -> None:
    forge(path, change)
    verdict = await audit(path)
    assert verdict.faults[0].code in ("differs", "unreadable")
    assert told in verdict.faults[0].words


async def test_a_change_behind_history_s_back_stays_visible_whatever_follows(path: Path) -> None:
    forge(path, "UPDATE printers SET quarantine = 'for ever'")
    async with open_store(path) as store:
        await connect(new_farm(path.parent, store=store), "a")
    faults = (await audit(path)).faults
    assert [fault.code for fault in faults] == ["differs"]
    assert "quarantine is" in faults[0].words


async def test_a_new_history_in_the_place_of_the_old_does_not_lead_to_the_head_that_was_kept(
    path: Path, tmp_path: Path
) -> None:
    kept = (await audit(path)).head
    assert (await audit(path, kept)).faults == ()
    async with open_store(path) as store:
        await order_gcode(new_farm(tmp_path, store=store, ids=TimeSortedIds()))
    assert (await audit(path, kept)).faults == ()
    other = tmp_path / "other" / "farm.sqlite3"
    other.parent.mkdir()
    async with open_store(other) as store:
        farm = new_farm(other.parent, store=store)
        for _ in range(kept.number):
            await order_gcode(farm)
    assert (await audit(other)).faults == ()
    assert [fault.code for fault in (await audit(other, kept)).faults] == ["other_head"]


async def test_without_the_end_of_its_history_a_database_is_not_used(path: Path) -> None:
    forge(path, "DELETE FROM history")
    async with open_store(path) as store:
        with pytest.raises(StoreUnusable, match="backup"):
            await order_gcode(new_farm(path.parent, store=store))


WRITER = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from coordinator.adapters.clock import TimeSortedIds
from coordinator.adapters.db.store import open_store
from coordinator.domain.history import FarmEvent

async def main():
    async with open_store(Path(sys.argv[1]), patience_s=60.0) as store:
        print("ready", flush=True)
        sys.stdin.readline()
        for number in range(50):
            async with store.write() as unit:
                for name in ("x.begun", "x.done"):
                    await unit.record(FarmEvent(
                        subject="x", subject_id=sys.argv[2], name=name,
                        at=datetime.now(UTC), actor=sys.argv[2],
                    ))

asyncio.run(main())
"""


async def test_writers_at_once_make_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "farm.sqlite3"
    async with open_store(path):
        pass
    writers = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", WRITER, str(path), f"w{number}"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for number in range(4)
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert await asyncio.wait_for(writer.stdout.readline(), 60) == b"ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"go\n")
    codes = await asyncio.gather(*(asyncio.wait_for(writer.wait(), 120) for writer in writers))
    assert codes == [0] * 4
    verdict = await audit(path)
    assert (verdict.head.number, verdict.faults) == (4 * 50 * 2, ())
    with closing(sqlite3.connect(path)) as connection:
        actors = [row[0] for row in connection.execute("SELECT actor FROM events ORDER BY number")]
    assert actors[::2] == actors[1::2], "a transaction's events stand together"
    assert len(set(actors)) == 4


@pytest.mark.parametrize("guarded", [True, False])
def test_of_two_lines_that_follow_the_same_one_the_second_is_refused(
    path: Path, guarded: bool
) -> None:
    last = last_of(path)
    insert = f"INSERT INTO events SELECT {{}}, {', '.join(COLUMNS)}, 'h' FROM events LIMIT 1"
    with closing(sqlite3.connect(path)) as connection:
        if not guarded:
            connection.execute("DROP TRIGGER events_refuse_gap")
        refusal = "only appended" if guarded else "UNIQUE"
        with pytest.raises(sqlite3.IntegrityError, match=refusal):
            connection.execute(insert.format(last))


@pytest.mark.parametrize(
    "act", ["UPDATE events SET name = 'y'", "DELETE FROM events", "DELETE FROM history"]
)
async def test_the_database_itself_refuses_to_rewrite_history(path: Path, act: str) -> None:
    with (
        closing(sqlite3.connect(path)) as connection,
        pytest.raises(sqlite3.IntegrityError, match="only appended"),
    ):
        connection.execute(act)
