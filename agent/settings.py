"""The agent's configuration: one class, and where its values come from.

Nearest wins: flag, FARMHAND_AGENT_* variable (`__` for what is nested), .env, a file named like
the setting in $CREDENTIALS_DIRECTORY, TOML, default. A key that nobody knows is an error that
names it, wherever it stands.
"""

import argparse
import os
import re
import socket
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    CliSettingsSource,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from agent.errors import SettingsInvalid
from agent.help_format import HelpFormatter
from agent.launcher import CONFIG_PLACES
from protocols.errors import ReleaseUntrusted
from protocols.release.signing import public_key
from protocols.wire.vocabulary import ID_PATTERN, BedPolicy

PREFIX = "FARMHAND_AGENT_"
# Of the agent that systemd runs (systemd/farmhand-agent.service).
SERVICE_STATE = Path("/var/lib/farmhand/agent")


class PrinterSettings(BaseModel):
    """One printer; `settings` is the driver's own table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=f"^{ID_PATTERN}$", description="unique in the farm")
    name: str = Field(default="", description="what people call it; its id where empty")
    driver: str = Field(default="marlin_serial", description="how to talk to it")
    printer_class: str = Field(min_length=1, description="the profile that its plates are made for")
    material: str = Field(default="", description="what it holds, until somebody says otherwise")
    bed_policy: BedPolicy = Field(
        default=BedPolicy.ATTENDED, description="self_clearing: it empties its bed by itself"
    )
    ejection: list[str] = Field(
        default_factory=list, description="the G-code that empties the bed, line by line"
    )
    camera: str = Field(
        default="",
        pattern=r"^(host|https?://[^/\s]+\S*|/dev/\S+)?$",
        description="a snapshot or MJPEG stream by http://, a device in /dev, or `host`: its own",
    )
    settings: dict[str, Any] = Field(default_factory=dict, description="the driver's own table")

    @model_validator(mode="after")
    def _clears_its_bed(self) -> Self:
        if (self.bed_policy is BedPolicy.SELF_CLEARING) != bool(self.ejection):
            raise ValueError("a self_clearing printer needs `ejection`, and no other has one")
        return self


def host_as_id() -> str:
    """Return the machine's name as an agent's; `agent` where nothing of it can stand in one."""
    name = re.sub(r"[^a-z0-9]+", "-", socket.gethostname().split(".")[0].lower())
    return name.strip("-")[:63].strip("-") or "agent"


def _state_dir() -> Path:
    given = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if not given and os.geteuid() == 0 and SERVICE_STATE.is_dir():
        return SERVICE_STATE  # an administrator means the service
    return Path(given) if given else Path.home() / ".local/state/farmhand-agent"


class AgentSettings(BaseSettings):
    """Farmhand's agent: it drives the printers beside it. --config FILE, --version.

    farmhand-agent enroll TOKEN --coordinator URL makes this machine an agent of a farm; --drain
    [--timeout S] asks the agent that runs to begin nothing new, and waits until it has ended;
    discover [PORT ...] lists what hangs on the serial ports; check [--timeout S] tries each printer
    of the configuration; doctor looks for what is wrong with this machine, and tells what mends it.
    """

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_file=".env",
        cli_prog_name="farmhand-agent",
        cli_kebab_case=True,
        cli_hide_none_type=True,
        cli_avoid_json=True,
    )

    agent_id: str = Field(
        default_factory=host_as_id, pattern=f"^{ID_PATTERN}$", description="default: host name"
    )
    mqtt_url: str = Field(
        default="mqtt://127.0.0.1:1883", description="the broker, mqtt:// or mqtts://"
    )
    mqtt_username: str = Field(default="", description="default: the agent's id, with a password")
    mqtt_password: SecretStr = Field(default=SecretStr(""), description="for the broker")
    mqtt_ca_file: Path | None = Field(
        default=None, description="authority of a mqtts:// broker, where it has another"
    )
    coordinator_url: str = Field(
        default="http://127.0.0.1:8150", pattern=r"^https?://", description="where plates are"
    )
    token: SecretStr = Field(default=SecretStr(""), description="for the coordinator's files")
    ca_file: Path | None = Field(
        default=None, description="authority of https:// and mqtts://; else the system's"
    )
    enroll_token: SecretStr = Field(
        default=SecretStr(""), description="to enrol with at the first start"
    )
    state_dir: Path = Field(
        default_factory=_state_dir,
        description="journal and plates; default: ~/.local/state/farmhand-agent",
    )
    cache_bytes_max: int = Field(default=2 * 1024**3, ge=1, description="for plates on the card")
    update_keys: list[str] = Field(
        default_factory=list, description="whose releases it takes: minisign's public keys, RW..."
    )
    telemetry_s: float = Field(default=1.0, ge=1.0, le=3600.0, description="between two samples")
    log_format: Literal["auto", "console", "json"] = Field(
        default="auto", description="auto: console on a terminal"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info")
    printers: list[PrinterSettings] = Field(default_factory=list, description="as JSON, or in TOML")

    @model_validator(mode="after")
    def _is_coherent(self) -> Self:
        parts = urlsplit(self.mqtt_url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ValueError(f"mqtt_url: {self.mqtt_url!r} is not like mqtt://host:1883")
        for name in ("ca_file", "mqtt_ca_file"):
            path = getattr(self, name)
            if path is not None and not path.is_file():
                raise ValueError(f"{name}: there is no file {path}")
        try:
            [public_key(key) for key in self.update_keys]
        except ReleaseUntrusted as error:
            raise ValueError(f"update_keys: {error}") from None
        ids = [printer.id for printer in self.printers]
        if twice := {id_ for id_ in ids if ids.count(id_) > 1}:
            raise ValueError(f"printers: {', '.join(sorted(twice))} is there twice")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources, nearest first; a flag comes before them all."""
        credentials = os.environ.get("CREDENTIALS_DIRECTORY")
        return (
            init_settings,
            _Environment(settings_cls),
            _DotEnv(settings_cls),
            *([_Credentials(settings_cls, credentials, env_prefix="")] * bool(credentials)),
            TomlConfigSettingsSource(settings_cls),
        )


def load(arguments: Sequence[str]) -> AgentSettings:
    """Return the settings, from everywhere; `identity` adds what the agent got when it enrolled.

    Args:
        arguments: of the command line, without the program's name.

    Raises:
        SettingsInvalid: with one line for each thing that is wrong.
        SystemExit: a flag is unknown, or help was asked for.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--config", type=Path)
    known, flags = parser.parse_known_args(arguments)
    path = _config_file(known.config)

    class Settings(AgentSettings):
        __doc__ = AgentSettings.__doc__
        model_config = SettingsConfigDict(toml_file=path)

    try:
        flag_source: CliSettingsSource[Any] = CliSettingsSource(
            Settings, cli_parse_args=flags, formatter_class=HelpFormatter
        )
        return Settings(_cli_settings_source=flag_source)
    except ValidationError as error:
        raise SettingsInvalid("\n".join(_sentence(entry) for entry in error.errors())) from error
    except SettingsError as error:
        raise SettingsInvalid(f"{error}: {error.__cause__}") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsInvalid(f"{path} is no TOML: {error}") from error
    except OSError as error:
        raise SettingsInvalid(f"{path} can't be read: {error.strerror}") from error


class _Environment(EnvSettingsSource):
    """Variables; one with our prefix that is no setting is passed on, to be refused by name."""

    def __call__(self) -> dict[str, Any]:
        data: dict[str, Any] = super().__call__()
        prefix = PREFIX.lower()
        for name, value in self.env_vars.items():
            setting = name.removeprefix(prefix).split("__")[0]
            if name.startswith(prefix) and setting not in self.settings_cls.model_fields:
                data[name] = value
        return data


class _Credentials(SecretsSettingsSource):
    """A directory with one file per setting; a file that is none is refused by its name.

    But for those with a dot in it: they are keys of printers (`api_key_file = "mk4.key"`).
    """

    def __call__(self) -> dict[str, Any]:
        data: dict[str, Any] = super().__call__()
        if self.secrets_dir:
            for path in Path(str(self.secrets_dir)).iterdir():
                if "." not in path.name and path.name not in self.settings_cls.model_fields:
                    data[path.name] = ""
        return data


class _DotEnv(DotEnvSettingsSource):
    """The .env file, which other programs share: what has not our prefix is not ours."""

    def _load_env_vars(self) -> dict[str, str | None]:
        lines = super()._load_env_vars()
        return {name: value for name, value in lines.items() if name.startswith(PREFIX.lower())}


def _config_file(given: Path | None) -> Path | None:
    """Return the file that was named, or the nearest that exists."""
    if given is not None:
        if not given.is_file():
            raise SettingsInvalid(f"there is no configuration file {given}")
        return given
    places = [Path(place).expanduser() for place in CONFIG_PLACES]
    return next((place for place in places if place.is_file()), None)


def _sentence(entry: Any) -> str:
    """Return what is wrong with one setting; never its value, which may be a secret."""
    name = ".".join(str(part) for part in entry["loc"])
    if name.startswith(PREFIX.lower()):
        name = name.upper()
    if entry["type"] == "extra_forbidden":
        return f"{name}: no such setting"
    return f"{name}: {entry['msg']}" if name else str(entry["msg"]).removeprefix("Value error, ")
