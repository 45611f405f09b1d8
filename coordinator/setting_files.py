"""Which file settings are read from, and what is wrong with one of them, in words."""

import os
from pathlib import Path

from pydantic import ValidationError

from coordinator.errors import SettingsInvalid


def config_file(named: Path | None) -> Path | None:
    """Return the TOML file: the one that is named, else the user's, else the system's.

    Raises:
        SettingsInvalid: the file that was named does not exist.
    """
    if named is not None:
        if not named.is_file():
            raise SettingsInvalid(f"--config names {named}, which is no file")
        return named
    home = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    usual = (home / "farmhand" / "coordinator.toml", Path("/etc/farmhand/coordinator.toml"))
    return next((path for path in usual if path.is_file()), None)


def sentence(error: ValidationError) -> str:
    """Return the first fault in words, without the value: it may be a secret."""
    first = error.errors(include_url=False, include_input=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"there is no setting {name!r}: remove it, or see --help for those there are"
    reason = first["msg"].removeprefix("Value error, ")
    return f"the setting {name!r} can't be used: {reason}" if name else reason
