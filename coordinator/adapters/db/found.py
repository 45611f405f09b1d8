"""What an upgrade finds in the tables, told to the history: from there on it can be rebuilt.

A database older than its history is told whole, one line a row. Later only columns that a migration
added are told; whatever else differs from the history stays a difference, for an upgrade must not
make good what somebody changed behind its back. So a migration that changes what is in a column
appends the lines itself (`chain.append`).
"""

from datetime import UTC, datetime

from sqlalchemy import Connection

from coordinator.adapters.db import chain
from coordinator.adapters.db.scratch import scratch
from coordinator.domain.history import FOUND, FarmEvent, Row
from coordinator.domain.rebuilding import Audit
from coordinator.domain.rebuilt import Rebuilt

_LINES_AT_ONCE = 1000


def tell_found(connection: Connection, *, origin: str) -> None:
    """Tell what is in the tables and not in the history.

    Args:
        origin: of the lines: which upgrade.
    """
    now = datetime.now(UTC)
    with scratch() as rebuilt:
        told_any = _rebuild(connection, rebuilt)
        events = []
        for thing, row in (told for page in chain.rows(connection) for told in page):
            known = rebuilt.get(thing)
            if changes := _new(row, (known and known[0]) if told_any else {}):
                subject, subject_id = thing
                events.append(
                    FarmEvent(
                        subject=subject,
                        subject_id=subject_id,
                        name=subject + FOUND,
                        at=now,
                        actor="farm",
                        origin=origin,
                        cause="as it was found",
                        changes=changes,
                    )
                )
    chain.append(connection, chain.head(connection, to_append=True), events)


def _rebuild(connection: Connection, rebuilt: Rebuilt) -> bool:
    """Rebuild all that the history tells so far; tell whether that is anything."""
    audit = Audit(rows=rebuilt)
    if (checkpoint := chain.checkpoint(connection)) is not None:
        for thing, told in (kept for page in chain.kept_rows(connection) for kept in page):
            rebuilt.put(thing, told)
        audit.begin(checkpoint)
    while found := chain.lines(connection, after=audit.head.number, limit=_LINES_AT_ONCE):
        for line in found:
            audit.take(line)
    return next(rebuilt.in_order(), None) is not None


def _new(row: Row, known: Row | None) -> Row:
    """Return the fields that are not known of a row; none of a row that history never told of."""
    if known is None:
        return {}
    return {name: value for name, value in row.items() if name not in known}
