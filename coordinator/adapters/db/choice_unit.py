"""The table of settings that people changed, and the part of a `Unit` that is about them."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Connection, bindparam, delete, select

from coordinator.adapters.db import mapping
from coordinator.adapters.db.saving import saving
from coordinator.adapters.db.shape import Field, SQLModel
from coordinator.adapters.db.tables import UtcDateTime, table
from coordinator.domain.choices import Choice


class ChosenSettingRow(SQLModel, table=True):
    """What somebody chose for a setting."""

    __tablename__ = "chosen_settings"

    name: str = Field(primary_key=True)
    value: Any = Field(sa_column=Column(JSON, nullable=False))
    chosen_by: str
    chosen_at: datetime = Field(default=None, sa_column=Column(UtcDateTime, nullable=False))


_CHOSEN = table(ChosenSettingRow)
_ALL = select(_CHOSEN).order_by(_CHOSEN.c.name)
_SAVE = saving(_CHOSEN, "name")
_DROP = delete(_CHOSEN).where(_CHOSEN.c.name == bindparam("its_name"))


class SqlChoiceUnit:
    """What people chose, in one transaction."""

    _connection: Connection

    async def choices(self) -> list[Choice]:
        """Return all, by name."""
        return [Choice(**row) for row in self._connection.execute(_ALL).mappings()]

    async def save_choice(self, choice: Choice) -> None:
        """Insert or replace what was chosen for a setting."""
        statement = _SAVE[self._connection.dialect.name]
        self._connection.execute(statement, mapping.to_row(choice))

    async def drop_choice(self, name: str) -> None:
        """Forget what was chosen for a setting."""
        self._connection.execute(_DROP, {"its_name": name})
