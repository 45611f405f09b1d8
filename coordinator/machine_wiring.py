"""The wiring of what is told and given out of the machine that the coordinator runs on."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from coordinator.adapters.backup_folder import BackupFolder
from coordinator.adapters.ticker import Bell
from coordinator.api.operating import Machine
from coordinator.app_outward import people_of
from coordinator.app_serving import version
from coordinator.domain.backups import SECRET_FILES
from coordinator.domain.retention import Riddance
from coordinator.errors import NotNow, SettingsInvalid
from coordinator.log_ring import LogRing
from coordinator.ports_tracing import Tracer, Untraced
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


def with_people(machine: Machine, settings: Settings, farm: Farm) -> Machine:
    """Return it with the ways to people, which go through the farm's way to the outside."""
    return replace(machine, people=people_of(settings, farm.outside))


@asynccontextmanager
async def tracer_of(settings: Settings) -> AsyncIterator[Tracer]:
    """Lend what tells of spans: nothing, and nothing imported, unless there is a collector.

    Raises:
        SettingsInvalid: what it needs is not installed.
    """
    if not settings.otlp_url:
        yield Untraced()
        return
    try:
        from coordinator.adapters.tracing import OtlpTracer
    except ImportError as error:
        words = f"otlp_url is set, and {error.name} is missing: pip install 'farmhand[otel]'"
        raise SettingsInvalid(words) from error
    tracer = OtlpTracer(settings.otlp_url, version=version())
    try:
        yield tracer
    finally:
        await asyncio.to_thread(tracer.close)


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
    folder = _backup_folder(settings)
    if folder is None:
        return {}

    async def work() -> None:
        if not await folder.due(farm.clock.now()):
            return
        secrets = secrets_in(settings.state_dir)
        with suppress(NotNow):  # a person has one made
            await keep_backup(farm, folder, "farm", "schedule", version=version, secrets=secrets)

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
