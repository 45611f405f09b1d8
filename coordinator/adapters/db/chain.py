"""The history's lines in the database: appended, read, and the rows that they tell of.

Plain functions on a synchronous connection, so that migrations use them as transactions do.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, insert, or_, select

from coordinator.adapters.db import mapping, tables
from coordinator.domain.history import FarmEvent, Head, Line, Row, Thing, following, plain
from coordinator.errors import StoreUnusable

EVENTS = tables.table(tables.EventRow)
_HISTORY = tables.table(tables.HistoryRow)
_PLATES = tables.table(tables.PlateRow)
_RUNS = tables.table(tables.RunRow)

# What history tells of: the subject, its table, and the columns that name one.
TOLD: Mapping[str, tuple[Table, tuple[str, ...]]] = MappingProxyType(
    {
        "job": (tables.table(tables.JobRow), ("job_id",)),
        "plate": (_PLATES, ("job_id", "printer_class")),
        "run": (_RUNS, ("run_id",)),
        "printer": (tables.table(tables.PrinterRow), ("printer_id",)),
        "agent": (tables.table(tables.AgentRow), ("agent_id",)),
        "artifact": (tables.table(tables.ArtifactRow), ("sha256",)),
    }
)


def head(connection: Connection, *, to_append: bool) -> Head:
    """Return where the history ends.

    Args:
        to_append: other transactions that want to append wait here, where the database has many
            writers; should one not wait, its line's number is refused as taken.

    Raises:
        StoreUnusable: somebody took it out.
    """
    wanted = select(_HISTORY)
    row = connection.execute(wanted.with_for_update() if to_append else wanted).mappings().first()
    if row is None:
        raise StoreUnusable("the database lost where its history ends: put a backup in its place")
    return Head(number=row["number"], hash=row["hash"])


def append(connection: Connection, last: Head, events: Sequence[FarmEvent]) -> Head:
    """Append events to a history that ends at `last`; return where it ends then."""
    if not events:
        return last
    lines = following(last, events)
    connection.execute(insert(EVENTS), [mapping.to_row(line) for line in lines])
    return Head(number=lines[-1].number, hash=lines[-1].hash)


def lines(connection: Connection, *, after: int, limit: int) -> list[Line]:
    """Return the lines with higher numbers than `after`, in order."""
    wanted = select(EVENTS).where(EVENTS.c.number > after).order_by(EVENTS.c.number).limit(limit)
    return [mapping.line_of(dict(row)) for row in connection.execute(wanted).mappings()]


def rows(connection: Connection) -> dict[Thing, Row]:
    """Return every row that history tells of, as it would tell them."""
    return {
        (subject, "/".join(str(row[name]) for name in key)): {
            name: plain(value) for name, value in row.items()
        }
        for subject, (table, key) in TOLD.items()
        for row in connection.execute(select(table)).mappings()
    }


def is_about_job(job_id: str) -> ColumnElement[bool]:
    """Return the claim that a line is about a job, its plates or its runs."""
    runs = select(_RUNS.c.run_id).where(_RUNS.c.job_id == job_id)
    plates = select(_PLATES.c.job_id + "/" + _PLATES.c.printer_class).where(
        _PLATES.c.job_id == job_id
    )
    return or_(_is("job", [job_id]), _is("plate", plates), _is("run", runs))


def is_about_printer(printer_id: str) -> ColumnElement[bool]:
    """Return the claim that a line is about a printer or its runs."""
    runs = select(_RUNS.c.run_id).where(_RUNS.c.printer_id == printer_id)
    return or_(_is("printer", [printer_id]), _is("run", runs))


def _is(subject: str, ids: Sequence[str] | Select[tuple[str]]) -> ColumnElement[bool]:
    return and_(EVENTS.c.subject == subject, EVENTS.c.subject_id.in_(ids))
