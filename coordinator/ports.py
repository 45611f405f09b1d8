"""What use cases ask of the outside: each a protocol, each with an adapter and a fake.

One contract suite (`tests/contracts/`) judges the fake and the real alike.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from coordinator.domain.estimates import Timing
from coordinator.domain.history import (
    ANY_LINE,
    FarmEvent,
    Head,
    Line,
    LinesMeant,
    Row,
    Thing,
)
from coordinator.domain.jobs import Job, JobState
from coordinator.domain.plates import Artifact, Plate
from coordinator.domain.printers import Agent, BedState, Printer
from coordinator.domain.rebuilt import Rebuilt, Told
from coordinator.domain.runs import Run
from coordinator.domain.sealing import Checkpoint
from coordinator.domain.slicing import (
    Inspection,
    Sliced,
    SliceWish,
    Verified,
)
from coordinator.domain.stock import MaterialProfile
from coordinator.ports_accounts import AccountUnit
from coordinator.ports_artifacts import ArtifactStore as ArtifactStore
from coordinator.ports_artifacts import StagedFile as StagedFile
from coordinator.ports_choices import ChoiceUnit
from coordinator.ports_enrolment import EnrolmentUnit
from coordinator.ports_generations import GenerationUnit
from coordinator.ports_library import LibraryUnit
from coordinator.ports_listing import Listing
from coordinator.ports_retention import RetentionUnit
from coordinator.ports_statistics import StatisticsUnit
from coordinator.ports_stock import StockUnit
from coordinator.ports_telling import TellingUnit
from coordinator.ports_updates import UpdatesUnit
from coordinator.ports_upkeep import UpkeepUnit
from protocols.wire.to_agent import Command, Desired, Scalar
from protocols.wire.vocabulary import AgentId, BedPolicy, Epoch, JobId, PrinterId, RunId


class Clock(Protocol):
    """Time."""

    def now(self) -> datetime:
        """Return the wall clock's time, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never jump."""


class Ids(Protocol):
    """Chance."""

    def new(self, prefix: str) -> str:
        """Return a fresh id, `job-01jc...`: sortable by time, fit for one level of a topic."""


class Unit(
    AccountUnit,
    Listing,
    TellingUnit,
    EnrolmentUnit,
    LibraryUnit,
    RetentionUnit,
    GenerationUnit,
    StockUnit,
    UpkeepUnit,
    StatisticsUnit,
    UpdatesUnit,
    ChoiceUnit,
    Protocol,
):
    """One transaction. What is saved is there for everybody or, after an error, for nobody."""

    async def job(self, job_id: JobId) -> Job | None:
        """Return one job."""

    async def jobs(self, states: Collection[JobState] | None = None) -> list[Job]:
        """Return the jobs in these states (all for None), in order of arrival."""

    async def jobs_wanting(self, *, offset: int, limit: int) -> list[Job]:
        """Return jobs that leases may be given for, by `planning.precedence`.

        Those are the open jobs that are approved, that nobody holds and whose runs bring fewer
        copies than are wanted; what failed, was revoked or discarded brings none.
        """

    async def queue(self) -> list[JobId]:
        """Return the jobs that runs are still to be leased for, by `planning.precedence`.

        Those are `jobs.QUEUED` and miss copies, as in `jobs_wanting`, held and unapproved ones too.
        """

    async def printers_insisted_on(self) -> set[PrinterId]:
        """Return the printers that open jobs name."""

    async def save_job(self, job: Job) -> None:
        """Insert or replace a job."""

    async def plates(self, job_id: JobId) -> list[Plate]:
        """Return a job's plates, made or not, by class."""

    async def plates_wanted(self) -> list[Plate]:
        """Return the plates that are to be sliced, by the precedence of their jobs, then by class.

        Those of jobs that have ended or are ending are not.
        """

    async def save_plate(self, plate: Plate) -> None:
        """Insert a plate, or replace the job's plate of the same printer class."""

    async def run(self, run_id: RunId) -> Run | None:
        """Return one run."""

    async def runs(
        self,
        *,
        job_id: JobId | None = None,
        printer_id: PrinterId | None = None,
        live: bool | None = None,
    ) -> list[Run]:
        """Return runs, oldest first; `live` keeps those that have not ended, or those that have."""

    async def timings(self, limit: int) -> list[Timing]:
        """Return how long the last finished runs took, those leased last first.

        Only runs whose agent measured them, of plates that foretell it.
        """

    async def save_run(self, run: Run) -> None:
        """Insert or replace a run."""

    async def printer(self, printer_id: PrinterId) -> Printer | None:
        """Return one printer."""

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
        """Return printers by id: of one agent, on line or not, with a lease or without; None: all.

        Args:
            bed, bed_policy: only with such a bed.
            retired: only those that are the farm's no more; None for them too.
            limit: the first so many.
        """

    async def save_printer(self, printer: Printer) -> None:
        """Insert or replace a printer, but for its epoch: only `raise_epoch` changes that."""

    async def raise_epoch(self, printer_id: PrinterId, *, expected: Epoch) -> bool:
        """Add one to the printer's epoch if it is as expected; tell whether it was."""

    async def agent(self, agent_id: AgentId) -> Agent | None:
        """Return one agent."""

    async def agents(self) -> list[Agent]:
        """Return all agents, by id."""

    async def save_agent(self, agent: Agent) -> None:
        """Insert or replace an agent."""

    async def artifact(self, sha256: str) -> Artifact | None:
        """Return what is known of an artifact."""

    async def artifacts(self) -> list[Artifact]:
        """Return what is known of all artifacts, those whose files were removed too, by age."""

    async def save_artifact(self, artifact: Artifact) -> None:
        """Insert an artifact; one that is known already stays as it is."""

    async def record(self, *events: FarmEvent) -> None:
        """Append to the history, each bound to the one before."""

    async def history(self, subject: str, subject_id: str) -> list[FarmEvent]:
        """Return what happened to one thing, oldest first."""

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
        """Return lines of history as they are stored, oldest first.

        Args:
            limit: how many at most: the first ones, or with `newest` the last ones.
            after: only what has a higher number.
            job_id: only what is about this job, its plates and its runs; `printer_id` alike.
            since: only what happened then or later.
            meant: what else is asked of them.
        """

    async def head(self) -> Head:
        """Return where the history ends, as it is kept beside the lines."""

    def rows(self) -> AsyncIterator[Sequence[tuple[Thing, Row]]]:
        """Yield every row of the tables that history tells of, as it would tell them, in pages."""

    async def checkpoint(self) -> Checkpoint | None:
        """Return what the history begins behind, None where it begins with its first line.

        Lines up to there may still be stored, for a while; they no longer count.
        """

    def kept_rows(self) -> AsyncIterator[Sequence[tuple[Thing, Told]]]:
        """Yield the rows at the checkpoint, in pages."""

    async def put_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Insert a checkpoint, behind all others; the rows at the one before are forgotten."""

    async def keep_rows(self, page: Sequence[tuple[Thing, Told]]) -> None:
        """Add rows to those at the checkpoint."""

    async def drop_sealed(self, limit: int) -> int:
        """Remove the oldest lines that the checkpoint covers; return how many there were."""

    async def mark_desired(self, printer_id: PrinterId) -> None:
        """Note in the outbox that a printer's desired document has to be said again."""

    async def outbox(self, limit: int) -> list[tuple[int, PrinterId]]:
        """Return the oldest notes: number and printer."""

    async def outbox_done(self, numbers: Sequence[int]) -> None:
        """Take notes off the outbox; newer ones of the same printers stay."""


class Store(Protocol):
    """The database: the farm's only truth."""

    def write(self) -> AbstractAsyncContextManager[Unit]:
        """Begin a transaction that no other writer overlaps; commit at the end of the block.

        Raises:
            Unavailable: locked by another program for longer than the patience, or disk full.
        """

    def read(self) -> AbstractAsyncContextManager[Unit]:
        """Begin a transaction that sees one state of things and saves nothing."""

    def scratch(self) -> AbstractContextManager[Rebuilt]:
        """Lend an empty place for what an audit rebuilds, which need not fit into memory."""

    async def snapshot(self, to: Path) -> None:
        """Write all that is stored, as it is at one moment, to a new file that SQLite reads.

        Others read and write meanwhile.

        Raises:
            Unavailable: the disk is full, or the database does not answer.
        """


# Told how far a slicing is, 0 to 1 and never back, and its stage in words.
Progress = Callable[[float, str], None]


class Slicer(Protocol):
    """Slicing, in a child process with limits on time and memory."""

    @property
    def trouble(self) -> str:
        """Why nothing can be sliced, as far as is known, and what to do; empty where it can."""

    async def probe(self) -> None:
        """Find out whether the slicer is there; `trouble` tells."""

    async def inspect(
        self,
        model: Path,
        *,
        printer_classes: Sequence[str],
        material: str,
        quality: str,
        overrides: Mapping[str, Scalar],
    ) -> Inspection:
        """Look at a model, and at what is wanted of it, before anything is stored.

        Args:
            model: the file; its suffix tells the format.
            printer_classes: for which beds; all known classes where it is empty.
            material: must be known, or empty; so must quality.
            overrides: settings of the slicer; each must be known.

        Raises:
            Refused: not a model, broken, too large for every bed, unknown material ...
            Unavailable: the slicer is missing, crashed or took too long.
        """

    async def materials(self) -> Sequence[MaterialProfile]:
        """Return the materials that profiles describe.

        Raises:
            Refused: a profile is wrong.
            Unavailable: the process crashed or took too long.
        """

    async def slice(self, wish: SliceWish, output: Path, progress: Progress) -> Sliced:
        """Make G-code at `output`, or nothing at all; who cancels it leaves no process behind.

        Raises:
            Refused: this model can't be sliced so.
            Unavailable: the slicer is missing, crashed or took too long.
        """

    async def verify(
        self, gcode: Path, *, printer_class: str, material: str, text: Path | None = None
    ) -> Verified:
        """Hold G-code against a class of printers; what forbids the print is a finding.

        Args:
            gcode: the file; its suffix tells the format.
            material: what it is to be printed with; empty where that is open.
            text: where the text of binary G-code is written.

        Raises:
            Refused: the class is unknown (`unknown_printer_class`), or the file can't be read.
            Unavailable: the process crashed or took too long.
        """


class AgentLink(Protocol):
    """The way to the agents."""

    @property
    def trouble(self) -> str:
        """Why no agent can be reached, and what to do; empty where the broker answers."""

    async def publish_desired(self, agent_id: AgentId, desired: Desired) -> None:
        """Say what is wanted, retained; returns once the broker has it.

        Raises:
            Unavailable: no connection to the broker.
        """

    async def forget_printer(self, agent_id: AgentId, printer_id: PrinterId) -> None:
        """Have the broker keep nothing of a printer any more.

        Raises:
            Unavailable: no connection to the broker.
        """

    async def forget_agent(self, agent_id: AgentId) -> None:
        """Have the broker keep nothing of an agent itself; `Unavailable` as above."""

    async def ask_again(self) -> None:
        """Have all agents present themselves and report anew, where the broker answers."""

    async def send_command(self, command: Command) -> None:
        """Say one command, not retained; returns once the broker has it.

        Raises:
            Unavailable: no connection to the broker.
        """
