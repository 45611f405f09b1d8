"""What a farm is made of, after the settings: its database, its slicer, its policy."""

from pathlib import Path

from coordinator.adapters.db.database import Database, SqliteFile
from coordinator.adapters.slicing_runner.runner import ChildSlicer, PlateCache
from coordinator.domain.policy import Policy
from coordinator.errors import SettingsInvalid
from coordinator.settings import MIB, Settings


def database_of(settings: Settings) -> Database:
    """Return the database that is named, else the folder's.

    Raises:
        SettingsInvalid: what is named is none.
    """
    file = file_of(settings)
    if file is None:
        # Late: its driver takes a tenth of a second and some megabytes.
        from coordinator.adapters.db import postgresql

        return postgresql.named(settings.database_url.get_secret_value())
    return SqliteFile(file)


def file_of(settings: Settings) -> Path | None:
    """Return SQLite's file, None where the database is a server's."""
    has_server = bool(settings.database_url.get_secret_value())
    return None if has_server else settings.state_dir / "farm.sqlite3"


def plate_cache_of(settings: Settings) -> PlateCache | None:
    """Return the folder where plates are kept for the next time.

    Raises:
        SettingsInvalid: it can't be made.
    """
    if not settings.slicing_cache_mib:
        return None
    folder = settings.state_dir / "slicing-cache"
    if settings.slicing_cache_dir:
        folder = Path(settings.slicing_cache_dir).expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsInvalid(
            f"slicing_cache_dir {folder} can't be made ({error.strerror}): name another"
        ) from error
    return PlateCache(folder=folder, bytes_max=settings.slicing_cache_mib * MIB)


def slicer_of(settings: Settings, cache: PlateCache | None) -> ChildSlicer:
    """Return what slices, in child processes."""
    return ChildSlicer(
        timeout_s=settings.slicing_timeout_s,
        memory_bytes_max=settings.slicing_memory_mib * MIB,
        cache=cache,
        policy=settings.gcode_policy,
    )


def policy_of(settings: Settings) -> Policy:
    """Return the farm's choices."""
    return Policy(
        leases_ahead=settings.leases_ahead,
        approval=settings.approve_jobs,
        approve_generations=settings.approve_generations,
    )
