"""What the tables' classes are made with: SQLModel; its stand-in in a process that only serves.

SQLModel brings SQLAlchemy's ORM, and makes a mapper and a validator of each table: 9 MiB, of which
a coordinator uses nothing, because its statements are SQLAlchemy's Core. So `coordinator.__main__`
keeps SQLModel out; all else, commands and tests, has the real one. The tables that the two make are
held equal by a test (`tests/edges/test_tables_without_sqlmodel.py`).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlmodel import Field, SQLModel
else:
    try:
        from sqlmodel import Field, SQLModel
    except ImportError:
        from coordinator.adapters.db.bare_shape import Field, SQLModel

__all__ = ["Field", "SQLModel"]
