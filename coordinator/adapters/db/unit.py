"""The port `Unit`: what one transaction can read and save."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, Table, delete, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from coordinator.adapters.db import chain, mapping, tables
from coordinator.adapters.db.mapping import Row
from coordinator.domain.history import FarmEvent, Head, Line, Thing, event_of, moment
from coordinator.domain.history import Row as HistoryRow
from coordinator.domain.jobs import Job, JobState
from coordinator.domain.plates import Artifact, Plate
from coordinator.domain.printers import Agent, Printer
from coordinator.domain.runs import LIVE, Run
from protocols.wire.vocabulary import NEVER_LEASED, AgentId, Epoch, JobId, PrinterId, RunId

_JOBS = tables.table(tables.JobRow)
_PLATES = tables.table(tables.PlateRow)
_RUNS = tables.table(tables.RunRow)
_PRINTERS = tables.table(tables.PrinterRow)
_AGENTS = tables.table(tables.AgentRow)
_ARTIFACTS = tables.table(tables.ArtifactRow)
_EVENTS = chain.EVENTS
_OUTBOX = tables.table(tables.OutboxRow)

Value = TypeVar("Value", Job, Run, Printer, Agent, Artifact)

_LIVE = [state.value for state in LIVE]


class SqlUnit:
    """One transaction on a connection; the contracts stand in the port."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Take a connection whose transaction has begun."""
        self._connection = connection
        self._known: dict[Thing, Any] = {}
        self._head: Head | None = None  # where the history ends, once this unit appends to it

    async def job(self, job_id: JobId) -> Job | None:
        """Return one job."""
        wanted = select(_JOBS).where(_JOBS.c.job_id == job_id)
        return await self._one(("job", job_id), wanted, mapping.job_of)

    async def jobs(self, states: Collection[JobState] | None = None) -> list[Job]:
        """Return the jobs in these states, in order of arrival."""
        wanted = select(_JOBS).order_by(_JOBS.c.created_at, _JOBS.c.job_id)
        if states is not None:
            wanted = wanted.where(_JOBS.c.state.in_([state.value for state in states]))
        return [mapping.job_of(row) for row in await self._all(wanted)]

    async def save_job(self, job: Job) -> None:
        """Insert or replace a job."""
        self._known.pop(("job", job.job_id), None)
        await self._save(_JOBS, mapping.to_row(job), key=("job_id",))

    async def plates(self, job_id: JobId) -> list[Plate]:
        """Return a job's plates."""
        wanted = select(_PLATES).where(_PLATES.c.job_id == job_id).order_by(_PLATES.c.printer_class)
        return [mapping.plate_of(row) for row in await self._all(wanted)]

    async def save_plate(self, plate: Plate) -> None:
        """Insert a plate, or replace the job's plate of the same printer class."""
        await self._save(_PLATES, mapping.to_row(plate), key=("job_id", "printer_class"))

    async def run(self, run_id: RunId) -> Run | None:
        """Return one run."""
        wanted = select(_RUNS).where(_RUNS.c.run_id == run_id)
        return await self._one(("run", run_id), wanted, mapping.run_of)

    async def runs(
        self,
        *,
        job_id: JobId | None = None,
        printer_id: PrinterId | None = None,
        live: bool | None = None,
    ) -> list[Run]:
        """Return runs, oldest first."""
        wanted = select(_RUNS).order_by(_RUNS.c.leased_at, _RUNS.c.run_id)
        if job_id is not None:
            wanted = wanted.where(_RUNS.c.job_id == job_id)
        if printer_id is not None:
            wanted = wanted.where(_RUNS.c.printer_id == printer_id)
        if live is not None:
            is_live = _RUNS.c.state.in_(_LIVE)
            wanted = wanted.where(is_live if live else ~is_live)
        return [mapping.run_of(row) for row in await self._all(wanted)]

    async def save_run(self, run: Run) -> None:
        """Insert or replace a run."""
        self._known.pop(("run", run.run_id), None)
        await self._save(_RUNS, mapping.to_row(run), key=("run_id",))

    async def printer(self, printer_id: PrinterId) -> Printer | None:
        """Return one printer."""
        wanted = select(_PRINTERS).where(_PRINTERS.c.printer_id == printer_id)
        return await self._one(("printer", printer_id), wanted, mapping.printer_of)

    async def printers(self, agent_id: AgentId | None = None) -> list[Printer]:
        """Return all printers, or those of one agent, by id."""
        wanted = select(_PRINTERS).order_by(_PRINTERS.c.printer_id)
        if agent_id is not None:
            wanted = wanted.where(_PRINTERS.c.agent_id == agent_id)
        return [mapping.printer_of(row) for row in await self._all(wanted)]

    async def save_printer(self, printer: Printer) -> None:
        """Insert or replace a printer, but for its epoch."""
        self._known.pop(("printer", printer.printer_id), None)
        row = mapping.printer_to_row(printer) | {"epoch": NEVER_LEASED}
        await self._save(_PRINTERS, row, key=("printer_id",), keep=("epoch",))

    async def raise_epoch(self, printer_id: PrinterId, *, expected: Epoch) -> bool:
        """Add one to the printer's epoch if it is as expected; tell whether it was."""
        self._known.pop(("printer", printer_id), None)
        done = await self._connection.execute(
            update(_PRINTERS)
            .where(_PRINTERS.c.printer_id == printer_id, _PRINTERS.c.epoch == expected)
            .values(epoch=_PRINTERS.c.epoch + 1)
        )
        return done.rowcount == 1

    async def agent(self, agent_id: AgentId) -> Agent | None:
        """Return one agent."""
        wanted = select(_AGENTS).where(_AGENTS.c.agent_id == agent_id)
        return await self._one(("agent", agent_id), wanted, mapping.agent_of)

    async def agents(self) -> list[Agent]:
        """Return all agents, by id."""
        wanted = select(_AGENTS).order_by(_AGENTS.c.agent_id)
        return [mapping.agent_of(row) for row in await self._all(wanted)]

    async def save_agent(self, agent: Agent) -> None:
        """Insert or replace an agent."""
        self._known.pop(("agent", agent.agent_id), None)
        await self._save(_AGENTS, mapping.to_row(agent), key=("agent_id",))

    async def artifact(self, sha256: str) -> Artifact | None:
        """Return what is known of an artifact."""
        wanted = select(_ARTIFACTS).where(_ARTIFACTS.c.sha256 == sha256)
        return await self._one(("artifact", sha256), wanted, mapping.artifact_of)

    async def save_artifact(self, artifact: Artifact) -> None:
        """Insert an artifact; one that is known already stays as it is."""
        self._known.pop(("artifact", artifact.sha256), None)
        row = mapping.to_row(artifact)
        await self._connection.execute(upsert(_ARTIFACTS).values(row).on_conflict_do_nothing())

    async def record(self, *events: FarmEvent) -> None:
        """Append to the history, each bound to the one before."""
        if self._head is None:
            self._head = await self._connection.run_sync(chain.head, to_append=True)
        self._head = await self._connection.run_sync(chain.append, self._head, events)

    async def history(self, subject: str, subject_id: str) -> list[FarmEvent]:
        """Return what happened to one thing, oldest first."""
        wanted = (
            select(_EVENTS)
            .where(_EVENTS.c.subject == subject, _EVENTS.c.subject_id == subject_id)
            .order_by(_EVENTS.c.number)
        )
        return [event_of(mapping.line_of(row)) for row in await self._all(wanted)]

    async def events(
        self,
        *,
        limit: int,
        after: int = 0,
        newest: bool = False,
        job_id: JobId | None = None,
        printer_id: PrinterId | None = None,
        since: datetime | None = None,
    ) -> list[Line]:
        """Return lines of history as they are stored, oldest first."""
        wanted = select(_EVENTS).where(_EVENTS.c.number > after).limit(limit)
        if job_id is not None:
            wanted = wanted.where(chain.is_about_job(job_id))
        if printer_id is not None:
            wanted = wanted.where(chain.is_about_printer(printer_id))
        if since is not None:
            wanted = wanted.where(_EVENTS.c.at >= moment(since))
        order = _EVENTS.c.number.desc() if newest else _EVENTS.c.number
        lines = [mapping.line_of(row) for row in await self._all(wanted.order_by(order))]
        return lines[::-1] if newest else lines

    async def head(self) -> Head:
        """Return where the history ends."""
        return await self._connection.run_sync(chain.head, to_append=False)

    async def rows(self) -> dict[Thing, HistoryRow]:
        """Return every row of the tables that history tells of."""
        return await self._connection.run_sync(chain.rows)

    async def mark_desired(self, printer_id: PrinterId) -> None:
        """Note in the outbox that a printer's desired document has to be said again."""
        await self._connection.execute(insert(_OUTBOX).values(printer_id=printer_id))

    async def outbox(self, limit: int) -> list[tuple[int, PrinterId]]:
        """Return the oldest notes: number and printer."""
        wanted = select(_OUTBOX).order_by(_OUTBOX.c.number).limit(limit)
        return [(row["number"], PrinterId(row["printer_id"])) for row in await self._all(wanted)]

    async def outbox_done(self, numbers: Sequence[int]) -> None:
        """Take notes off the outbox; newer ones of the same printers stay."""
        await self._connection.execute(delete(_OUTBOX).where(_OUTBOX.c.number.in_(numbers)))

    async def _one(
        self, thing: Thing, wanted: Select[Any], make: Callable[[Row], Value]
    ) -> Value | None:
        """Return one value; read once, for nobody else changes it before this unit ends."""
        if thing not in self._known:
            rows = await self._all(wanted)
            self._known[thing] = make(rows[0]) if rows else None
        found: Value | None = self._known[thing]
        return found

    async def _all(self, wanted: Select[Any]) -> Sequence[Row]:
        rows: Sequence[Any] = (await self._connection.execute(wanted)).mappings().all()
        return rows

    async def _save(
        self, table: Table, row: dict[str, Any], *, key: Sequence[str], keep: Sequence[str] = ()
    ) -> None:
        """Insert a row, or change the one with the same key in all but what is to be kept."""
        statement = upsert(table).values(row)
        changes: dict[str, ColumnElement[Any]] = {
            name: statement.excluded[name] for name in row if name not in (*key, *keep)
        }
        await self._connection.execute(
            statement.on_conflict_do_update(index_elements=list(key), set_=changes)
        )
