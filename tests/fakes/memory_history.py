"""The part of a unit in memory that keeps history."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from coordinator.domain.history import (
    ANY_LINE,
    FarmEvent,
    Head,
    Line,
    LinesMeant,
    Row,
    Thing,
    event_of,
    following,
    moment,
)
from coordinator.domain.rebuilt import Told
from coordinator.domain.sealing import Checkpoint
from protocols.wire.vocabulary import JobId, PrinterId, RunId

if TYPE_CHECKING:
    from tests.fakes.memory_store import Tables


class MemoryHistory:
    """Implements what a unit of `coordinator.ports` has of history."""

    tables: "Tables"
    changed: bool

    async def record(self, *events: FarmEvent) -> None:
        self.changed |= bool(events)
        self.tables.lines += following(await self.head(), list(events))

    async def history(self, subject: str, subject_id: str) -> list[FarmEvent]:
        wanted = (subject, subject_id)
        return [
            event_of(line)
            for line in self.tables.lines
            if (line.subject, line.subject_id) == wanted
        ]

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
        wanted = [
            line
            for line in self._lines_after(after)
            if self._is_about(line, job_id, printer_id)
            and meant.admits(line)
            and (since is None or line.at >= moment(since))
        ]
        return wanted[-limit:] if newest else wanted[:limit]

    def _lines_after(self, number: int) -> list[Line]:
        gone = self.tables.lines[0].number - 1 if self.tables.lines else 0
        return self.tables.lines[max(0, number - gone) :]

    def _is_about(self, line: Line, job_id: JobId | None, printer_id: PrinterId | None) -> bool:
        thing = line.subject, line.subject_id
        run = self.tables.runs.get(RunId(line.subject_id)) if line.subject == "run" else None
        of_job = (
            job_id is None
            or thing == ("job", job_id)
            or (line.subject == "plate" and line.subject_id.startswith(f"{job_id}/"))
            or (run is not None and run.job_id == job_id)
        )
        return of_job and (
            printer_id is None
            or thing == ("printer", printer_id)
            or (run is not None and run.printer_id == printer_id)
        )

    async def head(self) -> Head:
        last = self.tables.lines[-1] if self.tables.lines else None
        if last is not None:
            return Head(number=last.number, hash=last.hash)
        return self.tables.checkpoint.head if self.tables.checkpoint is not None else Head()

    async def rows(self) -> AsyncIterator[Sequence[tuple[Thing, Row]]]:
        yield list(self.tables.rows().items())

    async def checkpoint(self) -> Checkpoint | None:
        return self.tables.checkpoint

    async def kept_rows(self) -> AsyncIterator[Sequence[tuple[Thing, Told]]]:
        yield list(self.tables.kept_rows.items())

    async def put_checkpoint(self, checkpoint: Checkpoint) -> None:
        self.changed = True
        self.tables.checkpoint, self.tables.kept_rows = checkpoint, {}

    async def keep_rows(self, page: Sequence[tuple[Thing, Told]]) -> None:
        self.changed = True
        self.tables.kept_rows.update(page)

    async def drop_sealed(self, limit: int) -> int:
        checkpoint, lines = self.tables.checkpoint, self.tables.lines
        upto = checkpoint.number if checkpoint is not None else 0
        gone = sum(line.number <= upto for line in lines[:limit])
        self.changed |= gone > 0
        self.tables.lines = lines[gone:]
        return gone
