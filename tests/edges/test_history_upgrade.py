"""A database from before the chain: its lines are bound, its rows told as found; it lives on."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from coordinator.adapters.clock import TimeSortedIds
from coordinator.adapters.db import chain, engines, schema
from coordinator.adapters.db.found import tell_found
from coordinator.adapters.db.store import open_store
from coordinator.domain.history import Line
from coordinator.usecases import absorbing
from coordinator.usecases.auditing import Verdict, verify
from tests.fakes.fake_farm import new_farm, order_gcode
from tests.fakes.model_agent import ModelAgent
from tests.fakes.story import connect, start, work

STATE_TABLES = ("artifacts", "jobs", "plates", "agents", "printers", "runs")
# Every second number only: a database may have lost some.
OLD_EVENTS = """
INSERT INTO events (number, subject, subject_id, name, at, actor, cause, facts)
SELECT 2 * number, subject, subject_id, name, replace(substr(at, 1, 26), 'T', ' '), actor, cause,
    facts
FROM new.events
"""


async def live(path: Path) -> None:
    """Leave a farm in the middle of a print, with another one lost and a job that waits."""
    async with open_store(path) as store:
        farm = new_farm(path.parent, store=store)
        for name in ("a", "b"):
            agent = await connect(farm, name)
            await order_gcode(
                farm, name=f"part ⛵ {name}", overrides={"infill": 0.25, "brim": True}
            )
            await work(farm, agent)
            await start(farm, agent)
        lost = ModelAgent("a", journal=2, boot=2)
        await absorbing.absorb(farm, lost.presence())
        await order_gcode(farm, copies=3)


def as_version_1(new: Path, old: Path) -> None:
    """Write what is in a database of today into one of the first version."""
    engine = engines.migrator(old)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(schema._MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("ATTACH ? AS new", (str(new),))
        for name in STATE_TABLES:
            columns = ", ".join(
                f'"{row[1]}"' for row in connection.execute(f"PRAGMA main.table_info({name})")
            )
            connection.execute(
                f"INSERT INTO main.{name} ({columns}) SELECT {columns} FROM new.{name}"
            )
        connection.execute(OLD_EVENTS)
        connection.commit()


@pytest.fixture(scope="module")
def version_1(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lived")
    asyncio.run(live(folder / "new.sqlite3"))
    as_version_1(folder / "new.sqlite3", folder / "farm.sqlite3")
    return folder / "farm.sqlite3"


@pytest.fixture
def path(version_1: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(version_1, tmp_path))


async def read(path: Path) -> tuple[Verdict, list[Line]]:
    async with open_store(path) as store:
        async with store.read() as unit:
            lines = await unit.events(limit=10_000)
        return await verify(new_farm(path.parent, store=store)), lines


async def test_old_lines_are_kept_in_their_order_and_bound(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        wanted = "SELECT subject, subject_id, name, actor, cause, facts FROM events ORDER BY number"
        before = connection.execute(wanted).fetchall()
    verdict, lines = await read(path)
    assert verdict.faults == ()
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    kept = [
        (line.subject, line.subject_id, line.name, line.actor, line.cause, line.facts)
        for line in lines[: len(before)]
    ]
    assert kept == before
    assert len(before) > 20


async def test_every_row_is_told_as_found_and_can_be_rebuilt(path: Path) -> None:
    verdict, lines = await read(path)
    found = [line for line in lines if line.name.endswith(".found")]
    assert len(found) == verdict.rows_count == 2 + 2 + 1 + 3 + 3 + 2
    assert {(line.actor, line.origin.split()[0]) for line in found} == {("farm", "upgrade")}
    assert (await read(path))[1] == lines, "an upgrade is told once"


async def test_the_farm_lives_on_and_its_history_with_it(path: Path) -> None:
    async with open_store(path) as store:
        farm = new_farm(path.parent, store=store, ids=TimeSortedIds())
        agent = await connect(farm, "c")
        await order_gcode(farm)
        await work(farm, agent)
        await start(farm, agent)
    assert (await read(path))[0].faults == ()


async def test_a_line_from_before_is_guarded_as_every_other(path: Path) -> None:
    await read(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TRIGGER events_refuse_update")
        connection.execute("UPDATE events SET actor = 'user:nobody' WHERE number = 3")
        connection.commit()
    assert (await read(path))[0].faults[0].words.startswith("event 3 is not what was written")


async def test_a_later_upgrade_tells_new_columns_and_hides_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await read(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE jobs SET priority = 9")
        connection.execute("UPDATE artifacts SET sha256 = 'f00'")
        connection.commit()
    stored = chain.rows
    monkeypatch.setattr(
        chain,
        "rows",
        lambda connection: (
            [(thing, row | ({"shelf": 3} if thing[0] == "printer" else {})) for thing, row in page]
            for page in stored(connection)
        ),
    )
    engine = engines.migrator(path)
    with engine.begin() as connection:
        tell_found(connection, origin="upgrade 0002 to 0003")
    engine.dispose()
    verdict, lines = await read(path)
    told = [(line.subject, line.changes) for line in lines if line.origin == "upgrade 0002 to 0003"]
    assert told == [("printer", '{"shelf":3}')] * 2
    words = " ".join(fault.words for fault in verdict.faults)
    assert "priority is 9 in the table, but 0 by history" in words
    assert "artifact f00: a table has it, but history never told of it" in words
