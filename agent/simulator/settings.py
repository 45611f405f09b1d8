"""The simulator's configuration: one class, and where its values come from.

Nearest wins: flag, FARMHAND_PRINTER_* variable, .env, TOML (`--config FILE`), default. A key that
nobody knows is an error that names it.
"""

import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    CliSettingsSource,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from agent.errors import SettingsInvalid
from agent.help_format import HelpFormatter
from agent.simulator.faults import parse_fault

PREFIX = "FARMHAND_PRINTER_"


class PrinterSettings(BaseSettings):
    """A simulated printer: a Marlin-like firmware on a pseudo-terminal or a TCP port."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix=PREFIX,
        env_file=".env",
        cli_prog_name="farmhand-printer",
        cli_kebab_case=True,
        cli_hide_none_type=True,
        cli_implicit_flags=True,
    )

    config: Path | None = Field(default=None, description="a TOML file with these settings")
    pty: Path | None = Field(default=None, description="make a pseudo-terminal, linked from here")
    tcp: str = Field(default="", description="listen on PORT or HOST:PORT; loopback by default")
    control: Path | None = Field(default=None, description="UNIX socket for commands, see README")
    log: Path | None = Field(default=None, description="file for the log of executed commands")
    name: str = Field(default="Farmhand simulator", description="what M115 calls the machine")
    bed: str = Field(
        default="250,210,210",
        pattern=r"^\d{1,5}(\.\d+)?(,\d{1,5}(\.\d+)?){2}$",
        description="X,Y,Z in mm",
    )
    firmware: Literal["marlin", "meatpack", "old"] = Field(
        default="marlin", description="meatpack: unpacks lines; old: no capabilities, no keepalive"
    )
    speed: float = Field(default=1.0, gt=0, le=10_000, description="simulated seconds per second")
    seed: int = Field(default=1, description="for faults that strike by chance")
    fault: list[str] = Field(default_factory=list, description="NAME[:key=value]...; repeatable")
    advanced_ok: bool = Field(default=False, description="an ok tells line number and room")
    emergency_parser: bool = Field(default=False, description="M108, M112, M410 act at once")
    receive_bytes: int = Field(
        default=0, ge=0, description="receive buffer; more is lost. 0: the host is slowed instead"
    )
    reset_on_open: bool = Field(
        default=False, description="opening the port resets the board, unless HUPCL was cleared"
    )
    boot_s: float = Field(default=0.5, ge=0, le=60, description="what booting takes")
    report_interval_s: float = Field(
        default=0.25, ge=0, description="real seconds that lie between two unasked reports"
    )
    card: Path | None = Field(
        default=None, description="a folder: the files on the printer's own card; none: no slot"
    )
    camera: Path | None = Field(
        default=None, description="serve pictures of the bed by HTTP; this file tells where"
    )
    log_format: Literal["auto", "console", "json"] = Field(default="auto")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info")

    @field_validator("fault")
    @classmethod
    def _are_faults(cls, specs: list[str]) -> list[str]:
        for spec in specs:
            try:
                parse_fault(spec)
            except SettingsInvalid as error:
                raise ValueError(str(error)) from error
        return specs

    @field_validator("tcp")
    @classmethod
    def _is_address(cls, text: str) -> str:
        if text and not (
            text.rpartition(":")[2].isdigit() and int(text.rpartition(":")[2]) < 65536
        ):
            raise ValueError(f"{text!r} is not PORT or HOST:PORT")
        return text

    @model_validator(mode="after")
    def _has_one_port(self) -> Self:
        if (self.pty is None) == (not self.tcp):
            raise ValueError("say one of --pty LINK and --tcp PORT")
        return self

    @property
    def bed_mm(self) -> tuple[float, float, float]:
        """X, Y and Z."""
        x, y, z = map(float, self.bed.split(","))
        return (x, y, z)

    @property
    def tcp_address(self) -> tuple[str, int]:
        """Host and port to listen on."""
        host, _, port = self.tcp.rpartition(":")
        return (host or "127.0.0.1", int(port))

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
        return (
            init_settings,
            env_settings,
            _DotEnv(settings_cls),
            TomlConfigSettingsSource(settings_cls),
        )


def load(arguments: Sequence[str]) -> PrinterSettings:
    """Return the settings, from everywhere.

    Raises:
        SettingsInvalid: with one line for each thing that is wrong.
        SystemExit: a flag is unknown, or help was asked for.
    """
    path = _config_path(arguments)
    if path is not None and not path.is_file():
        raise SettingsInvalid(f"there is no configuration file {path}")
    for name in os.environ:
        known = name.removeprefix(PREFIX).lower() in PrinterSettings.model_fields
        if name.startswith(PREFIX) and not known:
            raise SettingsInvalid(f"{name}: there is no such setting")

    class Settings(PrinterSettings):
        __doc__ = PrinterSettings.__doc__
        model_config = SettingsConfigDict(toml_file=path)

    try:
        flags: CliSettingsSource[Any] = CliSettingsSource(
            Settings, cli_parse_args=list(arguments), formatter_class=HelpFormatter
        )
        return Settings(_cli_settings_source=flags)
    except ValidationError as error:
        raise SettingsInvalid(
            "\n".join(_sentence(dict(entry)) for entry in error.errors())
        ) from error
    except (SettingsError, tomllib.TOMLDecodeError) as error:
        raise SettingsInvalid(f"{path or 'settings'}: {error}") from error


class _DotEnv(DotEnvSettingsSource):
    """The .env file, which other programs share: what has not our prefix is not ours."""

    def _load_env_vars(self) -> Mapping[str, str | None]:
        lines = super()._load_env_vars()
        return {name: value for name, value in lines.items() if name.startswith(PREFIX.lower())}


def _config_path(arguments: Sequence[str]) -> Path | None:
    for index, argument in enumerate(arguments):
        if argument.startswith("--config="):
            return Path(argument.partition("=")[2])
        if argument == "--config" and index + 1 < len(arguments):
            return Path(arguments[index + 1])
    given = os.environ.get(f"{PREFIX}CONFIG")
    return Path(given) if given else None


def _sentence(entry: dict[str, Any]) -> str:
    where = ".".join(str(part) for part in entry["loc"])
    if entry["type"] == "extra_forbidden":
        return f"{where}: there is no such setting"
    text = str(entry["msg"]).removeprefix("Value error, ")
    return f"{where}: {text}" if where else text
