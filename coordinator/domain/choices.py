"""Settings that people change while the farm runs: what they chose, and how each may be changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

# As JSON has it; amounts by unit are a mapping.
Chosen: TypeAlias = bool | int | float | str | Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What somebody chose for a setting, instead of what the coordinator was started with."""

    name: str
    value: Chosen
    chosen_by: str
    chosen_at: datetime


class Kind(StrEnum):
    """What a setting's value is."""

    YES_NO = "yes_no"
    WHOLE = "whole"
    NUMBER = "number"
    TEXT = "text"
    AMOUNTS = "amounts"  # by unit: {"USD": 10}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How a setting may be changed.

    Attributes:
        minimum, maximum: of a number; None for no bound.
        above: of a number that must be more than the minimum.
        needs_restart: the coordinator heeds it from its next start on.
        pinned: where it is set so that people can't change it here, in words; empty where they can.
    """

    kind: Kind
    minimum: float | None = None
    maximum: float | None = None
    above: bool = False
    needs_restart: bool = False
    pinned: str = ""
