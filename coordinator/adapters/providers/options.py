"""A provider's table in the settings: what each has that is asked over HTTP, and how it is read.

A key that nobody knows is an error, as in all settings. What is wrong is told without its value: it
may be a secret.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from coordinator.errors import SettingsInvalid

MIB = 1024 * 1024


class Options(BaseModel):
    """What every provider's options are built on."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)


class HttpOptions(Options):
    """Options of a provider that is asked over HTTP; its class gives `base_url` a default.

    Attributes:
        base_url: where it is; the operator's word, so it may be this machine or the network here.
        api_key: what it is shown; empty where it wants none.
        api_key_file: a file that holds the key, in its place.
        call_s: how long one call may take, in seconds; not a download.
        download_bytes_max: the longest file that is fetched.
        download_s: how long one may take, in seconds.
    """

    base_url: str
    api_key: SecretStr = SecretStr("")
    api_key_file: str = ""
    call_s: float = Field(default=60.0, gt=0, le=3600)
    download_bytes_max: int = Field(default=512 * MIB, gt=0)
    download_s: float = Field(default=900.0, gt=0)

    @field_validator("base_url")
    @classmethod
    def _is_http(cls, value: str) -> str:
        return http_address(value)

    def key(self) -> str:
        """Return the key, empty where there is none.

        Raises:
            SettingsInvalid: its file can't be read, both are set, or what is set is no key.
        """
        given = self.api_key.get_secret_value()
        if given and self.api_key_file:
            raise SettingsInvalid("api_key and api_key_file are both set: keep one of them")
        if self.api_key_file:
            given = _secret_in(Path(self.api_key_file).expanduser())
        given = given.strip()
        if not all("!" <= sign <= "~" for sign in given):
            raise SettingsInvalid("the key has spaces or signs in it that no key has")
        return given


OptionsT = TypeVar("OptionsT", bound=Options)


def options_of(kind: type[OptionsT], name: str, given: Mapping[str, Any]) -> OptionsT:
    """Return a provider's options.

    Args:
        name: of the provider, in the settings.

    Raises:
        SettingsInvalid: one is missing, unknown or can't be used; the text names it.
    """
    try:
        return kind.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in ("providers", name, *first["loc"]))
        if first["type"] == "extra_forbidden":
            known = ", ".join(sorted(kind.model_fields))
            raise SettingsInvalid(f"there is no setting {where!r}; there are {known}") from None
        reason = first["msg"].removeprefix("Value error, ")
        raise SettingsInvalid(f"the setting {where!r} can't be used: {reason}") from None


def key_of(name: str, options: HttpOptions, *, needed: bool = True) -> str:
    """Return a provider's key.

    Raises:
        SettingsInvalid: there is none, or it can't be used.
    """
    try:
        key = options.key()
    except SettingsInvalid as error:
        raise SettingsInvalid(f"the provider {name!r}: {error.reason}") from error
    if needed and not key:
        raise SettingsInvalid(f"the provider {name!r} needs an api_key, or an api_key_file")
    return key


def http_address(value: str) -> str:
    """Return an address without the slash at its end.

    Raises:
        ValueError: it is none, or has more in it than a place.
    """
    parts = urlsplit(value)
    plain = not any(sign.isspace() or sign < " " for sign in value)
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain:
        raise ValueError("write https://HOST or http://HOST:PORT")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError("an address here has no user, no question mark and no #")
    _ = parts.port  # raises ValueError where it is none
    return value.rstrip("/")


def _secret_in(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise SettingsInvalid(f"api_key_file can't be read: {reason}") from error
