"""The statement that saves a row."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Executable, Table
from sqlalchemy.dialects import postgresql, sqlite


def saving(table: Table, *key: str, keep: Sequence[str] = ()) -> Mapping[str, Executable]:
    """Return what inserts a row, or changes the one with the same key in all but what is kept.

    By dialect: SQL does not know it, though both say it alike.
    """
    changed = [column.name for column in table.columns if column.name not in (*key, *keep)]
    ours, theirs = sqlite.insert(table), postgresql.insert(table)
    return {
        "sqlite": ours.on_conflict_do_update(
            index_elements=list(key), set_={name: ours.excluded[name] for name in changed}
        ),
        "postgresql": theirs.on_conflict_do_update(
            index_elements=list(key), set_={name: theirs.excluded[name] for name in changed}
        ),
    }
