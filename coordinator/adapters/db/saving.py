"""The statements that save a row."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from sqlalchemy import Executable, Table


class ByDialect(dict[str, Executable]):
    """A statement in every dialect that it is asked for in, made when first asked for.

    SQL knows no "insert or change", though databases say it alike. A dialect that this farm's
    database does not speak is never loaded: PostgreSQL's costs 3 MiB and a tenth of a second.
    """

    def __init__(self, made: Callable[[Any], Executable]) -> None:
        """Take what makes the statement of a dialect's own insert."""
        super().__init__()
        self._made = made

    def __missing__(self, dialect: str) -> Executable:
        """Make the statement in this dialect."""
        insert = import_module(f"sqlalchemy.dialects.{dialect}").insert
        statement = self[dialect] = self._made(insert)
        return statement


def saving(table: Table, *key: str, keep: Sequence[str] = ()) -> ByDialect:
    """Return what inserts a row, or changes the one with the same key in all but what is kept."""
    changed = [column.name for column in table.columns if column.name not in (*key, *keep)]

    def made(insert: Any) -> Executable:
        statement = insert(table)
        values = {name: statement.excluded[name] for name in changed}
        done: Executable = statement.on_conflict_do_update(index_elements=list(key), set_=values)
        return done

    return ByDialect(made)


def keeping(table: Table) -> ByDialect:
    """Return what inserts a row, or leaves the one with the same key as it is."""

    def made(insert: Any) -> Executable:
        statement: Executable = insert(table).on_conflict_do_nothing()
        return statement

    return ByDialect(made)
