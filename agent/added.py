"""Printers that the farm added: one file each in the state folder, readable by its owner only.

They stand beside those of the configuration, which is the person's own and is never written.
"""

import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from agent.errors import SettingsInvalid
from agent.identity import write_private
from agent.settings import AgentSettings, PrinterSettings

FOLDER = "printers.d"
# What a command's argument is called that belongs to the driver: `settings.port`.
OF_DRIVER = "settings."


def with_added(settings: AgentSettings) -> AgentSettings:
    """Return the settings with the printers that the farm added; the configuration's win.

    Raises:
        SettingsInvalid: a file is damaged.
    """
    known = {printer.id for printer in settings.printers}
    found = [_read(path) for path in sorted((settings.state_dir / FOLDER).glob("*.json"))]
    more = [printer for printer in found if printer.id not in known]
    return settings.model_copy(update={"printers": [*settings.printers, *more]})


def asked_for(arguments: dict[str, Any]) -> PrinterSettings:
    """Return the printer that a command's arguments describe.

    Raises:
        SettingsInvalid: they describe none; never with a value, which may be a secret.
    """
    own = {name: said for name, said in arguments.items() if not name.startswith(OF_DRIVER)}
    of_driver = {
        name.removeprefix(OF_DRIVER): said
        for name, said in arguments.items()
        if name.startswith(OF_DRIVER)
    }
    return _checked({**own, "settings": of_driver}, "the printer")


def keep(state_dir: Path, printer: PrinterSettings) -> None:
    """Keep a printer through a power cut.

    Raises:
        OSError: it can't be written.
    """
    (state_dir / FOLDER).mkdir(mode=0o700, exist_ok=True)
    write_private(_path(state_dir, printer.id), printer.model_dump_json(indent=1) + "\n")


def forget(state_dir: Path, printer_id: str) -> bool:
    """Remove what was kept of a printer; whether there was anything.

    Raises:
        OSError: it can't be removed.
    """
    path = _path(state_dir, printer_id)
    if not path.exists():
        return False
    path.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return True


def is_kept(state_dir: Path, printer_id: str) -> bool:
    """Whether the farm added this printer."""
    return _path(state_dir, printer_id).exists()


def _path(state_dir: Path, printer_id: str) -> Path:
    return state_dir / FOLDER / f"{printer_id}.json"


def _read(path: Path) -> PrinterSettings:
    try:
        return PrinterSettings.model_validate_json(path.read_bytes())
    except OSError as error:
        raise SettingsInvalid(f"{path} can't be read: {error.strerror}") from error
    except ValidationError as error:
        raise SettingsInvalid(f"{path} is damaged: {_sentence(error)}") from error


def _checked(said: dict[str, Any], what: str) -> PrinterSettings:
    try:
        return PrinterSettings.model_validate(said)
    except ValidationError as error:
        raise SettingsInvalid(f"{what}: {_sentence(error)}") from error


def _sentence(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
