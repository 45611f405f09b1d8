"""What people chose for settings, of a store in memory."""

from typing import TYPE_CHECKING

from coordinator.domain.choices import Choice

if TYPE_CHECKING:
    from tests.fakes.memory_store import Tables


class MemoryChoices:
    """Implements `ChoiceUnit` of the ports on tables."""

    tables: "Tables"
    changed: bool

    async def choices(self) -> list[Choice]:
        return [self.tables.choices[name] for name in sorted(self.tables.choices)]

    async def save_choice(self, choice: Choice) -> None:
        self.changed = True
        self.tables.choices[choice.name] = choice

    async def drop_choice(self, name: str) -> None:
        self.changed = True
        self.tables.choices.pop(name, None)
