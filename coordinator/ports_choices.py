"""What use cases ask about settings that people change: see `ports.py`."""

from collections.abc import Sequence
from typing import Protocol

from coordinator.domain.choices import Change, Choice, Chosen


class ChoiceUnit(Protocol):
    """What people chose, in one transaction."""

    async def choices(self) -> list[Choice]:
        """Return all, by name."""

    async def save_choice(self, choice: Choice) -> None:
        """Insert or replace what was chosen for a setting."""

    async def drop_choice(self, name: str) -> None:
        """Forget what was chosen for a setting."""


class Choices(Protocol):
    """The settings in force, and which of them may be changed how."""

    def change_of(self, name: str) -> Change | None:
        """Return how a setting may be changed; None where there is none, or it may not."""

    def value_of(self, name: str) -> Chosen:
        """Return the value that is in force, or will be after the next start."""

    def checked(self, name: str, value: object) -> Chosen:
        """Return a value as it is kept.

        Raises:
            Refused: `setting_invalid`: it can't be used.
        """

    def take(self, choices: Sequence[Choice]) -> None:
        """Put in force what was chosen, and for all else what the coordinator was started with.

        What can't be used any more is left alone, and told to the log.
        """
