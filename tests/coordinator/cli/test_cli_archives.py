"""`farmhand events archive` against a served farm: old events leave, and stay provable."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from coordinator.cli.exits import Exit
from coordinator.domain.history import digest
from coordinator.domain.sealing import begun_after, read_back
from tests.coordinator.cli.conftest import Farmhand
from tests.fakes.fake_farm import order_gcode
from tests.fakes.served_farm import ServedFarm


async def later(farm: ServedFarm) -> str:
    """Let a job come, and an hour go by; return the time between."""
    await order_gcode(farm.farm)
    farm.clock.advance(1800.0)
    between = farm.clock.now()
    farm.clock.advance(1800.0)
    return between.isoformat()


@pytest.fixture
async def archives(farm: ServedFarm, farmhand: Farmhand, tmp_path: Path) -> list[Path]:
    """Two archives of a farm that lives on."""
    paths = [tmp_path / name for name in ("one.jsonl", "two.jsonl")]
    for path in paths:
        ended = await farmhand("events", "archive", "--before", await later(farm), "-o", str(path))
        assert (ended.code, ended.err) == (Exit.OK, "")
        assert "and only there" in ended.out
    await order_gcode(farm.farm)
    return paths


async def test_archived_events_leave_the_farm_and_stand_in_the_file(
    farm: ServedFarm, archives: list[Path]
) -> None:
    previous = begun_after(archives[0].read_bytes().splitlines()[0])
    lines = [read_back(text) for path in archives for text in path.read_bytes().splitlines()[1:]]
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    for line in lines:
        assert digest(previous.hash, line) == line.hash
        previous = replace(previous, number=line.number, hash=line.hash)
    left = farm.store.tables.lines
    assert left[0].number == lines[-1].number + 1
    assert digest(previous.hash, left[0]) == left[0].hash


async def test_what_is_left_proves_the_tables_and_the_archives_prove_the_rest(
    farmhand: Farmhand, archives: list[Path]
) -> None:
    ended = await farmhand("events", "verify")
    assert ended.code == Exit.OK
    assert "are archived: --archive FILE proves them too" in ended.out
    flags = [word for path in reversed(archives) for word in ("--archive", str(path))]
    ended = await farmhand("events", "verify", *flags)
    assert (ended.code, ended.err) == (Exit.OK, "")
    first = read_back(archives[0].read_bytes().splitlines()[1])
    head = f"{first.number}:{first.hash}"
    assert (await farmhand("events", "verify", *flags, "--head", head)).code == Exit.OK
    ended = await farmhand("events", "verify", *flags, "--head", f"1:{'f' * 64}")
    assert "is not the one whose hash was kept" in ended.err
    ended = await farmhand("events", "verify", "--head", head)
    assert "event 1 is in an archive" in ended.err


async def test_an_archive_that_was_altered_or_is_another_farms_is_named(
    farmhand: Farmhand, archives: list[Path]
) -> None:
    flags = [word for path in archives for word in ("--archive", str(path))]
    whole = archives[1].read_bytes()
    archives[1].write_bytes(whole.replace(b"user:anna", b"user:anno"))
    ended = await farmhand("events", "verify", *flags)
    assert ended.code == Exit.FAILED
    assert "is not what was written" in ended.out
    archives[1].write_bytes(whole[: whole.rindex(b"[")])
    ended = await farmhand("events", "verify", *flags)
    assert "the farm's with event" in ended.err
    ended = await farmhand("events", "verify", *flags[2:])
    assert "give each archive once, and none less" in ended.err
    archives[1].write_bytes(b"a text\n")
    assert "two.jsonl" in (await farmhand("events", "verify", *flags)).err


async def test_an_archive_is_never_written_over_and_never_empty(
    farm: ServedFarm, farmhand: Farmhand, tmp_path: Path
) -> None:
    path, before = tmp_path / "old.jsonl", farm.clock.now() - timedelta(days=1)
    await order_gcode(farm.farm)
    ended = await farmhand("events", "archive", "--before", before.isoformat(), "-o", str(path))
    assert ended.code == Exit.FAILED
    assert "no event from before that time is left" in ended.err
    assert not path.exists()
    path.write_text("mine")
    ended = await farmhand("events", "archive", "--before", "1m", "-o", str(path))
    assert ended.code == Exit.USAGE
    assert path.read_text() == "mine"
    assert farm.store.tables.checkpoint is None
