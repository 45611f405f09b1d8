"""The settings in force: what the coordinator was started with, and what people chose since.

Theory. What people choose goes before a file's and the defaults, for a page that says "saved" must
not be overruled by a file that nobody looks at. A flag, a variable or a credential goes before it:
whoever starts the coordinator so means it, and gets back in where a choice shut everybody out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any, cast

import structlog
from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict

from coordinator.domain.choices import Change, Choice, Chosen, Kind
from coordinator.domain.notices import quiet_hours
from coordinator.errors import Refused
from coordinator.setting_files import sentence
from coordinator.setting_origins import DEFAULT, SettingTold
from coordinator.settings import Settings

log = structlog.get_logger(__name__)

PAGE = "page"

_LIVE = (
    "approve_jobs",
    "approve_generations",
    "leases_ahead",
    "pictures_every_s",
    "artifacts_kept_days",
    "backup_every_h",
    "backups_kept",
    "notices",
    "notices_gather_s",
    "quiet_hours",
    "budget_per_day",
    "budget_per_user_day",
)
_AT_START = (
    "announce",
    "slicing_timeout_s",
    "slicing_memory_mib",
    "slicings_at_once",
    "slicing_cache_mib",
    "upload_bytes_max",
)
_KINDS = MappingProxyType(
    {
        "boolean": Kind.YES_NO,
        "integer": Kind.WHOLE,
        "number": Kind.NUMBER,
        "string": Kind.TEXT,
        "object": Kind.AMOUNTS,
    }
)
_TEXT_CHARACTERS_MAX = 1000


class _Thawed(Settings):
    """Settings that are checked when one of them changes."""

    model_config = SettingsConfigDict(frozen=False, validate_assignment=True)


class ChosenSettings:
    """Implements `Choices`; `heard` functions are told of every change, and once when they come."""

    def __init__(self, started: Settings, told: Sequence[SettingTold]) -> None:
        """Begin with what the coordinator was started with, and where each of it comes from."""
        self.now = started
        self._started = started
        self._told = tuple(told)
        self._at_start: Settings | None = None
        self._choices: Mapping[str, Choice] = {}
        self._hearing: list[Callable[[Settings], None]] = []
        self._changes = _changes_of(self._told)

    def begin(self) -> Settings:
        """Return the settings that are in force until the next start, where they need one."""
        self._at_start = self.now
        return self.now

    def heard(self, hear: Callable[[Settings], None]) -> None:
        """Have a function told of the settings, now and after each change."""
        self._hearing.append(hear)
        hear(self.now)

    def change_of(self, name: str) -> Change | None:
        """Return how a setting may be changed; None where there is none, or it may not."""
        return self._changes.get(name)

    def value_of(self, name: str) -> Chosen:
        """Return the value that is in force, or will be after the next start."""
        return _plain(getattr(self.now, name))

    def checked(self, name: str, value: object) -> Chosen:
        """Return a value as it is kept.

        Raises:
            Refused: `setting_invalid`.
        """
        try:
            return _plain(getattr(_with(self.now, name, value), name))
        except ValueError as error:
            words = sentence(error) if isinstance(error, ValidationError) else str(error)
            raise Refused("setting_invalid", words) from None

    def take(self, choices: Sequence[Choice]) -> None:
        """Put in force what was chosen, and for all else what the coordinator was started with."""
        settings, taken = self._started, dict[str, Choice]()
        for choice in choices:
            change = self._changes.get(choice.name)
            if change is None or change.pinned:
                continue
            try:
                settings = _with(settings, choice.name, choice.value)
            except ValueError as error:
                log.warning("setting.unusable", name=choice.name, reason=str(error))
                continue
            taken[choice.name] = choice
        if taken == self._choices:
            return
        self.now, self._choices = settings, taken
        for hear in self._hearing:
            hear(settings)

    def choice_of(self, name: str) -> Choice | None:
        """Return what somebody chose for a setting, and who; None where nobody did."""
        return self._choices.get(name)

    def waits(self, name: str) -> bool:
        """Whether a setting has another value after the next start."""
        change = self._changes.get(name)
        if change is None or not change.needs_restart or self._at_start is None:
            return False
        return bool(getattr(self._at_start, name) != getattr(self.now, name))

    def told(self) -> list[SettingTold]:
        """Return every setting, in the order of the manual, with where each comes from now."""
        return [
            replace(each, value=self.value_of(each.name), origin=PAGE, file=None)
            if each.name in self._choices
            else each
            for each in self._told
        ]


def _changes_of(told: Sequence[SettingTold]) -> Mapping[str, Change]:
    """Return what may be changed; what something goes before that people choose is pinned."""
    pinned = {
        each.name: each.origin for each in told if each.file is None and each.origin != DEFAULT
    }
    pinned |= {each.name: each.origin for each in told if each.origin.startswith((".env", "cred"))}
    shapes = Settings.model_json_schema()["properties"]
    return {
        name: _change(shapes[name], pinned.get(name, ""), needs_restart=name in _AT_START)
        for name in (*_LIVE, *_AT_START)
    }


def _change(shape: Mapping[str, Any], pinned: str, *, needs_restart: bool) -> Change:
    return Change(
        kind=_KINDS[shape["type"]],
        minimum=shape.get("minimum", shape.get("exclusiveMinimum")),
        maximum=shape.get("maximum"),
        above="exclusiveMinimum" in shape,
        needs_restart=needs_restart,
        pinned=pinned,
    )


def _with(settings: Settings, name: str, value: object) -> Settings:
    """Return the settings with another value.

    Raises:
        ValueError: it can't be used.
    """
    if isinstance(value, str) and len(value) > _TEXT_CHARACTERS_MAX:
        raise ValueError(f"{name} is longer than {_TEXT_CHARACTERS_MAX} characters")
    if isinstance(getattr(settings, name), bool) is not isinstance(value, bool):
        raise ValueError(f"the setting {name!r} can't be used: it is of another kind")
    thawed = _Thawed.model_construct(**settings.__dict__)
    setattr(thawed, name, value)
    if name == "quiet_hours":
        quiet_hours(thawed.quiet_hours)
    return settings.model_copy(update={name: getattr(thawed, name)})


def _plain(value: object) -> Chosen:
    """Return a value as JSON has it."""
    if isinstance(value, Mapping):
        return {str(unit): float(cast(Decimal, amount)) for unit, amount in value.items()}
    return cast(Chosen, value)
