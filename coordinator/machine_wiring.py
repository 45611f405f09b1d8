"""The wiring of what the API tells and gives out of the machine that the coordinator runs on."""

from collections.abc import Mapping
from pathlib import Path

from coordinator.api.operating import Machine
from coordinator.domain.backups import SECRET_FILES
from coordinator.settings import Settings


def machine_of(settings: Settings) -> Machine:
    """Return it, as the settings say."""
    return Machine(secrets=lambda: secrets_in(settings.state_dir))


def secrets_in(folder: Path) -> Mapping[str, Path]:
    """Return the files of a state folder that make a backup whole, those that are there."""
    return {name: folder / name for name in SECRET_FILES if (folder / name).is_file()}
