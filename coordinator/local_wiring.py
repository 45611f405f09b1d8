"""The wiring of what lies on this machine: the database's file, slicing and its cache, the disk."""

from pathlib import Path

from coordinator.adapters.db.database import Database, SqliteFile
from coordinator.adapters.slicing_runner.runner import ChildSlicer, PlateCache
from coordinator.adapters.state_disk import StateDisk
from coordinator.errors import SettingsInvalid
from coordinator.ports_disk import Disk
from coordinator.settings import MIB, Settings


def database_of(settings: Settings) -> Database:
    """Return the database that is named, else the folder's.

    Raises:
        SettingsInvalid: what is named is none.
    """
    file = _file_of(settings)
    if file is None:
        # Late: its driver takes a tenth of a second and some megabytes.
        from coordinator.adapters.db import postgresql

        return postgresql.named(settings.database_url.get_secret_value())
    return SqliteFile(file)


def slicer_of(settings: Settings) -> ChildSlicer:
    """Return slicing, in child processes.

    Raises:
        SettingsInvalid: the cache's folder can't be made.
    """
    return ChildSlicer(
        timeout_s=settings.slicing_timeout_s,
        memory_bytes_max=settings.slicing_memory_mib * MIB,
        cache=_plate_cache(settings),
        policy=settings.gcode_policy,
    )


def disk_of(settings: Settings) -> Disk:
    """Return the disk of the state folder."""
    cache = _cache_folder(settings)
    return StateDisk(folder=settings.state_dir, database=_file_of(settings), cache=cache)


def _file_of(settings: Settings) -> Path | None:
    """Return SQLite's file, None where the database is a server's."""
    has_server = bool(settings.database_url.get_secret_value())
    return None if has_server else settings.state_dir / "farm.sqlite3"


def _plate_cache(settings: Settings) -> PlateCache | None:
    """Return where plates are kept for the next time.

    Raises:
        SettingsInvalid: the folder can't be made.
    """
    folder = _cache_folder(settings)
    if folder is None:
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsInvalid(
            f"slicing_cache_dir {folder} can't be made ({error.strerror}): name another"
        ) from error
    return PlateCache(folder=folder, bytes_max=settings.slicing_cache_mib * MIB)


def _cache_folder(settings: Settings) -> Path | None:
    if not settings.slicing_cache_mib:
        return None
    if settings.slicing_cache_dir:
        return Path(settings.slicing_cache_dir).expanduser()
    return settings.state_dir / "slicing-cache"
