"""The settings that printers behind a host share, and how tables of settings are read."""

import os
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from agent.errors import SettingsInvalid
from protocols.gcode.rules import RULES, Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSettings:
    """How to reach a host and what its printer can do.

    Attributes:
        url: where its page is, `http://octopi.local`; with a path where it is behind a proxy.
        api_key: what it admits us by.
        api_key_file: a file that holds just the key, instead; a relative path is below
            $CREDENTIALS_DIRECTORY where that is set.
        kept_bytes_max: plates that are kept in our folder of the host, for being printed again.
        bed_x_mm, bed_y_mm, height_mm, tool_celsius_max, bed_celsius_max, margin_mm: what plates
            are checked against; 0: what the host knows, else what is usual.
        allow: rules of `protocols.gcode.rules` that refuse no plate here (`unhomed`, `cold`, ...),
            where the host's own scripts home and heat.
    """

    key_needed: ClassVar[bool] = True  # some hosts admit a machine that they trust

    url: str
    api_key: str = ""
    api_key_file: str = ""
    kept_bytes_max: int = 1_000_000_000
    bed_x_mm: float = 0.0
    bed_y_mm: float = 0.0
    height_mm: float = 0.0
    tool_celsius_max: float = 0.0
    bed_celsius_max: float = 0.0
    margin_mm: float = 0.0
    allow: tuple[str, ...] = ()

    @property
    def given_limits(self) -> dict[str, float]:
        """The fields of `Limits` that were set."""
        names = {field.name for field in fields(Limits)} & {field.name for field in fields(self)}
        values = {name: getattr(self, name) for name in names}
        return {name: value for name, value in values.items() if value}

    @property
    def key(self) -> str:
        """The key, read from its file where it is there.

        Raises:
            SettingsInvalid: the file can't be read.
        """
        if not self.api_key_file:
            return self.api_key
        path = Path(os.environ.get("CREDENTIALS_DIRECTORY", ""), self.api_key_file).expanduser()
        try:
            return path.read_text().strip()
        except OSError as error:
            raise SettingsInvalid(f"'api_key_file': {error}") from error

    @classmethod
    def parse(cls, table: Mapping[str, Any]) -> Self:
        """Return the settings in a table of a configuration file.

        Raises:
            SettingsInvalid: naming the key.
        """
        known = {field.name: field for field in fields(cls)}
        for name in table:
            if name not in known:
                raise SettingsInvalid(f"{name!r} is no setting; known: {', '.join(known)}")
        for name, field in known.items():
            if name in table:
                _check(field, table[name])
            elif field.default is MISSING:
                raise SettingsInvalid(f"{name!r} is missing")
        allow = tuple(table.get("allow", ()))
        settings = cls(**{**table, "allow": allow})
        parts = urlsplit(settings.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsInvalid(f"'url' is {settings.url!r}, not like http://octopi.local")
        if settings.api_key and settings.api_key_file:
            raise SettingsInvalid("either 'api_key' or 'api_key_file', not both")
        if cls.key_needed and not (settings.api_key or settings.api_key_file):
            raise SettingsInvalid("either 'api_key' or 'api_key_file' is needed")
        return settings


def _check(field: Field[Any], value: Any) -> None:
    match field.type:
        case type() as kind if kind is str:
            if not isinstance(value, str) or not value:
                raise SettingsInvalid(f"{field.name!r} must be text, not {value!r}")
        case type() as kind if kind is bool:
            if not isinstance(value, bool):
                raise SettingsInvalid(f"{field.name!r} must be true or false, not {value!r}")
        case _ if field.name == "allow":
            if not isinstance(value, list) or not set(value) <= RULES.keys():
                words = f"{field.name!r} must be a list of rules, not {value!r}"
                raise SettingsInvalid(f"{words}; there are {', '.join(RULES)}")
        case kind:
            kinds = (int,) if kind is int else (int, float)
            if isinstance(value, bool) or not isinstance(value, kinds) or value < 0:
                raise SettingsInvalid(f"{field.name!r} must be a positive number, not {value!r}")
