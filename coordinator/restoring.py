"""A backup becomes a farm again: offline, into a folder that has none, all of it or nothing."""

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coordinator.adapters.clock import SystemClock, TimeSortedIds
from coordinator.adapters.db.database import Database, SqliteFile
from coordinator.adapters.db.store import SqlStore, open_database
from coordinator.adapters.folder_lock import hold_folder
from coordinator.backup_files import BackupRead, read_backup, sync_folder
from coordinator.domain import backups
from coordinator.domain.history import FarmEvent
from coordinator.errors import Refused, StoreUnusable
from coordinator.ports import AgentLink, ArtifactStore, Slicer
from coordinator.usecases.auditing import Verdict, verify
from coordinator.usecases.farm import Farm

_DRAFT = ".restoring"
# What may lie in a folder that has no farm: our own lock, and what an attempt left.
_MAY_BE_THERE = {"coordinator.lock", _DRAFT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What came of it.

    Attributes:
        backup: what it says of itself: when it was made, by which version, with secrets or not.
        verdict: on its history, as it was in the backup.
        missing: how many artifacts the farm knows without having them; `damaged` those of them
            whose files were no good when the backup was made.
    """

    backup: Any
    verdict: Verdict
    artifacts: int
    missing: int
    damaged: int


async def restore(
    file: Path, folder: Path, *, elsewhere: Database | None = None, distrusted: bool = False
) -> Restored:
    """Restore a backup.

    Args:
        folder: the state folder to be; missing, or empty.
        elsewhere: a database without a farm that is used in place of a file in the folder.
        distrusted: restore it even where its history has faults.

    Raises:
        Refused: the backup is no good; nothing was restored.
        StoreUnusable: the folder has something in it, or can't be written.
    """
    with hold_folder(folder):
        _must_be_empty(folder)
        draft = folder / _DRAFT
        shutil.rmtree(draft, ignore_errors=True)
        try:
            read = _unpacked(file, draft)
            restored = await _checked(draft, read, distrusted=distrusted)
            if elsewhere is not None:
                _put_elsewhere(draft / backups.DATABASE, elsewhere)
            _move_in(draft, folder)
        except OSError as error:
            raise StoreUnusable(f"{folder} can't be written: {error.strerror}") from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return restored


def _must_be_empty(folder: Path) -> None:
    if found := sorted({path.name for path in folder.iterdir()} - _MAY_BE_THERE):
        raise StoreUnusable(f"the folder {folder} has {found[0]} in it: name an empty one")


def _unpacked(file: Path, draft: Path) -> BackupRead:
    draft.mkdir(mode=0o700)
    try:
        return read_backup(file, lambda name: draft / backups.target_of(name))
    except FileNotFoundError as error:
        raise Refused("no_backup", f"{file} can't be read: {error.strerror}") from error


async def _checked(draft: Path, read: BackupRead, *, distrusted: bool) -> Restored:
    """Prove the history, and that all artifacts are there; then write down that this happened."""
    contents = read.contents
    for sha256 in contents.damaged:
        (draft / backups.place_of(sha256)).unlink()
    async with open_database(SqliteFile(draft / backups.DATABASE)) as store:
        farm = _farm_of(store)
        verdict = await verify(farm)
        if verdict.faults and not distrusted:
            words = verdict.faults[0].words
            raise Refused("history_broken", f"the backup's history can't be trusted: {words}")
        async with store.read() as unit:
            known = [artifact.sha256 for artifact in await unit.artifacts()]
        absent = [each for each in known if not (draft / backups.place_of(each)).is_file()]
        if lacking := set(absent) - {*contents.missing, *contents.damaged}:
            raise Refused("no_backup", f"the backup lacks the artifact {min(lacking)}")
        async with store.write() as unit:
            await unit.record(_told(farm, read))
    _whole_file(draft / backups.DATABASE)
    for path in (draft / "artifacts").rglob("*"):
        if path.is_file():
            path.chmod(0o444)
    return Restored(
        backup=read.told,
        verdict=verdict,
        artifacts=len(known) - len(absent),
        missing=len(absent),
        damaged=len(contents.damaged),
    )


def _farm_of(store: SqlStore) -> Farm:
    """Return a farm that is nothing but its database."""
    none: Any = None
    artifacts: ArtifactStore = none
    slicer: Slicer = none
    link: AgentLink = none
    return Farm(
        store=store,
        artifacts=artifacts,
        slicer=slicer,
        link=link,
        clock=SystemClock(),
        ids=TimeSortedIds(),
    )


def _told(farm: Farm, read: BackupRead) -> FarmEvent:
    return FarmEvent(
        subject="backup",
        subject_id="",
        name="backup.restored",
        at=farm.clock.now(),
        actor="farm",
        origin="restore",
        cause="what happened after the backup was made is in no history",
        facts={"made_at": str(read.told.get("made_at", ""))},
    )


def _whole_file(database: Path) -> None:
    """Have all in the one file: what lies beside it does not move along."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with database.open("rb") as file:
        os.fsync(file.fileno())


def _put_elsewhere(database: Path, elsewhere: Database) -> None:
    from coordinator.adapters.db.copying import copy_from_file

    copy_from_file(database, elsewhere)
    database.unlink()


def _move_in(draft: Path, folder: Path) -> None:
    """Put all in its place; the database last, so that there is no farm before it is whole."""
    for path in sorted(draft.iterdir(), key=lambda path: path.name == backups.DATABASE):
        if path.name.endswith(("-wal", "-shm")):
            continue
        path.rename(folder / path.name)
        sync_folder(folder)
