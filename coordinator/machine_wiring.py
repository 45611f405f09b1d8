"""The wiring of what the API tells and gives out of the machine that the coordinator runs on."""

from collections.abc import Mapping
from contextlib import aclosing, suppress
from datetime import timedelta
from pathlib import Path

from coordinator.adapters.backup_folder import BackupFolder
from coordinator.adapters.state_disk import StateDisk
from coordinator.adapters.ticker import Bell
from coordinator.api.operating import Machine
from coordinator.domain.backups import SECRET_FILES
from coordinator.domain.retention import Riddance
from coordinator.errors import NotNow
from coordinator.log_ring import LogRing
from coordinator.ports_disk import Disk
from coordinator.settings import Settings
from coordinator.usecases.backing_up import backup
from coordinator.usecases.farm import Farm
from coordinator.usecases.retaining import cleanup


def machine_of(settings: Settings, log_ring: LogRing) -> Machine:
    """Return it, as the settings say."""
    return Machine(secrets=lambda: secrets_in(settings.state_dir), log=log_ring)


def disk_of(settings: Settings, *, database: Path | None, cache: Path | None) -> Disk:
    """Return the disk of the state folder.

    Args:
        database: SQLite's file, None for a server's; cache: the folder of plates, None for none.
    """
    return StateDisk(folder=settings.state_dir, database=database, cache=cache)


def cleaning_bell(settings: Settings, farm: Farm) -> Mapping[str, Bell]:
    """Return the work that removes the files of old jobs, where the settings want that."""
    if not (days := settings.artifacts_kept_days):
        return {}

    async def work() -> None:
        riddance = Riddance(before=farm.clock.now() - timedelta(days=days))
        # A backup is taken, or a person is at it: there is another hour.
        with suppress(NotNow):
            await cleanup(farm, riddance, "farm", "retention", dry_run=False)

    return {"retention": Bell(work, every_s=3600.0)}


def backup_bell(settings: Settings, farm: Farm, version: str) -> Mapping[str, Bell]:
    """Return the work that backs the farm up, where the settings want that."""
    if not settings.backup_dir:
        return {}
    folder = BackupFolder(
        folder=Path(settings.backup_dir).expanduser(),
        every=timedelta(hours=settings.backup_every_h),
        kept=settings.backups_kept,
    )

    async def work() -> None:
        now = farm.clock.now()
        if not await folder.due(now):
            return
        secrets = secrets_in(settings.state_dir)
        made = backup(farm, "farm", "schedule", version=version, secrets=secrets)
        async with aclosing(made) as parts:
            await folder.put(parts, now)

    # Often enough that one that failed is not long in coming.
    return {"backup": Bell(work, every_s=300.0)}


def secrets_in(folder: Path) -> Mapping[str, Path]:
    """Return the files of a state folder that make a backup whole, those that are there."""
    return {name: folder / name for name in SECRET_FILES if (folder / name).is_file()}
