"""The history's lines in the database: appended, read, and the rows that they tell of.

Plain functions on a synchronous connection, so that migrations use them as transactions do.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
)

from coordinator.adapters.db import account_tables, library_tables, mapping, stock_tables, tables
from coordinator.domain.history import (
    FarmEvent,
    Head,
    Line,
    Row,
    Thing,
    encoded,
    following,
    moment,
    plain,
)
from coordinator.domain.rebuilt import Told
from coordinator.domain.sealing import Checkpoint
from coordinator.errors import StoreUnusable

EVENTS = tables.table(tables.EventRow)
_HISTORY = tables.table(tables.HistoryRow)
_CHECKPOINTS = tables.table(tables.CheckpointRow)
_KEPT = tables.table(tables.CheckpointedRow)
_PLATES = tables.table(tables.PlateRow)
_RUNS = tables.table(tables.RunRow)

# Made once: each takes half as long as its execution.
_HEAD = select(_HISTORY)
_HEAD_TO_APPEND = _HEAD.with_for_update()
_APPEND = insert(EVENTS)
# Others get their turn between two pages: comparing this many takes some ten milliseconds.
_PAGE_ROWS = 200

# What history tells of: the subject, its table, and the columns that name one.
TOLD: Mapping[str, tuple[Table, tuple[str, ...]]] = MappingProxyType(
    {
        "job": (tables.table(tables.JobRow), ("job_id",)),
        "plate": (_PLATES, ("job_id", "printer_class")),
        "run": (_RUNS, ("run_id",)),
        "printer": (tables.table(tables.PrinterRow), ("printer_id",)),
        "agent": (tables.table(tables.AgentRow), ("agent_id",)),
        "artifact": (tables.table(tables.ArtifactRow), ("sha256",)),
        "user": (tables.table(account_tables.UserRow), ("user_id",)),
        "key": (tables.table(account_tables.KeyRow), ("key_id",)),
        "project": (tables.table(library_tables.ProjectRow), ("project_id",)),
        "model": (tables.table(library_tables.ModelRow), ("model_id",)),
        "spool": (tables.table(stock_tables.SpoolRow), ("spool_id",)),
        "maintenance": (tables.table(stock_tables.UpkeepRow), ("upkeep_id",)),
        "version": (tables.table(library_tables.ModelVersionRow), ("model_id", "number")),
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
    row = connection.execute(_HEAD_TO_APPEND if to_append else _HEAD).mappings().first()
    if row is None:
        raise StoreUnusable("the database lost where its history ends: put a backup in its place")
    return Head(number=row["number"], hash=row["hash"])


def append(connection: Connection, last: Head, events: Sequence[FarmEvent]) -> Head:
    """Append events to a history that ends at `last`; return where it ends then."""
    if not events:
        return last
    lines = following(last, events)
    connection.execute(_APPEND, [mapping.to_row(line) for line in lines])
    return Head(number=lines[-1].number, hash=lines[-1].hash)


def lines(connection: Connection, *, after: int, limit: int) -> list[Line]:
    """Return the lines with higher numbers than `after`, in order."""
    wanted = select(EVENTS).where(EVENTS.c.number > after).order_by(EVENTS.c.number).limit(limit)
    return [mapping.line_of(dict(row)) for row in connection.execute(wanted).mappings()]


def first_since(connection: Connection, at: datetime) -> int | None:
    """Return the lowest number of a line from then or later, None where there is none.

    Clocks jump: what comes behind that line may be older, what stands before it is.
    """
    # Added to nothing, so that SQLite does not walk by number until it meets such a time.
    wanted = select(func.min(EVENTS.c.number + 0)).where(EVENTS.c.at >= moment(at))
    number: int | None = connection.execute(wanted).scalar()
    return number


def rows(connection: Connection) -> Iterator[list[tuple[Thing, Row]]]:
    """Yield every row that history tells of, in pages, as it would tell them."""
    for subject, (table, key) in TOLD.items():
        wanted = select(table).execution_options(yield_per=_PAGE_ROWS)
        for page in connection.execute(wanted).mappings().partitions():
            yield [
                (
                    (subject, "/".join(str(row[name]) for name in key)),
                    {name: plain(value) for name, value in row.items()},
                )
                for row in page
            ]


def checkpoint(connection: Connection) -> Checkpoint | None:
    """Return what the history begins behind, None where it begins with its first line."""
    wanted = select(_CHECKPOINTS).order_by(_CHECKPOINTS.c.number.desc()).limit(1)
    row = connection.execute(wanted).mappings().first()
    return Checkpoint(**row) if row is not None else None


def kept_rows(connection: Connection) -> Iterator[list[tuple[Thing, Told]]]:
    """Yield the rows at the checkpoint, in pages."""
    wanted = select(_KEPT).execution_options(yield_per=_PAGE_ROWS)
    for page in connection.execute(wanted).mappings().partitions():
        yield [
            ((row["subject"], row["subject_id"]), (json.loads(row["row"]), row["number"]))
            for row in page
        ]


def put_checkpoint(connection: Connection, made: Checkpoint) -> None:
    """Insert a checkpoint; the rows at the one before are forgotten."""
    connection.execute(insert(_CHECKPOINTS), asdict(made))
    connection.execute(delete(_KEPT))


def keep_rows(connection: Connection, page: Sequence[tuple[Thing, Told]]) -> None:
    """Add rows to those at the checkpoint."""
    given = [
        {"subject": subject, "subject_id": subject_id, "number": number, "row": encoded(row)}
        for (subject, subject_id), (row, number) in page
    ]
    connection.execute(insert(_KEPT), given)


def drop_sealed(connection: Connection, limit: int) -> int:
    """Remove the oldest lines that the checkpoint covers; return how many there were."""
    covered = select(func.max(_CHECKPOINTS.c.number)).scalar_subquery()
    oldest = select(EVENTS.c.number).where(EVENTS.c.number <= covered).order_by(EVENTS.c.number)
    gone = delete(EVENTS).where(EVENTS.c.number.in_(oldest.limit(limit)))
    return connection.execute(gone).rowcount


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
