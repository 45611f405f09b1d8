"""What a coordinator can be told about providers of models, and about what they may cost."""

import re
from decimal import Decimal
from typing import Any

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

# It stands in addresses, and in names of environment variables.
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


class ProviderSettings(BaseSettings):
    """The part of the settings that is about providers."""

    model_config = SettingsConfigDict(use_attribute_docstrings=True)

    # Not in what the class shows of itself: among the options are keys.
    providers: dict[str, dict[str, Any]] = Field(default_factory=dict, repr=False)
    """Providers of models by name, each with its service and that service's options:
    {"meshy": {"service": "meshy", "api_key_file": "..."}}."""

    budget_per_day: dict[str, Decimal] = Field(default_factory=dict)
    """What may be spent on providers in a day (UTC), by unit: {"USD": 10, "credits": 200}."""

    budget_per_user_day: dict[str, Decimal] = Field(default_factory=dict)
    """What one user may spend on them in a day, by unit."""

    approve_generations: bool = False
    """Whether what providers made for submitters waits until an operator approves it."""

    @field_validator("providers")
    @classmethod
    def _have_services(cls, value: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for name, table in value.items():
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} can't name a provider: use a-z, 0-9, - and _")
            if not isinstance(table.get("service"), str) or not table["service"]:
                raise ValueError(f"providers.{name} needs a service: see farmhand provider ls")
        return value

    @field_validator("budget_per_day", "budget_per_user_day")
    @classmethod
    def _are_amounts(cls, value: dict[str, Decimal]) -> dict[str, Decimal]:
        if any(not each.is_finite() or each < 0 for each in value.values()):
            raise ValueError("an amount is a number, 0 or more")
        return value
