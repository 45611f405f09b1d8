"""The judge: what physically happened, held against the promises.

It sees every physical start as it happens, and every committed transaction. It never asks the
farm's own opinion of what a printer did.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from coordinator.domain.jobs import ENDED, JobState
from coordinator.domain.plates import PlateState
from coordinator.domain.rebuilding import Audit
from coordinator.domain.runs import Run, RunState
from protocols.wire.vocabulary import JobId, PrinterId, RunId
from tests.fakes.memory_store import Tables
from tests.simulation.card import Card
from tests.simulation.world import World

# A run in one of these is said to be over: nobody may start it any more.
_OVER = (
    RunState.REVOKED,
    RunState.STOPPED,
    RunState.FAILED,
    RunState.FINISHED,
    RunState.DISCARDED,
)


class Fate(StrEnum):
    """What became of a print, physically."""

    PRINTING = "printing"
    PAUSED = "paused"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"

    @property
    def goes_on(self) -> bool:
        """Whether it is on a printer and not over."""
        return self in (Fate.PRINTING, Fate.PAUSED)


@dataclass(eq=False)
class Print:
    """One physical print; `run_id` is None for somebody else's."""

    run_id: RunId | None
    left_s: float
    fate: Fate = Fate.PRINTING
    fed_since_s: float | None = None


@dataclass(eq=False)
class Judge:
    """Keeps the truth.

    Attributes:
        prints: what was started, by run.
        ordered: every job whose order was committed.
        cancelled: the jobs that a person cancelled.
        applied: the highest event number ever applied, of a printer and journal.
        audit: reads the history as it is committed.
        stored: the files in the store of the farm.
        made_for: plate -> the class of printers that it was sliced for; not those given ready.
    """

    world: World
    prints: dict[RunId, Print] = field(default_factory=dict)
    ordered: set[JobId] = field(default_factory=set)
    cancelled: set[JobId] = field(default_factory=set)
    tables: Tables = field(default_factory=Tables)
    applied: dict[tuple[PrinterId, str], int] = field(default_factory=dict)
    audit: Audit = field(default_factory=Audit)
    made_for: dict[str, str] = field(default_factory=dict)
    stored: set[str] = field(default_factory=set)

    def begins(
        self, made: Print, where: str, on_bed: list[str], *, printer_class: str, sha256: str
    ) -> None:
        """Look at a physical start, as it happens: of which plate, on a printer of which class."""
        run_id = made.run_id
        assert run_id is not None, "only our runs are judged"
        self.world.tell(f"** {where} physically starts {run_id}")
        if run_id in self.prints:
            self.world.violated(f"double start: {run_id} starts again, on {where}")
        if on_bed:
            self.world.violated(f"bed not clear: {run_id} starts on {where} over {on_bed[-1]}")
        run = self.tables.runs.get(run_id)
        if run is None:
            self.world.violated(f"phantom: {run_id} starts on {where}, and nobody leased it")
        else:
            self._look_at(run, where)
            if run.plate_sha256 != sha256:
                self.world.violated(f"another plate: {run_id} prints {sha256}")
        meant_for = self.made_for.get(sha256, printer_class)
        if meant_for != printer_class:
            self.world.violated(
                f"class: {run_id} was sliced for {meant_for}, and starts on {where}"
            )
        if sha256 in self.made_for:
            self.world.figures["starts of plates that were sliced"] += 1
        self.prints[run_id] = made

    def _look_at(self, run: Run, where: str) -> None:
        if where.removesuffix("-twin") != run.printer_id:
            self.world.violated(f"elsewhere: {run.run_id} of {run.printer_id} starts on {where}")
        printer = self.tables.printers[run.printer_id]
        if run.run_id in printer.staged:
            self.world.figures["starts in advance, unheard"] += 1
        if run.state in _OVER:
            self.world.violated(f"start after the end: {run.run_id} starts, but is {run.state}")
        job = self.tables.jobs[run.job_id]
        if job.state in ENDED and run.state is not RunState.LOST:
            self.world.violated(f"start after the end: {run.run_id} of {job.job_id}, {job.state}")
        if self._copies(job.job_id) >= job.copies:
            self.world.violated(
                f"one copy too many: {run.run_id} starts on {where}, but {job.job_id} has its"
                f" {job.copies} printed or printing"
            )

    def _copies(self, job_id: JobId) -> int:
        """Return how many copies of a job lie on beds or come into being."""
        return sum(
            made.fate.goes_on or made.fate is Fate.FINISHED
            for run_id, made in self.prints.items()
            if self.tables.runs[run_id].job_id == job_id
        )

    def finished(self, run_id: RunId) -> bool:
        """Whether it was physically printed to its end."""
        made = self.prints.get(run_id)
        return made is not None and made.fate is Fate.FINISHED

    def goes_on(self, run_id: RunId) -> bool:
        """Whether it prints, or stands still half printed."""
        made = self.prints.get(run_id)
        return made is not None and made.fate.goes_on

    def committed(self, before: Tables, after: Tables) -> None:
        """Look at what a transaction changed."""
        self.tables = after
        for line in after.lines[self.audit.head.number :]:
            self.audit.take(line)
        for name, printer in after.printers.items():
            known = before.printers.get(name)
            if known is printer or known is None:
                continue
            if printer.epoch < known.epoch or printer.revision < known.revision:
                self.world.violated(f"fence: the epoch or revision of {name} falls")
            same = known.journal_id == printer.journal_id
            applied = printer.events_applied - known.events_applied
            most = self.applied.get((name, str(printer.journal_id)), 0)
            if same and applied not in (0, 1) and printer.events_applied > most:
                self.world.violated(f"events: {name} applies {applied} at once")
            self.applied[name, str(printer.journal_id)] = max(most, printer.events_applied)
            if len(printer.staged) > len(known.staged):
                self.world.figures["leases handed over in advance"] += 1
        if after.runs != before.runs or after.printers != before.printers:
            self._live_runs(after)

    def _live_runs(self, tables: Tables) -> None:
        """Every run that lives holds its printer, and a printer is held by one that lives."""
        held = {
            run_id: name
            for name, printer in tables.printers.items()
            for run_id in (printer.run_id, *printer.staged)
        }
        for run in tables.runs.values():
            if run.live and held.get(run.run_id) != run.printer_id:
                self.world.violated(f"orphan: {run.run_id} is {run.state} and holds no printer")
        for run_id, name in held.items():
            if run_id is not None and not tables.runs[run_id].live:
                self.world.violated(f"orphan: {name} is held by {run_id}, which has ended")

    def at_the_end(self, cards: dict[PrinterId, Card]) -> None:
        """Hold all that is stored against the truth, when everything is quiet."""
        self.audit.compare(self.tables.rows().items())
        self.audit.compare_rest()
        for fault in self.audit.faults:
            self.world.violated(f"audit: {fault.words}")
        for job_id in sorted(self.ordered):
            self._judge_job(job_id)
        for plate in self.tables.plates.values():
            if plate.sha256 in self.made_for and plate.sha256 not in self.stored:
                self.world.violated(f"gone: the plate of {plate.job_id} for {plate.printer_class}")
        for run in self.tables.runs.values():
            self._judge_run(run)
        for name, printer in self.tables.printers.items():
            card = cards[name]
            memory = card.written.memories.get(name)
            if memory is None or printer.journal_id != card.journal_id:
                continue
            if printer.events_applied != memory.events_stored:
                self.world.violated(
                    f"events: {name} has {memory.events_stored},"
                    f" and {printer.events_applied} were applied"
                )

    def _judge_job(self, job_id: JobId) -> None:
        job = self.tables.jobs.get(job_id)
        if job is None:
            self.world.violated(f"lost job: {job_id} is gone")
            return
        runs = [run for run in self.tables.runs.values() if run.job_id == job_id]
        done = sum(self.finished(run.run_id) for run in runs)
        if job.state not in ENDED:
            self.world.violated(f"stuck: {job_id} stays {job.state} with {done} copies")
        elif done > job.copies or (job.state is JobState.FINISHED and done != job.copies):
            self.world.violated(f"copies: {job_id} is {job.state}, {done} of {job.copies} printed")
        elif job.state is JobState.CANCELLED and job_id not in self.cancelled:
            self.world.violated(f"lost job: {job_id} is cancelled, and nobody did that")
        elif job.state is JobState.FAILED and not self._refused(job_id):
            failed = sum(run.state is RunState.FAILED for run in runs)
            if failed <= job.retries_max and not any(r.state is RunState.STOPPED for r in runs):
                self.world.violated(f"lost job: {job_id} failed after {failed} failed runs")

    def _refused(self, job_id: JobId) -> bool:
        """Whether no class of printers can have its model."""
        plates = [each for (owner, _), each in self.tables.plates.items() if owner == job_id]
        return bool(plates) and all(each.state is PlateState.REFUSED for each in plates)

    def _judge_run(self, run: Run) -> None:
        if run.live:
            self.world.violated(f"stuck: {run.run_id} stays {run.state}")
        made = self.prints.get(run.run_id)
        if run.state is RunState.REVOKED and made is not None:
            self.world.violated(f"history: {run.run_id} is revoked, but it started")
        settled = run.state in (RunState.FINISHED, RunState.FAILED, RunState.STOPPED)
        if settled and (run.state is RunState.FINISHED) != self.finished(run.run_id):
            truth = made.fate if made is not None else "never started"
            self.world.violated(f"history: {run.run_id} is {run.state}, but {truth}")
