"""The wiring of what the API tells and gives out of the machine that the coordinator runs on."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from coordinator.adapters.backup_folder import BackupFolder
from coordinator.adapters.ticker import Bell
from coordinator.api.operating import Machine
from coordinator.app_outward import people_of
from coordinator.chosen import ChosenSettings
from coordinator.domain.backups import SECRET_FILES
from coordinator.domain.retention import Riddance
from coordinator.errors import NotNow
from coordinator.log_ring import LogRing
from coordinator.ports_trial import SimulatedFarm
from coordinator.setting_origins import SettingTold
from coordinator.settings import Settings
from coordinator.usecases.backing_up import keep_backup
from coordinator.usecases.farm import Farm
from coordinator.usecases.retaining import cleanup


def machine_of(settings: Settings, log_ring: LogRing, told: Sequence[SettingTold]) -> Machine:
    """Return it, as the settings say; `told` are these with where each comes from."""
    return Machine(
        secrets=lambda: secrets_in(settings.state_dir),
        log=log_ring,
        settings=told,
        backups=_backup_folder(settings),
    )


def completed(
    machine: Machine, chosen: ChosenSettings, farm: Farm, simulated: SimulatedFarm
) -> Machine:
    """Return it with the settings in force, and what needs the farm."""
    people = people_of(chosen.now, farm.outside)
    return replace(machine, choices=chosen, people=people, simulated=simulated)


def cleaning_bell(chosen: ChosenSettings, farm: Farm) -> Mapping[str, Bell]:
    """Return the work that removes the files of old jobs, while the settings want that."""

    async def work() -> None:
        if not (days := chosen.now.artifacts_kept_days):
            return
        riddance = Riddance(before=farm.clock.now() - timedelta(days=days))
        # A backup is taken, or a person is at it: there is another hour.
        with suppress(NotNow):
            await cleanup(farm, riddance, "farm", "retention", dry_run=False)

    return {"retention": Bell(work, every_s=3600.0)}


def backup_bell(
    chosen: ChosenSettings, machine: Machine, farm: Farm, version: str
) -> Mapping[str, Bell]:
    """Return the work that backs the farm up, where the settings want that."""
    folder = machine.backups
    if not isinstance(folder, BackupFolder):
        return {}

    def hear(settings: Settings) -> None:
        folder.every = timedelta(hours=settings.backup_every_h)
        folder.kept = settings.backups_kept

    async def work() -> None:
        if not await folder.due(farm.clock.now()):
            return
        secrets = secrets_in(chosen.now.state_dir)
        with suppress(NotNow):  # a person has one made
            await keep_backup(farm, folder, "farm", "schedule", version=version, secrets=secrets)

    chosen.heard(hear)
    # Often enough that one that failed is not long in coming.
    return {"backup": Bell(work, every_s=300.0)}


def secrets_in(folder: Path) -> Mapping[str, Path]:
    """Return the files of a state folder that make a backup whole, those that are there."""
    return {name: folder / name for name in SECRET_FILES if (folder / name).is_file()}


def _backup_folder(settings: Settings) -> BackupFolder | None:
    if not settings.backup_dir:
        return None
    return BackupFolder(
        folder=Path(settings.backup_dir).expanduser(),
        every=timedelta(hours=settings.backup_every_h),
        kept=settings.backups_kept,
    )
