"""The wiring of providers of models: those that the settings name, made from entry points."""

import hashlib
import hmac
import json
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from coordinator.domain.ledger import Budget
from coordinator.errors import SettingsInvalid
from coordinator.ports import ArtifactStore, Clock
from coordinator.ports_outward import Outside
from coordinator.ports_providers import Deletes, ProviderMaker, Tools
from coordinator.secret_files import kept_secret
from coordinator.settings import Settings
from coordinator.usecases.sources import Source, Sources

GROUP = "farmhand.providers"
# Options that do not change what is made, or must not leave the settings even as a hash.
_UNTOLD = ("key", "token", "secret", "password", "budget", "at_once", "_s", "_max")

# How the names of options end that hold a key, or the name of a file that does.
_HOLD_KEYS = ("api_key", "api_key_file", "secret")

_Amount = Decimal | None


class _Common(BaseModel):
    """What every provider's table may have; the rest is its service's."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False, defer_build=True)

    service: str
    budget_per_request: _Amount = Field(default=None, ge=0)
    budget_per_day: _Amount = Field(default=None, ge=0)
    budget_per_user_day: _Amount = Field(default=None, ge=0)
    at_once_max: int = Field(default=0, ge=0, le=1000)
    delete_there: bool = False
    webhook_token: str = Field(default="", pattern=r"^([A-Za-z0-9_-]{16,128})?$")


@asynccontextmanager
async def sources_of(
    settings: Settings, *, clock: Clock, artifacts: ArtifactStore, outside: Outside
) -> AsyncIterator[Sources]:
    """Lend the providers that the settings name; only their services are loaded.

    Raises:
        SettingsInvalid: a service is unknown, or an option can't be used.
    """
    made: list[Source] = []
    if settings.providers:
        secret = kept_secret(
            settings.state_dir / "provider-webhooks", lambda: secrets.token_urlsafe(32)
        )
        for name, table in settings.providers.items():
            tools = Tools(
                clock=clock,
                artifacts=artifacts,
                folder=_folder(settings.state_dir / "providers" / name),
                memory_mib=settings.slicing_memory_mib,
                outside=outside,
            )
            made.append(_source(name, table, tools, secret))
    sources = Sources(made)
    try:
        yield sources
    finally:
        await sources.close()


def worker_of(settings: Settings) -> str:
    """Return the name under which this coordinator leases generations: its state folder's.

    Raises:
        SettingsInvalid: it can't be kept.
    """
    return kept_secret(settings.state_dir / "worker", lambda: f"worker-{secrets.token_hex(8)}")


def services() -> list[str]:
    """Return the services that there are, by name."""
    return sorted(entry_points(group=GROUP).names)


def _source(name: str, table: Mapping[str, Any], tools: Tools, secret: str) -> Source:
    try:
        common = _Common.model_validate(dict(table))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        option = ".".join(str(part) for part in first["loc"])
        raise SettingsInvalid(
            f"the setting 'providers.{name}.{option}' can't be used: {first['msg']}"
        ) from error
    own = {key: value for key, value in table.items() if key not in _Common.model_fields}
    provider = _maker(name, common.service)(name, own, tools)
    if common.delete_there and not isinstance(provider, Deletes):
        raise SettingsInvalid(
            f"providers.{name}.delete_there: {provider.offer.title} removes nothing when told to"
        )
    token = (
        common.webhook_token or hmac.new(secret.encode(), name.encode(), hashlib.sha256).hexdigest()
    )
    return Source(
        name=name,
        provider=provider,
        budget=Budget(
            request=common.budget_per_request,
            day=common.budget_per_day,
            user_day=common.budget_per_user_day,
        ),
        at_once_max=common.at_once_max,
        configured=_configured(common.service, own),
        keys=tuple(_keys_in(own)),
        deletes=provider if common.delete_there and isinstance(provider, Deletes) else None,
        callback=token,
    )


def _maker(name: str, service: str) -> ProviderMaker:
    found = [each for each in entry_points(group=GROUP) if each.name == service]
    if not found:
        known = ", ".join(services()) or "none"
        raise SettingsInvalid(
            f"providers.{name}: there is no service {service!r}; there is {known}"
        )
    return _loaded(name, found[0])


def _loaded(name: str, point: EntryPoint) -> ProviderMaker:
    try:
        maker: ProviderMaker = point.load()
    except ImportError as error:
        raise SettingsInvalid(
            f"providers.{name}: the service {point.name!r} can't be loaded: {error}"
        ) from error
    return maker


def _configured(service: str, options: Mapping[str, Any]) -> str:
    """Return a hash of what decides what is made; of no secret."""
    told = {
        key: value
        for key, value in options.items()
        if not any(word in key.lower() for word in _UNTOLD)
    }
    said = json.dumps([service, told], sort_keys=True, default=str)
    return hashlib.sha256(said.encode()).hexdigest()


def _keys_in(options: Mapping[str, Any], within: str = "") -> Iterator[str]:
    """Yield the names of the options that hold keys, not what they hold."""
    for name, value in options.items():
        if isinstance(value, Mapping):
            yield from _keys_in(value, f"{within}{name}.")
        elif value and name.endswith(_HOLD_KEYS):
            yield f"{within}{name}"


def _folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsInvalid(f"the folder {path} can't be made: {error.strerror}") from error
    return path
