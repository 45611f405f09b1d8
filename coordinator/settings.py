"""What a coordinator can be told: one class, from the flags down to the defaults.

A flag wins over the environment (`FARMHAND_PORT`), that over `.env`, that over a file named like
the setting in systemd's credentials directory, that over the TOML file, that over the default. A
key that nobody knows is an error: a mistyped limit must not silently be the default.
"""

import argparse
import os
import re
import tomllib
from collections.abc import Iterable, Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    CliSettingsSource,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from coordinator.errors import SettingsInvalid
from coordinator.help_format import HelpFormatter
from coordinator.setting_files import config_file, sentence
from coordinator.settings_automation import AutomationSettings
from coordinator.settings_providers import ProviderSettings
from coordinator.state_place import state_dir_default
from protocols.gcode.rules import RULES

MIB = 1024 * 1024
PREFIX = "FARMHAND_"
# Other commands of the same family read these from the same environment.
_OTHERS = re.compile(r"FARMHAND_(AGENT_|PRINTER_|URL$|CA_FILE$|CALLED$)")

Port = Annotated[int, Field(ge=0, le=65535)]
Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9.:_-]+$")]


def _state_dir() -> Path:
    base = os.environ.get("STATE_DIRECTORY")  # systemd's StateDirectory=
    return Path(base.split(":")[0]) if base else state_dir_default()


class Settings(ProviderSettings, AutomationSettings):
    """Farmhand's coordinator: makes plates of models, assigns them to printers. --config FILE."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_file=".env",
        extra="forbid",
        frozen=True,
        cli_prog_name="farmhand coordinator",
        cli_kebab_case=True,
        use_attribute_docstrings=True,
    )

    state_dir: Path = Field(default_factory=_state_dir)
    """Folder of the database, the artifacts and the token, one coordinator per folder. Default:
    ~/.local/state/farmhand"""

    database_url: SecretStr = SecretStr("")
    """Use a PostgreSQL database, postgresql://USER:PASSWORD@HOST/NAME, and not a file in the
    folder."""

    host: Host = "127.0.0.1"
    """Where the HTTP API listens."""

    port: Port = 8150
    """Port of the HTTP API; 0 picks a free one."""

    public_url: str = ""
    """How agents and people reach the API, where host and port do not say it."""

    announce: bool = True
    """Tell the local network of the farm, so that slicers find it; never while host is this machine
    only, or the port any free one."""

    demo_farm: bool = True
    """Whether administrators may have the page start simulated printers, to try the farm."""

    tls_certificate_file: str = ""
    """Certificate, with what leads to its authority, for https:// and mqtts://, PEM; where it is
    empty, what `farmhand tls make` has made."""

    tls_key_file: str = ""
    """The certificate's key, PEM."""

    tls_ca_file: str = ""
    """Certificate of an authority of the farm's own, which agents are given when they enrol."""

    agents: Literal["auto", "enrolled", "open"] = "auto"
    """Whether the started broker keeps agents that have enrolled to their own topics, and all
    others out; auto does where it listens beyond this machine."""

    broker: Literal["auto", "mosquitto", "amqtt"] = "auto"
    """Which MQTT broker to start; auto is mosquitto where it is installed."""

    broker_url: str = ""
    """Use a broker that runs already, mqtt://HOST:1883 or mqtts://HOST:8883; none is started."""

    broker_host: Host = "127.0.0.1"
    """Where the started broker listens."""

    broker_port: Port = 1883
    """Port of the started broker; 0 picks a free one. With TLS it is 8883 unless it is set."""

    broker_public_url: str = ""
    """How agents reach the broker, where broker_host and broker_port do not say it:
    mqtts://HOST:8883."""

    broker_ca_file: str = ""
    """Certificate of the authority of a mqtts:// broker that runs already."""

    broker_username: str = Field(default="", pattern=r"^[^:\s]*$")
    """How the coordinator logs in at the broker, and agents that have not enrolled."""

    broker_password: SecretStr = SecretStr("")
    """Goes with the username; better given as a credential or in the environment."""

    token: SecretStr = SecretStr("")
    """What every request to the API must show; made at the first start where it is empty."""

    trusted_proxies: list[str] = Field(default_factory=list)
    """Addresses or networks of proxies before the API, whose X-Forwarded-For and -Proto count."""

    approve_jobs: bool = False
    """Whether jobs of submitters wait until an operator approves them."""

    oidc_issuer: str = ""
    """OpenID provider where people may log in, https://ID.EXAMPLE; empty for none."""

    oidc_client_id: str = ""
    """What the provider knows this farm by."""

    oidc_client_secret: SecretStr = SecretStr("")
    """Goes with the client's id; better given as a credential or in the environment."""

    oidc_scopes: str = "openid profile email"
    """What the provider is asked for."""

    oidc_role_claim: str = "groups"
    """The provider's claim that tells the groups of a person."""

    oidc_roles: dict[str, Literal["admin", "operator", "submitter", "viewer", "kiosk"]] = Field(
        default_factory=dict
    )
    """What a group is here: group to role."""

    oidc_otherwise: Literal["", "operator", "submitter", "viewer", "kiosk"] = ""
    """What people in none of these groups are; empty keeps them out."""

    # Large parts with fine layers take minutes on a Pi.
    slicing_timeout_s: float = Field(default=900.0, gt=0)
    """Seconds that slicing one model may take."""

    # A model of two million triangles takes 1.3 GB.
    slicing_memory_mib: int = Field(default=4096, ge=512)
    """Memory of the slicing process and, separately, of the slicer."""

    # Each uses all cores as well as it can; two, so that a long one does not hold up a short one.
    slicings_at_once: int = Field(default=2, ge=1, le=64)
    """Plates that are sliced at the same time."""

    slicing_cache_dir: str = ""
    """Folder where plates are kept for the next time the same is sliced; where it is empty,
    slicing-cache in the state folder."""

    slicing_cache_mib: int = Field(default=1024, ge=0)
    """Room for those plates; 0 keeps none."""

    gcode_policy: dict[str, Literal["refuse", "warn", "ignore"]] = Field(default_factory=dict)
    """What a rule for G-code means here, where that differs from the usual: rule to refuse, warn or
    ignore."""

    leases_ahead: int = Field(default=2, ge=0, le=4)
    """Leases handed in advance to each printer that clears its bed by itself."""

    # Often enough to see in the morning how the night went.
    pictures_every_s: float = Field(default=300.0, ge=0)
    """Seconds between two pictures of each printer that has a camera, while nobody looks; 0 takes
    them only when somebody does, and at each run's end."""

    # The longest plates have some 150 MB.
    upload_bytes_max: int = Field(default=512 * MIB, gt=0)
    """Longest model or G-code file that is taken."""

    artifacts_kept_days: float = Field(default=0.0, ge=0)
    """Days after which the files of a job that ended are removed; 0 keeps them for ever."""

    backup_dir: str = ""
    """Folder where the farm backs itself up, on another disk at best; empty for none."""

    backup_every_h: float = Field(default=24.0, gt=0)
    """Hours between two of these backups."""

    backups_kept: int = Field(default=7, ge=1)
    """How many of them stay."""

    outbound_networks: str = ""
    """Networks beside the public internet that webhooks may reach: lan, or 192.168.1.0/24, between
    commas."""

    smtp_url: SecretStr = SecretStr("")
    """Mail server for notices, smtp://USER:PASSWORD@HOST:587 or smtps://USER:PASSWORD@HOST."""

    mail_from: str = ""
    """Sender of notices."""

    mail_to: str = ""
    """Who gets notices by mail, between commas."""

    ntfy_url: SecretStr = SecretStr("")
    """Topic for notices on phones, https://ntfy.sh/TOPIC; who knows it can read along."""

    ntfy_token: SecretStr = SecretStr("")
    """Token for that topic, where it wants one."""

    notices: str = "*"
    """Which matters people are told of: types of messages or patterns, run.*, between commas."""

    # Long enough for an agent to restart, short enough for a filament that ran out.
    notices_gather_s: float = Field(default=60.0, ge=0)
    """Seconds that a matter waits for others, and for ending by itself."""

    quiet_hours: str = ""
    """When only what can't wait is told, 22:00-07:00 by this machine's clock."""

    log_format: Literal["auto", "console", "json"] = "auto"
    """How to log; auto is readable on a terminal and JSON otherwise."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least important events that are logged."""

    @property
    def announces(self) -> bool:
        """Whether the local network is told: only of what others reach, and find there again."""
        here_only = self.host in ("localhost", "::1") or self.host.startswith("127.")
        return self.announce and self.port != 0 and not here_only

    @field_validator("state_dir")
    @classmethod
    def _at_home(cls, value: Path) -> Path:
        return value.expanduser()

    @field_validator("gcode_policy")
    @classmethod
    def _rules_known(cls, value: dict[str, str]) -> dict[str, str]:
        if unknown := value.keys() - RULES.keys():
            raise ValueError(f"there is no rule {min(unknown)}; there are {', '.join(RULES)}")
        return value

    @field_validator("broker_public_url")
    @classmethod
    def _is_mqtt(cls, value: str) -> str:
        if value and not re.fullmatch(r"mqtts?://[^/\s]+:\d+", value):
            raise ValueError("write mqtt://HOST:1883 or mqtts://HOST:8883")
        return value

    @field_validator("public_url")
    @classmethod
    def _is_http(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://[^/\s]+(/\S*)?", value):
            raise ValueError("write http://HOST:PORT or https://HOST")
        return value.rstrip("/")

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: list[str]) -> list[str]:
        for each in value:
            ip_network(each)
        return value

    @field_validator("oidc_issuer")
    @classmethod
    def _is_safe(cls, value: str) -> str:
        loopback = r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/\S*)?"
        if value and not re.fullmatch(rf"https://[^/\s]+(/\S*)?|{loopback}", value):
            raise ValueError("write https://HOST: what it says decides who comes in")
        return value

    @model_validator(mode="after")
    def _knows_its_client(self) -> "Settings":
        if bool(self.oidc_issuer) != bool(self.oidc_client_id):
            raise ValueError("oidc_issuer and oidc_client_id go together: set both or none")
        return self

    @model_validator(mode="after")
    def _has_both(self) -> "Settings":
        if bool(self.broker_username) != bool(self.broker_password.get_secret_value()):
            raise ValueError("broker_username and broker_password go together: set both or none")
        if bool(self.tls_certificate_file) != bool(self.tls_key_file):
            raise ValueError("tls_certificate_file and tls_key_file go together: set both or none")
        if bool(self.smtp_url.get_secret_value()) != bool(self.mail_from and self.mail_to):
            raise ValueError("smtp_url, mail_from and mail_to go together: set all or none")
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
        """Put the sources in order; the first that knows a key wins."""
        credentials = os.environ.get("CREDENTIALS_DIRECTORY")
        return (
            init_settings,
            env_settings,
            _ours(dotenv_settings),
            *(
                [SecretsSettingsSource(settings_cls, credentials, env_prefix="")]
                if credentials
                else []
            ),
            TomlConfigSettingsSource(settings_cls),
        )


def load(arguments: Sequence[str] = ()) -> Settings:
    """Return the settings.

    Args:
        arguments: flags as typed, `--port 8150`; `--config FILE` names the TOML file, `--help`
            prints them all and leaves the program.

    Raises:
        SettingsInvalid: a key is unknown, or a value can't be used; the text names it.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--config", type=Path)
    known, flags = parser.parse_known_args(arguments)
    path = config_file(known.config)

    class WithFile(Settings):
        __doc__ = Settings.__doc__
        model_config = SettingsConfigDict(toml_file=path)

    _refuse_unknown(os.environ, "the environment")
    try:
        given = CliSettingsSource[Any](
            WithFile, cli_parse_args=flags, formatter_class=HelpFormatter
        )
        return WithFile(_cli_settings_source=given)
    except ValidationError as error:
        raise SettingsInvalid(sentence(error)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"{path} is no TOML: {error}") from error
    except (SettingsError, OSError) as error:
        raise SettingsInvalid(f"the settings can't be read: {error}") from error


def _ours(dotenv: PydanticBaseSettingsSource) -> PydanticBaseSettingsSource:
    """Return the source of `.env` without what other programs keep there."""
    assert isinstance(dotenv, DotEnvSettingsSource)
    found = {name.upper(): value for name, value in dotenv.env_vars.items()}
    _refuse_unknown(found, "the file .env")
    dotenv.env_vars = {name.lower(): value for name, value in found.items() if _is_known(name)}
    return dotenv


def _known() -> set[str]:
    return {PREFIX + name.upper() for name in Settings.model_fields}


def _is_known(name: str) -> bool:
    """Whether a variable is a setting of ours, or within one: FARMHAND_PROVIDERS__MESHY__..."""
    return name.partition("__")[0] in _known()


def _refuse_unknown(names: Iterable[str], where: str) -> None:
    """Complain about a key of ours that is none; the library overlooks it."""
    for name in names:
        if name.startswith(PREFIX) and not _is_known(name) and not _OTHERS.match(name):
            raise SettingsInvalid(f"{where} sets {name}, which is no setting: see --help")
