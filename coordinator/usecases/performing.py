"""Effects, performed: state row, event row and outbox note in one transaction, then the pokes."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, assert_never

import structlog

from coordinator.domain.accounts import ApiKey, KeyId, User, UserId
from coordinator.domain.effects import (
    Effect,
    Effects,
    Note,
    Poke,
    RaiseEpoch,
    Save,
    Say,
    Work,
    in_order,
)
from coordinator.domain.history import Row, Thing, Value, row_of, thing_of
from coordinator.domain.jobs import Job
from coordinator.domain.leases import Holding
from coordinator.domain.library import Model, ModelVersion, Project
from coordinator.domain.plates import Artifact, Plate
from coordinator.domain.printers import Agent, Printer, dated
from coordinator.domain.runs import Run, RunState
from coordinator.domain.stock import TAKES, Spool, draw, drawn_g
from coordinator.domain.telling import Act, things_of, told
from coordinator.domain.upkeep import Upkeep
from coordinator.errors import NotFound, NotNow
from coordinator.ports import Unit
from coordinator.usecases.farm import Farm
from protocols.wire.vocabulary import AgentId, JobId, PrinterId, RunId

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Writing:
    """A transaction in which decisions are carried out, by one actor at one time.

    Attributes:
        origin: the request, report, event or decision that led to it.
        names: what happened, as history calls it.
        turned: runs that took a turn, each with the ids that its line of the log is to carry.
        began: prints that began, each with its job where it is the first of it.
        took: grams of filament that prints took which ended, by printer and material.
    """

    unit: Unit
    now: datetime
    actor: str
    origin: str = ""
    due: set[Work] = field(default_factory=set)
    names: list[str] = field(default_factory=list)
    turned: list[tuple[Run, dict[str, Any]]] = field(default_factory=list)
    began: list[tuple[Run, Job | None]] = field(default_factory=list)
    took: list[tuple[PrinterId, str, float]] = field(default_factory=list)
    _rows: dict[Thing, Row | None] = field(default_factory=dict)

    @property
    def touched(self) -> Collection[Thing]:
        """What the decisions were about."""
        return self._rows.keys()

    async def perform(self, effects: Effects) -> None:
        """Do what was decided, in order; each change becomes one event of the history.

        Raises:
            NotNow: a printer's epoch was raised by somebody else; nothing is kept.
        """
        effects = await self._dated(effects)
        for thing in things_of(effects):
            if thing not in self._rows:
                value = await _stored(self.unit, thing)
                self._rows[thing] = row_of(value) if value is not None else None
        act = Act(actor=self.actor, origin=self.origin, at=self.now)
        events, after = told(effects, self._rows, act)
        for effect in in_order(effects):
            match effect:
                case RaiseEpoch():
                    await self._raise(effect)
                case Save():
                    await self._save(effect.value)
                case Note():
                    pass  # it is told with the change that it names
                case Say():
                    await self.unit.mark_desired(effect.printer_id)
                    self.due.add(Work.OUTBOX)
                case Poke():
                    self.due.add(effect.work)
                case _:
                    assert_never(effect)
        await self.unit.record(*events)
        self.names += (event.name for event in events)
        before, self._rows = self._rows, self._rows | after
        saved = (effect.value for effect in effects if isinstance(effect, Save))
        for run in {each.run_id: each for each in saved if isinstance(each, Run)}.values():
            known = before[thing_of(run)]
            if known is not None and known["state"] == run.state:
                continue
            self.turned.append((run, structlog.contextvars.get_contextvars()))
            if known is not None and known["started_at"] is None and run.started:
                self.began.append((run, await self._first_of(run)))
            if run.state in TAKES and known is not None:
                await self._draw(run)

    async def _dated(self, effects: Effects) -> Effects:
        """Return the effects with printers that tell since when they are what they are."""
        made: list[Effect] = []
        for effect in effects:
            if isinstance(effect, Save) and isinstance(effect.value, Printer):
                known = await self.unit.printer(effect.value.printer_id)
                made.append(Save(dated(effect.value, known, self.now)))
            else:
                made.append(effect)
        return tuple(made)

    async def _first_of(self, run: Run) -> Job | None:
        """Return a run's job where no other run of it ever began."""
        others = await self.unit.runs(job_id=run.job_id)
        if any(each.started_at is not None and each.run_id != run.run_id for each in others):
            return None
        return await self.unit.job(run.job_id)

    async def _draw(self, run: Run) -> None:
        """Take off its printer's spool what a run took that has ended with this."""
        plates = await self.unit.plates(run.job_id) if run.started_at is not None else []
        plate = next((each for each in plates if each.sha256 == run.plate_sha256), None)
        if plate is None or not (grams := drawn_g(run, plate)):
            return
        printer = await self.unit.printer(run.printer_id)
        material = plate.material or (printer.material if printer is not None else "")
        self.took.append((run.printer_id, material, grams))
        spool = await self.unit.spool(printer.spool_id) if printer and printer.spool_id else None
        if spool is not None:
            await self.perform(draw(spool, run, plate, self.now))

    async def _raise(self, effect: RaiseEpoch) -> None:
        if not await self.unit.raise_epoch(effect.printer_id, expected=effect.expected):
            raise NotNow(
                "epoch_raised", f"printer {effect.printer_id} was leased meanwhile; try again"
            )

    async def _save(self, value: Value) -> None:
        match value:
            case Job():
                await self.unit.save_job(value)
            case Run():
                await self.unit.save_run(value)
            case Printer():
                await self.unit.save_printer(value)
            case Agent():
                await self.unit.save_agent(value)
            case Plate():
                await self.unit.save_plate(value)
            case Artifact():
                await self.unit.save_artifact(value)
            case User():
                await self.unit.save_user(value)
            case ApiKey():
                await self.unit.save_key(value)
            case Project():
                await self.unit.save_project(value)
            case Model():
                await self.unit.save_model(value)
            case ModelVersion():
                await self.unit.add_model_version(value)
            case Spool():
                await self.unit.save_spool(value)
            case Upkeep():
                await self.unit.save_upkeep(value)
            case _:
                assert_never(value)


async def _stored(unit: Unit, thing: Thing) -> Value | None:
    """Return what a line of history about this thing is about, as it is stored now."""
    subject, subject_id = thing
    match subject:
        case "job":
            return await unit.job(JobId(subject_id))
        case "run":
            return await unit.run(RunId(subject_id))
        case "printer":
            return await unit.printer(PrinterId(subject_id))
        case "agent":
            return await unit.agent(AgentId(subject_id))
        case "plate":
            job_id, _, printer_class = subject_id.partition("/")
            plates = await unit.plates(JobId(job_id))
            return next((each for each in plates if each.printer_class == printer_class), None)
        case "user":
            return await unit.user(UserId(subject_id))
        case "key":
            return await unit.key(KeyId(subject_id))
        case "project":
            return await unit.project(subject_id)
        case "model":
            return await unit.model(subject_id)
        case "maintenance":
            return await unit.upkeep(subject_id)
        case "spool":
            return await unit.spool(subject_id)
        case "version":
            model_id, _, number = subject_id.rpartition("/")
            return await unit.model_version(model_id, int(number))
        case _:
            return await unit.artifact(subject_id)


@asynccontextmanager
async def writing(farm: Farm, actor: str, origin: str = "") -> AsyncIterator[Writing]:
    """Begin a transaction for decisions; after its commit the work that is due is poked."""
    with farm.tracer.span("write", actor=actor, origin=origin) as span:
        async with farm.store.write() as unit:
            transaction = Writing(unit, farm.clock.now(), actor, origin)
            yield transaction
        span.note(events=" ".join(transaction.names))
    _tell_turns(farm, transaction)
    _count(farm, transaction)
    if transaction.touched:
        farm.live.news.tell(transaction.touched)
    for work in sorted(transaction.due):
        farm.poke(work.value)


def _tell_turns(farm: Farm, transaction: Writing) -> None:
    """Have the log follow each run by name, as its agent's does, and tell of those that ended."""
    for run, about in transaction.turned:
        ids: dict[str, str | int] = {
            "agent_id": run.agent_id,
            "printer_id": run.printer_id,
            "job_id": run.job_id,
            "run_id": run.run_id,
            "epoch": run.epoch,
        }
        log.info(f"run.{run.state}", **about | ids)
        settled = run.state is not RunState.LOST  # else somebody will tell how it ended
        if settled and run.started_at is not None and run.ended_at is not None:
            ok, facts = run.state is RunState.FINISHED, ids | {"state": run.state.value}
            farm.tracer.spell("run", run.started_at, run.ended_at, ok, facts)


def _count(farm: Farm, transaction: Writing) -> None:
    counted = farm.live.counted
    for run, job in transaction.began:
        counted.began(run, job, transaction.now)
    for run, _ in transaction.turned:
        if not run.live:
            counted.ended(run, transaction.now)
    for took in transaction.took:
        counted.took(*took)


async def the_job(unit: Unit, job_id: JobId) -> Job:
    """Return a job.

    Raises:
        NotFound: there is none.
    """
    job = await unit.job(job_id)
    if job is None:
        raise NotFound("job", job_id)
    return job


async def the_printer(unit: Unit, printer_id: PrinterId) -> Printer:
    """Return a printer of the farm.

    Raises:
        NotFound: there is none, or it is retired.
    """
    printer = await unit.printer(printer_id)
    if printer is None or printer.retired_at is not None:
        raise NotFound("printer", printer_id)
    return printer


async def the_run(unit: Unit, run_id: RunId) -> Run:
    """Return a run.

    Raises:
        NotFound: there is none.
    """
    run = await unit.run(run_id)
    if run is None:
        raise NotFound("run", run_id)
    return run


async def staged_runs(unit: Unit, printer: Printer) -> list[Run]:
    """Return the runs that a printer holds in advance, in order."""
    return [await the_run(unit, run_id) for run_id in printer.staged]


async def holding_of(unit: Unit, printer: Printer, run_id: RunId | None = None) -> Holding:
    """Return a printer with a run and all that hangs on it.

    Args:
        run_id: which run; the one that holds the printer's lease for None.
    """
    wanted = printer.run_id if run_id is None else run_id
    run = await unit.run(wanted) if wanted is not None else None
    if run is None:
        return Holding(printer=printer)
    job = await unit.job(run.job_id)
    job_runs = tuple(await unit.runs(job_id=run.job_id))
    return Holding(printer=printer, run=run, job=job, job_runs=job_runs)
