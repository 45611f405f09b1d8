"""Tables written as classes: a line a column, its type and whether it may be null by annotation.

    class UserRow(Shape):
        __tablename__ = "users"

        user_id: str = Field(primary_key=True)
        jobs_open_max: int | None

Only a table is made of it, for SQLAlchemy's statements; rows become values of the domain. SQLModel
reads the same lines, but loads the ORM and makes a mapper and a validator of each table: 9 MiB.
"""

from datetime import date, datetime
from types import NoneType
from typing import Any, ClassVar, get_args

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

_TYPES: dict[Any, type] = {
    bool: Boolean,
    date: Date,
    datetime: DateTime,
    float: Float,
    int: Integer,
    str: String,
}


def Field(sa_column: Column[Any] | None = None, **keywords: Any) -> Any:  # noqa: N802
    """Say more of a column than its annotation does.

    Args:
        sa_column: the column as a whole but for its name; then the annotation says nothing.
        keywords: of a column: `primary_key`, `index`, `unique`.
    """
    assert sa_column is None or not keywords
    return keywords if sa_column is None else sa_column


class Shape:
    """What a table's class derives from; `metadata` has all tables."""

    metadata: ClassVar[MetaData] = MetaData()
    __table__: ClassVar[Table]
    __tablename__: ClassVar[str]
    # Indexes and constraints over several columns; what SQLAlchemy's `Table` takes besides.
    __table_args__: ClassVar[tuple[Index | UniqueConstraint, ...]] = ()
    __table_options__: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        """Make the table."""
        cls.__table__ = Table(
            cls.__tablename__,
            cls.metadata,
            *(_column(name, kind, vars(cls).get(name)) for name, kind in _lines(cls)),
            *cls.__table_args__,
            **cls.__table_options__,
        )


def _lines(shape: type[Shape]) -> list[tuple[str, Any]]:
    return [(name, kind) for name, kind in shape.__annotations__.items() if name[0] != "_"]


def _column(name: str, kind: Any, said: Column[Any] | dict[str, Any] | None) -> Column[Any]:
    """Return a column with its name; the kind counts where no whole column was said."""
    if isinstance(said, Column):
        said.name = said.key = name
        return said
    kinds = get_args(kind) or (kind,)
    [meant] = (each for each in kinds if each is not NoneType)
    return Column(name, _TYPES[meant], nullable=NoneType in kinds, **(said or {}))
