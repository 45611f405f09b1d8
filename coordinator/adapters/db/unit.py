"""The port `Unit`: what one transaction can read and save.

Statements are made once, here above: to make one costs several times what SQLite needs for it.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

from sqlalchemy import (
    Connection,
    Select,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    update,
)

from coordinator.adapters.db import mapping, tables
from coordinator.adapters.db.account_unit import SqlAccountUnit
from coordinator.adapters.db.choice_unit import SqlChoiceUnit
from coordinator.adapters.db.enrolment_unit import EnrolmentUnit
from coordinator.adapters.db.generation_unit import GenerationUnit
from coordinator.adapters.db.library_unit import LibraryUnit
from coordinator.adapters.db.listing_unit import ListingUnit
from coordinator.adapters.db.mapping import Row
from coordinator.adapters.db.retention_unit import SqlRetentionUnit
from coordinator.adapters.db.saving import keeping, saving
from coordinator.adapters.db.statistics_unit import SqlStatisticsUnit
from coordinator.adapters.db.stock_unit import StockUnit
from coordinator.adapters.db.telling_unit import TellingUnit
from coordinator.adapters.db.update_unit import UpdateUnit
from coordinator.adapters.db.upkeep_unit import UpkeepUnit
from coordinator.domain.copies import COUNTED
from coordinator.domain.estimates import Timing
from coordinator.domain.history import Thing
from coordinator.domain.jobs import OPEN, QUEUED, Job, JobState
from coordinator.domain.plates import Artifact, Plate, PlateState
from coordinator.domain.printers import Agent, BedState, Printer
from coordinator.domain.runs import LIVE, Run, RunState
from protocols.wire.vocabulary import (
    NEVER_LEASED,
    AgentId,
    BedPolicy,
    Epoch,
    JobId,
    PrinterId,
    RunId,
)

_JOBS = tables.table(tables.JobRow)
_PLATES = tables.table(tables.PlateRow)
_RUNS = tables.table(tables.RunRow)
_PRINTERS = tables.table(tables.PrinterRow)
_AGENTS = tables.table(tables.AgentRow)
_ARTIFACTS = tables.table(tables.ArtifactRow)
_OUTBOX = tables.table(tables.OutboxRow)
_LIVE = [state.value for state in LIVE]

Value = TypeVar("Value", Job, Run, Printer, Agent, Artifact)


def _those(name: str) -> Any:
    """Return a list that is given with the statement."""
    return bindparam(name, expanding=True)


_JOB = select(_JOBS).where(_JOBS.c.job_id == bindparam("id"))
_ALL_JOBS = select(_JOBS).order_by(_JOBS.c.created_at, _JOBS.c.job_id)
_JOBS_IN = _ALL_JOBS.where(_JOBS.c.state.in_(_those("states")))
_RUNS_COUNTED = (
    select(func.coalesce(func.sum(_RUNS.c.copies), 0))
    .where(_RUNS.c.job_id == _JOBS.c.job_id, _RUNS.c.state.in_([each.value for each in COUNTED]))
    .scalar_subquery()
)
_IS_OPEN = _JOBS.c.state.in_([state.value for state in OPEN])
# As `planning.precedence` has it.
_DUE = case((_JOBS.c.place_at.is_not(None), _JOBS.c.place_due_at), else_=_JOBS.c.due_at)
_PRECEDENCE = (
    _JOBS.c.priority.desc(),
    _DUE.is_(None),
    _DUE,
    func.coalesce(_JOBS.c.place_at, _JOBS.c.created_at),
    _JOBS.c.job_id,
)
_QUEUE = (
    select(_JOBS.c.job_id)
    .where(_JOBS.c.state.in_([each.value for each in QUEUED]), _JOBS.c.copies > _RUNS_COUNTED)
    .order_by(*_PRECEDENCE)
)
_JOBS_WANTING = (
    select(_JOBS)
    .where(_IS_OPEN, ~_JOBS.c.held, _JOBS.c.approved, _JOBS.c.copies > _RUNS_COUNTED)
    .order_by(*_PRECEDENCE)
    .limit(bindparam("limit"))
    .offset(bindparam("offset"))
)
_INSISTED_ON = select(_JOBS.c.printer_id).where(_IS_OPEN, _JOBS.c.printer_id.is_not(None))
_PLATES_OF = (
    select(_PLATES).where(_PLATES.c.job_id == bindparam("id")).order_by(_PLATES.c.printer_class)
)
# Jobs that a plate may still be printed for.
_PRINTS_ON = _JOBS.c.state.in_([state.value for state in (*OPEN, JobState.LOST)])
_PLATES_WANTED = (
    select(_PLATES)
    .join(_JOBS, _JOBS.c.job_id == _PLATES.c.job_id)
    .where(_PLATES.c.state == PlateState.WANTED.value, _PRINTS_ON)
    .order_by(*_PRECEDENCE, _PLATES.c.printer_class)
)
_RUN = select(_RUNS).where(_RUNS.c.run_id == bindparam("id"))
_ALL_RUNS = select(_RUNS).order_by(_RUNS.c.leased_at, _RUNS.c.run_id)
_TIMINGS = (
    select(_RUNS.c.printer_id, _RUNS.c.facts, _PRINTERS.c.printer_class, _PLATES.c.time_s)
    .join(
        _PLATES, (_PLATES.c.job_id == _RUNS.c.job_id) & (_PLATES.c.sha256 == _RUNS.c.plate_sha256)
    )
    .join(_PRINTERS, _PRINTERS.c.printer_id == _RUNS.c.printer_id)
    .where(_RUNS.c.state == RunState.FINISHED.value, _PLATES.c.time_s.is_not(None))
    .order_by(_RUNS.c.run_id.desc())  # ids are sortable by time
    .limit(bindparam("limit"))
)
_RUNS_OF = _ALL_RUNS.where(_RUNS.c.job_id == bindparam("id"))
_PRINTER = select(_PRINTERS).where(_PRINTERS.c.printer_id == bindparam("id"))
_ALL_PRINTERS = select(_PRINTERS).order_by(_PRINTERS.c.printer_id)
_PRINTERS_OF = _ALL_PRINTERS.where(
    _PRINTERS.c.agent_id == bindparam("id"), _PRINTERS.c.retired_at.is_(None)
)
_AGENT = select(_AGENTS).where(_AGENTS.c.agent_id == bindparam("id"))
_ALL_AGENTS = select(_AGENTS).order_by(_AGENTS.c.agent_id)
_ARTIFACT = select(_ARTIFACTS).where(_ARTIFACTS.c.sha256 == bindparam("id"))
_ALL_ARTIFACTS = select(_ARTIFACTS).order_by(_ARTIFACTS.c.created_at, _ARTIFACTS.c.sha256)
_OLDEST_NOTES = select(_OUTBOX).order_by(_OUTBOX.c.number).limit(bindparam("limit"))

_SAVE_JOB = saving(_JOBS, "job_id")
_SAVE_PLATE = saving(_PLATES, "job_id", "printer_class")
_SAVE_RUN = saving(_RUNS, "run_id")
_SAVE_PRINTER = saving(_PRINTERS, "printer_id", keep=("epoch",))
_SAVE_AGENT = saving(_AGENTS, "agent_id")
_SAVE_ARTIFACT = keeping(_ARTIFACTS)
_MARK = insert(_OUTBOX)
_UNMARK = delete(_OUTBOX).where(_OUTBOX.c.number.in_(_those("numbers")))
_RAISE_EPOCH = (
    update(_PRINTERS)
    .where(_PRINTERS.c.printer_id == bindparam("id"), _PRINTERS.c.epoch == bindparam("expected"))
    .values(epoch=_PRINTERS.c.epoch + 1)
)


class SqlUnit(
    SqlAccountUnit,
    ListingUnit,
    TellingUnit,
    EnrolmentUnit,
    LibraryUnit,
    SqlRetentionUnit,
    GenerationUnit,
    StockUnit,
    UpkeepUnit,
    SqlStatisticsUnit,
    UpdateUnit,
    SqlChoiceUnit,
):
    """One transaction on a connection; the contracts stand in the port."""

    def __init__(self, connection: Connection) -> None:
        """Take a connection whose transaction has begun, or begins with the first statement."""
        super().__init__(connection)
        self._known: dict[Thing, Any] = {}
        self._runs_of: dict[JobId, dict[RunId, Run]] = {}

    async def job(self, job_id: JobId) -> Job | None:
        """Return one job."""
        return self._one("job", job_id, _JOB, mapping.job_of)

    async def jobs(self, states: Collection[JobState] | None = None) -> list[Job]:
        """Return the jobs in these states, in order of arrival."""
        if states is None:
            rows = self._all(_ALL_JOBS)
        else:
            rows = self._all(_JOBS_IN, states=[state.value for state in states])
        return [mapping.job_of(row) for row in rows]

    async def jobs_wanting(self, *, offset: int, limit: int) -> list[Job]:
        """Return jobs that leases may be given for, by precedence."""
        rows = self._all(_JOBS_WANTING, offset=offset, limit=limit)
        return [mapping.job_of(row) for row in rows]

    async def queue(self) -> list[JobId]:
        """Return the jobs that miss copies, by precedence."""
        return [JobId(row["job_id"]) for row in self._all(_QUEUE)]

    async def printers_insisted_on(self) -> set[PrinterId]:
        """Return the printers that open jobs name."""
        return {PrinterId(row["printer_id"]) for row in self._all(_INSISTED_ON)}

    async def save_job(self, job: Job) -> None:
        """Insert or replace a job."""
        self._known.pop(("job", job.job_id), None)
        self._connection.execute(_SAVE_JOB[self._dialect], mapping.to_row(job))

    async def plates(self, job_id: JobId) -> list[Plate]:
        """Return a job's plates, made or not, by class."""
        return [mapping.plate_of(row) for row in self._all(_PLATES_OF, id=job_id)]

    async def plates_wanted(self) -> list[Plate]:
        """Return the plates that are to be sliced, by the precedence of their jobs."""
        return [mapping.plate_of(row) for row in self._all(_PLATES_WANTED)]

    async def save_plate(self, plate: Plate) -> None:
        """Insert a plate, or replace the job's plate of the same printer class."""
        self._connection.execute(_SAVE_PLATE[self._dialect], mapping.to_row(plate))

    async def run(self, run_id: RunId) -> Run | None:
        """Return one run."""
        return self._one("run", run_id, _RUN, mapping.run_of)

    async def runs(
        self,
        *,
        job_id: JobId | None = None,
        printer_id: PrinterId | None = None,
        live: bool | None = None,
    ) -> list[Run]:
        """Return runs, oldest first; a job's are read once, for many messages may be about it."""
        if job_id is not None and printer_id is None and live is None:
            if job_id not in self._runs_of:
                found = (mapping.run_of(row) for row in self._all(_RUNS_OF, id=job_id))
                self._runs_of[job_id] = {run.run_id: run for run in found}
            return list(self._runs_of[job_id].values())
        wanted = _ALL_RUNS
        if job_id is not None:
            wanted = wanted.where(_RUNS.c.job_id == job_id)
        if printer_id is not None:
            wanted = wanted.where(_RUNS.c.printer_id == printer_id)
        if live is not None:
            is_live = _RUNS.c.state.in_(_LIVE)
            wanted = wanted.where(is_live if live else ~is_live)
        return [mapping.run_of(row) for row in self._all(wanted)]

    async def timings(self, limit: int) -> list[Timing]:
        """Return how long the last finished runs took, those leased last first."""
        return mapping.timings_of(self._all(_TIMINGS, limit=limit))

    async def save_run(self, run: Run) -> None:
        """Insert or replace a run."""
        self._known.pop(("run", run.run_id), None)
        self._connection.execute(_SAVE_RUN[self._dialect], mapping.to_row(run))
        if run.job_id in self._runs_of:
            self._runs_of[run.job_id][run.run_id] = run

    async def printer(self, printer_id: PrinterId) -> Printer | None:
        """Return one printer."""
        return self._one("printer", printer_id, _PRINTER, mapping.printer_of)

    async def printers(
        self,
        agent_id: AgentId | None = None,
        *,
        online: bool | None = None,
        leased: bool | None = None,
        bed: BedState | None = None,
        bed_policy: BedPolicy | None = None,
        retired: bool | None = False,
        limit: int | None = None,
    ) -> list[Printer]:
        """Return printers by id; all that are an agent's are asked for with each message."""
        if (online, leased, bed, bed_policy, limit, retired) == (*(None,) * 5, False) and agent_id:
            return [mapping.printer_of(row) for row in self._all(_PRINTERS_OF, id=agent_id)]
        wanted = _ALL_PRINTERS
        if retired is not None:
            is_retired = _PRINTERS.c.retired_at.is_not(None)
            wanted = wanted.where(is_retired if retired else ~is_retired)
        if agent_id is not None:
            wanted = wanted.where(_PRINTERS.c.agent_id == agent_id)
        if online is not None:
            wanted = wanted.where(_PRINTERS.c.online == online)
        if leased is not None:
            is_leased = _PRINTERS.c.run_id.is_not(None)
            wanted = wanted.where(is_leased if leased else ~is_leased)
        if bed is not None:
            wanted = wanted.where(_PRINTERS.c.bed_state == bed.value)
        if bed_policy is not None:
            wanted = wanted.where(_PRINTERS.c.bed_policy == bed_policy.value)
        if limit is not None:
            wanted = wanted.limit(limit)
        return [mapping.printer_of(row) for row in self._all(wanted)]

    async def save_printer(self, printer: Printer) -> None:
        """Insert or replace a printer, but for its epoch."""
        self._known.pop(("printer", printer.printer_id), None)
        row = mapping.printer_to_row(printer) | {"epoch": NEVER_LEASED}
        self._connection.execute(_SAVE_PRINTER[self._dialect], row)

    async def raise_epoch(self, printer_id: PrinterId, *, expected: Epoch) -> bool:
        """Add one to the printer's epoch if it is as expected; tell whether it was."""
        self._known.pop(("printer", printer_id), None)
        given = {"id": printer_id, "expected": expected}
        return self._connection.execute(_RAISE_EPOCH, given).rowcount == 1

    async def agent(self, agent_id: AgentId) -> Agent | None:
        """Return one agent."""
        return self._one("agent", agent_id, _AGENT, mapping.agent_of)

    async def agents(self, *, retired: bool | None = False) -> list[Agent]:
        """Return agents, by id."""
        wanted = _ALL_AGENTS
        if retired is not None:
            is_retired = _AGENTS.c.retired_at.is_not(None)
            wanted = wanted.where(is_retired if retired else ~is_retired)
        return [mapping.agent_of(row) for row in self._all(wanted)]

    async def save_agent(self, agent: Agent) -> None:
        """Insert or replace an agent."""
        self._known.pop(("agent", agent.agent_id), None)
        self._connection.execute(_SAVE_AGENT[self._dialect], mapping.to_row(agent))

    async def artifact(self, sha256: str) -> Artifact | None:
        """Return what is known of an artifact."""
        return self._one("artifact", sha256, _ARTIFACT, mapping.artifact_of)

    async def artifacts(self) -> list[Artifact]:
        """Return what is known of all artifacts, by age."""
        return [mapping.artifact_of(row) for row in self._all(_ALL_ARTIFACTS)]

    async def save_artifact(self, artifact: Artifact) -> None:
        """Insert an artifact; one that is known already stays as it is."""
        self._known.pop(("artifact", artifact.sha256), None)
        self._connection.execute(_SAVE_ARTIFACT[self._dialect], mapping.to_row(artifact))

    async def mark_desired(self, printer_id: PrinterId) -> None:
        """Note in the outbox that a printer's desired document has to be said again."""
        self._connection.execute(_MARK, {"printer_id": printer_id})

    async def outbox(self, limit: int) -> list[tuple[int, PrinterId]]:
        """Return the oldest notes: number and printer."""
        rows = self._all(_OLDEST_NOTES, limit=limit)
        return [(row["number"], PrinterId(row["printer_id"])) for row in rows]

    async def outbox_done(self, numbers: Sequence[int]) -> None:
        """Take notes off the outbox; newer ones of the same printers stay."""
        self._connection.execute(_UNMARK, {"numbers": list(numbers)})

    def _one(
        self, subject: str, its_id: str, wanted: Select[Any], make: Callable[[Row], Value]
    ) -> Value | None:
        """Return one value; read once, for nobody else changes it before this unit ends."""
        thing = (subject, its_id)
        if thing not in self._known:
            rows = self._all(wanted, id=its_id)
            self._known[thing] = make(rows[0]) if rows else None
        found: Value | None = self._known[thing]
        return found

    def _all(self, wanted: Select[Any], **given: Any) -> list[Row]:
        found = self._connection.execute(wanted, given)
        names = tuple(found.keys())
        return [dict(zip(names, row, strict=True)) for row in found]
