"""`farmhand disk` and `farmhand backup` against a served farm."""

import asyncio
import io
import sys
from pathlib import Path

import pytest

from coordinator.cli import output
from coordinator.cli.exits import Exit
from coordinator.usecases.controlling import cancel_job
from tests.coordinator.cli.conftest import Farmhand
from tests.fakes.fake_farm import order_gcode
from tests.fakes.served_farm import ServedFarm


async def test_usage_is_a_table_and_json(farm: ServedFarm, farmhand: Farmhand) -> None:
    await order_gcode(farm.farm)
    ended = await farmhand("disk", "usage")
    assert ended.code == Exit.OK
    assert "plates" in ended.out
    assert "free" in ended.out
    assert (await farmhand("disk", "usage", "--json")).json["artifacts"]["plate"]["files"] == 1


async def test_cleanup_wants_to_be_told_what_and_asked_whether(
    farm: ServedFarm, farmhand: Farmhand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    job = await order_gcode(farm.farm)
    await cancel_job(farm.farm, job.job_id, "user:anna")
    farm.clock.advance(90_000.0)
    assert (await farmhand("disk", "cleanup")).code == Exit.USAGE
    ended = await farmhand("disk", "cleanup", "--older-than", "1d", "--dry-run")
    assert "would be removed" in ended.out
    assert (await farmhand("disk", "cleanup", "--older-than", "1d")).code != Exit.OK
    assert farm.artifacts.kept, "nobody said yes"
    ended = await farmhand("disk", "cleanup", "--job", job.job_id, "--yes", "--json")
    assert (ended.json["files"], ended.json["dry_run"]) == (1, False)
    assert not farm.artifacts.kept


async def test_a_backup_of_the_farms_folder_is_fetched_whole(
    farm: ServedFarm, farmhand: Farmhand, tmp_path: Path
) -> None:
    ended = await farmhand("disk", "fetch", "farmhand-20300101T120000Z.tar", str(tmp_path / "f"))
    assert (ended.code, "there is no backup" in ended.err) == (Exit.FAILED, True)
    assert not (tmp_path / "f").exists()


async def test_a_backup_is_whole_or_not_there(
    farm: ServedFarm, farmhand: Farmhand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await order_gcode(farm.farm)
    file = tmp_path / "farm.tar"
    ended = await farmhand("backup", str(file))
    assert ended.code == Exit.OK, ended.err
    assert "without the farm's secrets" in ended.out
    other = tmp_path / "other.tar"
    ended = await farmhand("backup", str(tmp_path / "none" / "x.tar"))
    assert (ended.code, "can't be written" in ended.err) == (Exit.FAILED, True)

    listed = await farm.artifacts.stored()

    async def stored() -> list[tuple[str, int]]:
        farm.artifacts.kept.clear()
        return listed

    # A disk that loses a file while it is read: nothing that looks like a backup is left.
    monkeypatch.setattr(farm.artifacts, "stored", stored)
    ended = await farmhand("backup", str(other))
    assert ended.code != Exit.OK
    assert not await asyncio.to_thread(lambda: list(tmp_path.glob("other*")))


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (200 * 1024**2, "200 MiB")],
)
def test_sizes_are_told_in_three_digits(size_bytes: int, words: str) -> None:
    assert output.size(size_bytes) == words


async def test_without_a_folder_for_backups_the_command_says_what_to_set(
    farm: ServedFarm, farmhand: Farmhand
) -> None:
    assert "backup_dir" in (await farmhand("disk", "backups")).out
    ended = await farmhand("disk", "backup")
    assert (ended.code == Exit.OK, "backup_dir" in ended.err) == (False, True)
    assert "smtp_url" in (await farmhand("notice", "ls")).out
    assert (await farmhand("notice", "test", "email")).code != Exit.OK
