"""Where each setting comes from: which source knows it first, for `farmhand config show`."""

import argparse
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic_settings import (
    CliSettingsSource,
    DotEnvSettingsSource,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from coordinator.help_format import HelpFormatter
from coordinator.setting_files import config_file
from coordinator.settings import PREFIX, Settings, load

DEFAULT = "default"
_PASSWORD = re.compile(r"(://[^:/@\s]*:)[^@\s]+@")
_SECRET = re.compile(r"key|secret|token|password|credential", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingTold:
    """One setting.

    Attributes:
        value: as JSON has it; secrets are masked, empty ones are empty.
        origin: `default`, a flag, a variable of the environment, a credential, or a file.
        file: where it stands; None where that is no file.
        words: what it is for, in a sentence.
    """

    name: str
    value: Any
    origin: str
    file: Path | None
    is_secret: bool
    words: str = ""


def origins(arguments: Sequence[str] = ()) -> list[SettingTold]:
    """Return every setting, in the order of the manual.

    Args:
        arguments: as for `settings.load`.

    Raises:
        SettingsInvalid: a key is unknown, or a value can't be used.
    """
    values = load(arguments).model_dump(mode="json")
    known = _sources(arguments)
    told = []
    # What every farm has comes before what the parts of the settings add.
    for name in sorted(
        Settings.model_fields, key=lambda each: each not in Settings.__annotations__
    ):
        field = Settings.model_fields[name]
        origin, file = next(
            ((words(name), file) for words, file, given in known if name in given), (DEFAULT, None)
        )
        told.append(
            SettingTold(
                name=name,
                value=_masked(values[name]),
                origin=origin,
                file=file,
                is_secret="SecretStr" in str(field.annotation),
                words=" ".join((field.description or "").split()),
            )
        )
    return told


def _masked(value: Any) -> Any:
    """Return a value without what is secret in it: passwords in addresses, keys in tables."""
    if isinstance(value, str):
        return _PASSWORD.sub(r"\1***@", value)
    if isinstance(value, list):
        return [_masked(each) for each in value]
    if isinstance(value, dict):
        return {
            key: "***" if each and _SECRET.search(key) else _masked(each)
            for key, each in value.items()
        }
    return value


def _sources(arguments: Sequence[str]) -> list[tuple[Any, Path | None, Mapping[str, Any]]]:
    """Return how each source names a setting, its file, and what it knows, the strongest first."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--config", type=Path)
    known, flags = parser.parse_known_args(arguments)
    path = config_file(known.config)

    class WithFile(Settings):
        model_config = SettingsConfigDict(toml_file=path)

    cli = CliSettingsSource[Any](WithFile, cli_parse_args=flags, formatter_class=HelpFormatter)
    found = WithFile.settings_customise_sources(
        WithFile,
        InitSettingsSource(WithFile, init_kwargs={}),
        EnvSettingsSource(WithFile),
        DotEnvSettingsSource(WithFile),
        SecretsSettingsSource(WithFile),
    )
    return [(*_named(source, path), source()) for source in (cli, *found)]


def _named(source: PydanticBaseSettingsSource, path: Path | None) -> tuple[Any, Path | None]:
    match source:
        case CliSettingsSource():
            return (lambda name: f"flag --{name.replace('_', '-')}"), None
        case DotEnvSettingsSource():
            return (lambda name: f".env, {PREFIX}{name.upper()}"), Path(".env").absolute()
        case SecretsSettingsSource():
            folder = Path(os.environ.get("CREDENTIALS_DIRECTORY", ""))
            return (lambda name: f"credential {name}"), folder
        case TomlConfigSettingsSource():
            return (lambda name: str(path)), path
        case EnvSettingsSource():
            return (lambda name: f"environment, {PREFIX}{name.upper()}"), None
        case _:
            return (lambda name: DEFAULT), None
