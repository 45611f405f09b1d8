"""The folder of pictures: the newest of each printer, and those of the last runs."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from coordinator.adapters.pictures_folder import FolderPictures
from coordinator.errors import Unavailable
from coordinator.ports_pictures import Picture
from protocols.wire.vocabulary import PrinterId, RunId
from tests.fakes.pictures import JPEG, PNG

PRINTER = PrinterId("p-1")
NOON = datetime(2026, 6, 1, 12, 0, 0, 500_000, UTC)


async def test_the_newest_is_kept_over_a_restart_with_its_time(tmp_path: Path) -> None:
    pictures = FolderPictures(tmp_path / "pictures")
    assert await pictures.newest(PRINTER) is None
    await pictures.keep(PRINTER, Picture(data=JPEG, taken_at=NOON))
    await pictures.keep(PRINTER, Picture(data=PNG, taken_at=NOON))
    kept = await FolderPictures(tmp_path / "pictures").newest(PRINTER)
    assert kept == Picture(data=PNG, taken_at=NOON)


async def test_pictures_of_the_oldest_runs_make_room(tmp_path: Path) -> None:
    pictures = FolderPictures(tmp_path, runs_max=2)
    for name in ("run-01a", "run-01b", "run-01c"):
        await pictures.keep(PRINTER, Picture(data=JPEG, taken_at=NOON), run_id=RunId(name))
    assert await pictures.of_run(RunId("run-01a")) is None
    assert await pictures.of_run(RunId("run-01b")) == Picture(data=JPEG, taken_at=NOON)
    assert await pictures.of_run(RunId("run-01c")) is not None
    asked = [RunId("run-01a"), RunId("run-01b")]
    assert await pictures.seen_of(asked) == {RunId("run-01b")}


async def test_what_a_power_cut_tore_is_no_picture(tmp_path: Path) -> None:
    pictures = FolderPictures(tmp_path)
    await pictures.keep(PRINTER, Picture(data=JPEG, taken_at=NOON))
    (tmp_path / "printers" / PRINTER).write_bytes(b"")
    assert await pictures.newest(PRINTER) is None


async def test_a_folder_that_can_not_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "printers").write_text("in the way")
    with pytest.raises(Unavailable, match="can't be kept"):
        await FolderPictures(tmp_path).keep(PRINTER, Picture(data=JPEG, taken_at=NOON))
