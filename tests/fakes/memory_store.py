"""A `Store` in memory: whole transactions, one writer, readers that see one state of things."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from coordinator.domain.choices import Choice
from coordinator.domain.copies import COUNTED
from coordinator.domain.estimates import Timing, measured_s_of
from coordinator.domain.history import (
    Line,
    Row,
    Thing,
    row_of,
    thing_of,
)
from coordinator.domain.jobs import OPEN, QUEUED, Job, JobState
from coordinator.domain.planning import precedence
from coordinator.domain.plates import Artifact, Plate, PlateState
from coordinator.domain.printers import Agent, BedState, Printer
from coordinator.domain.rebuilt import RebuiltInMemory, Told
from coordinator.domain.receipts import Receipt
from coordinator.domain.runs import Run, RunState
from coordinator.domain.sealing import Checkpoint
from protocols.wire.vocabulary import (
    NEVER_LEASED,
    AgentId,
    BedPolicy,
    Epoch,
    JobId,
    PrinterId,
    RunId,
)
from tests.fakes.memory_accounts import Accounts, MemoryAccountUnit
from tests.fakes.memory_choices import MemoryChoices
from tests.fakes.memory_enrolment import EnrolmentTables, MemoryEnrolment
from tests.fakes.memory_generations import GenerationTables, MemoryGenerations
from tests.fakes.memory_history import MemoryHistory
from tests.fakes.memory_library import LibraryTables, MemoryLibrary
from tests.fakes.memory_listing import MemoryListing
from tests.fakes.memory_retention import MemoryRetention
from tests.fakes.memory_statistics import MemoryStatistics, StatisticsTables
from tests.fakes.memory_stock import MemoryStock, StockTables
from tests.fakes.memory_telling import MemoryTelling, ToldTables
from tests.fakes.memory_updates import MemoryUpdates, UpdateTables


@dataclass
class Tables:
    """All rows; insertion order is the order of arrival."""

    jobs: dict[JobId, Job] = field(default_factory=dict)
    plates: dict[tuple[JobId, str], Plate] = field(default_factory=dict)
    runs: dict[RunId, Run] = field(default_factory=dict)
    printers: dict[PrinterId, Printer] = field(default_factory=dict)
    agents: dict[AgentId, Agent] = field(default_factory=dict)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    checkpoint: Checkpoint | None = None
    kept_rows: dict[Thing, Told] = field(default_factory=dict)
    outbox: dict[int, PrinterId] = field(default_factory=dict)
    receipts: dict[str, Receipt] = field(default_factory=dict)
    numbered: int = 0
    accounts: Accounts = field(default_factory=Accounts)
    told: ToldTables = field(default_factory=ToldTables)
    enrolment: EnrolmentTables = field(default_factory=EnrolmentTables)
    library: LibraryTables = field(default_factory=LibraryTables)
    generated: GenerationTables = field(default_factory=GenerationTables)
    stock: StockTables = field(default_factory=StockTables)
    statistics: StatisticsTables = field(default_factory=StatisticsTables)
    updates: UpdateTables = field(default_factory=UpdateTables)
    choices: dict[str, Choice] = field(default_factory=dict)

    def rows(self) -> dict[Thing, Row]:
        """Return every row that history tells of."""
        farm = (self.jobs, self.plates, self.runs, self.printers, self.agents, self.artifacts)
        library = (self.library.projects, self.library.models, self.library.versions)
        stored = (*farm, self.accounts.users, self.accounts.keys, *library, *self.stock.told)
        return {thing_of(value): row_of(value) for table in stored for value in table.values()}

    def copy(self) -> "Tables":
        return Tables(
            jobs=dict(self.jobs),
            plates=dict(self.plates),
            runs=dict(self.runs),
            printers=dict(self.printers),
            agents=dict(self.agents),
            artifacts=dict(self.artifacts),
            lines=list(self.lines),
            checkpoint=self.checkpoint,
            kept_rows=dict(self.kept_rows),
            outbox=dict(self.outbox),
            receipts=dict(self.receipts),
            numbered=self.numbered,
            accounts=self.accounts.copy(),
            told=self.told.copy(),
            enrolment=self.enrolment.copy(),
            library=self.library.copy(),
            generated=self.generated.copy(),
            stock=self.stock.copy(),
            statistics=self.statistics.copy(),
            updates=self.updates.copy(),
            choices=dict(self.choices),
        )


class MemoryStore:
    """Implements `coordinator.ports.Store`; `writes` counts the commits that changed something."""

    def __init__(self) -> None:
        self.tables = Tables()
        self.writes = 0
        self._writer = asyncio.Lock()

    @asynccontextmanager
    async def write(self) -> AsyncIterator["MemoryUnit"]:
        async with self._writer:
            unit = MemoryUnit(self.tables.copy())
            yield unit
            self.tables = unit.tables
            self.writes += unit.changed

    @asynccontextmanager
    async def read(self) -> AsyncIterator["MemoryUnit"]:
        # No copy: who writes changes tables of its own, which take the place of these whole.
        unit = MemoryUnit(self.tables)
        yield unit
        assert not unit.changed, "who reads must not write"

    async def snapshot(self, to: Path) -> None:
        """Write something that stands for it; what a file of SQLite's holds is the real ones'."""
        await asyncio.to_thread(to.write_bytes, repr(self.tables).encode())

    @contextmanager
    def scratch(self) -> Iterator[RebuiltInMemory]:
        yield RebuiltInMemory()


class MemoryUnit(
    MemoryAccountUnit,
    MemoryListing,
    MemoryTelling,
    MemoryEnrolment,
    MemoryLibrary,
    MemoryRetention,
    MemoryGenerations,
    MemoryStock,
    MemoryStatistics,
    MemoryUpdates,
    MemoryChoices,
    MemoryHistory,
):
    """Implements `coordinator.ports.Unit` on a copy of the tables."""

    def __init__(self, tables: Tables) -> None:
        super().__init__(tables)
        self.told = tables.told
        self.generated = tables.generated
        self.enrolment = tables.enrolment

    async def job(self, job_id: JobId) -> Job | None:
        return self.tables.jobs.get(job_id)

    async def jobs(self, states: Collection[JobState] | None = None) -> list[Job]:
        every = sorted(self.tables.jobs.values(), key=lambda job: (job.created_at, job.job_id))
        return [job for job in every if states is None or job.state in states]

    async def jobs_wanting(self, *, offset: int, limit: int) -> list[Job]:
        wanting = [job for job in self._lacking(OPEN) if not job.held and job.approved]
        return wanting[offset : offset + limit]

    async def queue(self) -> list[JobId]:
        return [job.job_id for job in self._lacking(QUEUED)]

    def _lacking(self, states: Collection[JobState]) -> list[Job]:
        counted = Counter[JobId]()
        for run in self.tables.runs.values():
            counted[run.job_id] += run.copies if run.state in COUNTED else 0
        jobs = (job for job in self.tables.jobs.values() if job.state in states)
        return sorted((job for job in jobs if counted[job.job_id] < job.copies), key=precedence)

    async def printers_insisted_on(self) -> set[PrinterId]:
        opened = (job for job in self.tables.jobs.values() if job.state in OPEN)
        return {job.printer_id for job in opened if job.printer_id is not None}

    async def save_job(self, job: Job) -> None:
        self.changed = True
        self.tables.jobs[job.job_id] = job

    async def plates(self, job_id: JobId) -> list[Plate]:
        mine = (plate for (owner, _), plate in self.tables.plates.items() if owner == job_id)
        return sorted(mine, key=lambda plate: plate.printer_class)

    async def plates_wanted(self) -> list[Plate]:
        wanted = [each for each in self.tables.plates.values() if each.state is PlateState.WANTED]
        jobs = {each.job_id: self.tables.jobs[each.job_id] for each in wanted}
        return sorted(
            (each for each in wanted if jobs[each.job_id].state in (*OPEN, JobState.LOST)),
            key=lambda each: (precedence(jobs[each.job_id]), each.printer_class),
        )

    async def save_plate(self, plate: Plate) -> None:
        self.changed = True
        self.tables.plates[plate.job_id, plate.printer_class] = plate

    async def run(self, run_id: RunId) -> Run | None:
        return self.tables.runs.get(run_id)

    async def runs(
        self,
        *,
        job_id: JobId | None = None,
        printer_id: PrinterId | None = None,
        live: bool | None = None,
    ) -> list[Run]:
        every = sorted(self.tables.runs.values(), key=lambda run: (run.leased_at, run.run_id))
        return [
            run
            for run in every
            if job_id in (None, run.job_id)
            and printer_id in (None, run.printer_id)
            and live in (None, run.live)
        ]

    async def timings(self, limit: int) -> list[Timing]:
        found = []
        for run in sorted(self.tables.runs.values(), key=lambda run: run.run_id, reverse=True):
            printer = self.tables.printers.get(run.printer_id)
            plate = next(
                (each for each in await self.plates(run.job_id) if each.sha256 == run.plate_sha256),
                None,
            )
            measured_s = measured_s_of(run.facts)
            if run.state is not RunState.FINISHED or plate is None or printer is None:
                continue
            if plate.time_s is not None:
                found.append((printer, plate.time_s, measured_s))
        return [
            Timing(
                printer_id=printer.printer_id,
                printer_class=printer.printer_class,
                foretold_s=foretold_s,
                measured_s=measured_s,
            )
            for printer, foretold_s, measured_s in found[:limit]
            if measured_s is not None
        ]

    async def save_run(self, run: Run) -> None:
        self.changed = True
        self.tables.runs[run.run_id] = run

    async def printer(self, printer_id: PrinterId) -> Printer | None:
        return self.tables.printers.get(printer_id)

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
        found = [
            printer
            for printer in self.tables.printers.values()
            if agent_id in (None, printer.agent_id)
            and online in (None, printer.online)
            and leased in (None, printer.run_id is not None)
            and bed in (None, printer.bed.state)
            and bed_policy in (None, printer.bed_policy)
            and retired in (None, printer.retired_at is not None)
        ]
        return sorted(found, key=lambda printer: printer.printer_id)[:limit]

    async def save_printer(self, printer: Printer) -> None:
        self.changed = True
        known = self.tables.printers.get(printer.printer_id)
        epoch = known.epoch if known is not None else NEVER_LEASED
        self.tables.printers[printer.printer_id] = replace(printer, epoch=epoch)

    async def raise_epoch(self, printer_id: PrinterId, *, expected: Epoch) -> bool:
        printer = self.tables.printers.get(printer_id)
        if printer is None or printer.epoch != expected:
            return False
        self.changed = True
        self.tables.printers[printer_id] = replace(printer, epoch=Epoch(expected + 1))
        return True

    async def agent(self, agent_id: AgentId) -> Agent | None:
        return self.tables.agents.get(agent_id)

    async def agents(self, *, retired: bool | None = False) -> list[Agent]:
        found = (self.tables.agents[name] for name in sorted(self.tables.agents))
        return [each for each in found if retired in (None, each.retired_at is not None)]

    async def save_agent(self, agent: Agent) -> None:
        self.changed = True
        self.tables.agents[agent.agent_id] = agent

    async def artifact(self, sha256: str) -> Artifact | None:
        return self.tables.artifacts.get(sha256)

    async def artifacts(self) -> list[Artifact]:
        every = self.tables.artifacts.values()
        return sorted(every, key=lambda artifact: (artifact.created_at, artifact.sha256))

    async def save_artifact(self, artifact: Artifact) -> None:
        self.changed = True
        self.tables.artifacts.setdefault(artifact.sha256, artifact)

    async def mark_desired(self, printer_id: PrinterId) -> None:
        self.changed = True
        self.tables.numbered += 1
        self.tables.outbox[self.tables.numbered] = printer_id

    async def outbox(self, limit: int) -> list[tuple[int, PrinterId]]:
        return sorted(self.tables.outbox.items())[:limit]

    async def outbox_done(self, numbers: Sequence[int]) -> None:
        self.changed = True
        for number in numbers:
            self.tables.outbox.pop(number, None)
