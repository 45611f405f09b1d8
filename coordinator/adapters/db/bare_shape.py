"""SQLModel's stand-in: reads the same lines, and makes nothing but the table; see `shape.py`."""

from datetime import date, datetime
from types import NoneType
from typing import Any, ClassVar, get_args

from sqlalchemy import Boolean, Column, Date, DateTime, Float, Integer, MetaData, String, Table

_TYPES: dict[Any, type] = {
    bool: Boolean,
    date: Date,
    datetime: DateTime,
    float: Float,
    int: Integer,
    str: String,
}


def Field(  # noqa: N802
    *,
    default: object = None,
    default_factory: object = None,
    sa_column: Column[Any] | None = None,
    **keywords: Any,
) -> Any:
    """Say more of a column than its annotation does.

    Args:
        default, default_factory: of a value; a table has none.
        sa_column: the column as a whole but for its name; then the annotation says nothing.
        keywords: of a column: `primary_key`, `index`, `unique`.
    """
    return keywords if sa_column is None else sa_column


class SQLModel:
    """What a table's class derives from; `metadata` has all tables."""

    metadata: ClassVar[MetaData] = MetaData()
    __table__: ClassVar[Table]
    __tablename__: ClassVar[str]
    __table_args__: ClassVar[Any] = ()

    def __init_subclass__(cls, *, table: bool) -> None:
        """Make the table."""
        assert table
        # As SQLAlchemy reads them: constraints and indexes, or options of the table.
        said = cls.__table_args__
        options, more = (said, ()) if isinstance(said, dict) else ({}, said)
        columns = [
            _column(name, kind, vars(cls).get(name)) for name, kind in cls.__annotations__.items()
        ]
        cls.__table__ = Table(cls.__tablename__, cls.metadata, *columns, *more, **options)


def _column(name: str, kind: Any, said: Any) -> Column[Any]:
    """Return a column with its name; the annotation counts where no whole column was said."""
    if isinstance(said, Column):
        said.name = said.key = name
        return said
    kinds = get_args(kind) or (kind,)
    [meant] = (each for each in kinds if each is not NoneType)
    more = said if isinstance(said, dict) else {}
    return Column(name, _TYPES[meant], nullable=NoneType in kinds, **more)
