"""The part of a `Unit` that is about history: appended, read, sealed."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, or_, select

from coordinator.adapters.db import chain, mapping
from coordinator.domain.history import (
    ANY_LINE,
    MANY,
    FarmEvent,
    Head,
    Line,
    LinesMeant,
    Row,
    Thing,
    event_of,
    moment,
)
from coordinator.domain.rebuilt import Told
from coordinator.domain.sealing import Checkpoint
from protocols.wire.vocabulary import JobId, PrinterId

_EVENTS = chain.EVENTS
_OF_ONE = (
    select(_EVENTS)
    .where(_EVENTS.c.subject == bindparam("subject"), _EVENTS.c.subject_id == bindparam("id"))
    .order_by(_EVENTS.c.number)
)
_AT = select(_EVENTS.c.at).where(_EVENTS.c.number == bindparam("number"))


class HistoryUnit:
    """History in one transaction; the contracts stand in the port."""

    def __init__(self, connection: Connection) -> None:
        """Take a connection whose transaction has begun, or begins with the first statement."""
        self._connection = connection
        self._head: Head | None = None  # where the history ends, once this unit appends to it

    async def record(self, *events: FarmEvent) -> None:
        """Append to the history, each bound to the one before."""
        if self._head is None:
            self._head = chain.head(self._connection, to_append=True)
        self._head = chain.append(self._connection, self._head, events)

    async def history(self, subject: str, subject_id: str) -> list[FarmEvent]:
        """Return what happened to one thing, oldest first."""
        found = self._connection.execute(_OF_ONE, {"subject": subject, "id": subject_id})
        return [event_of(mapping.line_of(dict(row))) for row in found.mappings()]

    async def events(
        self,
        *,
        limit: int,
        after: int = 0,
        newest: bool = False,
        job_id: JobId | None = None,
        printer_id: PrinterId | None = None,
        since: datetime | None = None,
        meant: LinesMeant = ANY_LINE,
    ) -> list[Line]:
        """Return lines of history as they are stored, oldest first."""
        if since is not None:
            first = self._first_since(since, after)
            if first is None:
                return []
            after = max(after, first - 1)
        wanted = select(_EVENTS).where(_EVENTS.c.number > after).limit(limit)
        if job_id is not None:
            wanted = wanted.where(chain.is_about_job(job_id))
        if printer_id is not None:
            wanted = wanted.where(chain.is_about_printer(printer_id))
        if since is not None:
            # Added to nothing, so that no index of times is used: nearly all lines are meant.
            wanted = wanted.where((_EVENTS.c.at + "") >= moment(since))
        wanted = wanted.where(*_claims(meant))
        order = _EVENTS.c.number.desc() if newest else _EVENTS.c.number
        found = self._connection.execute(wanted.order_by(order)).mappings()
        lines = [mapping.line_of(dict(row)) for row in found]
        return lines[::-1] if newest else lines

    def _first_since(self, since: datetime, after: int) -> int | None:
        """Return from which number on lines may be meant, None where none is.

        Who goes on from a line that was meant, page by page, is not searched for anew.
        """
        at = self._connection.execute(_AT, {"number": after}).scalar() if after else None
        if at is not None and at >= moment(since):
            return after
        return chain.first_since(self._connection, since)

    async def head(self) -> Head:
        """Return where the history ends."""
        return chain.head(self._connection, to_append=False)

    async def rows(self) -> AsyncIterator[Sequence[tuple[Thing, Row]]]:
        """Yield every row of the tables that history tells of, in pages."""
        for page in chain.rows(self._connection):
            yield page

    async def checkpoint(self) -> Checkpoint | None:
        """Return what the history begins behind, None where it begins with its first line."""
        return chain.checkpoint(self._connection)

    async def kept_rows(self) -> AsyncIterator[Sequence[tuple[Thing, Told]]]:
        """Yield the rows at the checkpoint, in pages."""
        for page in chain.kept_rows(self._connection):
            yield page

    async def put_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Insert a checkpoint; the rows at the one before are forgotten."""
        chain.put_checkpoint(self._connection, checkpoint)

    async def keep_rows(self, page: Sequence[tuple[Thing, Told]]) -> None:
        """Add rows to those at the checkpoint."""
        chain.keep_rows(self._connection, page)

    async def drop_sealed(self, limit: int) -> int:
        """Remove the oldest lines that the checkpoint covers; return how many there were."""
        return chain.drop_sealed(self._connection, limit)


def _claims(meant: LinesMeant) -> list[ColumnElement[bool]]:
    """Return what is claimed of the lines that are meant; as `since`, without an index of times."""
    found: list[ColumnElement[bool]] = []
    if meant.before is not None:
        found.append(_EVENTS.c.number < meant.before)
    if meant.until is not None:
        found.append((_EVENTS.c.at + "") < moment(meant.until))
    if meant.name.endswith("*"):
        found.append(_EVENTS.c.name.startswith(meant.name.removesuffix("*"), autoescape=True))
    elif meant.name:
        found.append(_EVENTS.c.name == meant.name)
    begins = MANY.get(meant.actor, ())
    if begins:
        actor = _EVENTS.c.actor
        found.append(or_(*(actor.startswith(each, autoescape=True) for each in begins)))
    for column, text in (
        (_EVENTS.c.actor, "" if begins else meant.actor),
        (_EVENTS.c.subject, meant.subject),
        (_EVENTS.c.subject_id, meant.subject_id),
    ):
        if text:
            found.append(column == text)
    return found
