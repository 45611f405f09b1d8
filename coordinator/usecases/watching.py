"""What somebody who looks on is told of jobs and history, little by little."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from coordinator.domain import copies, generations
from coordinator.domain.generations import Generation, GenerationState
from coordinator.domain.history import Line, Thing
from coordinator.domain.jobs import ENDED, Job, JobState
from coordinator.domain.listing import JobsWanted
from coordinator.ports import Unit
from coordinator.ports_generations import GenerationsWanted
from coordinator.usecases.farm import Farm
from protocols.wire.vocabulary import JobId, RunId

# Open jobs that are told of one by one, those that came first; the counts tell of all.
JOBS_MAX = 1000
# Lines of history that are told at once; who is further behind reads them as a list.
LINES_MAX = 200
# Open generations that are told of, the newest.
GENERATIONS_MAX = 200

_OPEN = frozenset(JobState) - frozenset(ENDED)
_OPEN_GENERATIONS = frozenset(GenerationState) - generations.ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class JobGlance:
    """A job, as a list of many shows it."""

    job: Job
    copies_finished: int
    copies_live: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What changed of jobs and history.

    Attributes:
        states: how many jobs are in each state now.
        number: the last line of the history; `lines` are those that are new, up to there.
    """

    jobs: tuple[JobGlance, ...]
    states: Mapping[JobState, int]
    lines: tuple[Line, ...] = ()
    number: int


async def glance_at_all(farm: Farm) -> Glance:
    """Return the open jobs, `JOBS_MAX` at most, and where the history ends."""
    async with farm.store.read() as unit:
        found = await unit.jobs_page(JobsWanted(states=_OPEN), after=None, limit=JOBS_MAX)
        jobs = []
        for job in found:
            jobs.append(await _glance(unit, job))
            await asyncio.sleep(0)  # a thousand are possible: others have their turn
        return Glance(
            jobs=tuple(jobs), states=await unit.job_states(), number=(await unit.head()).number
        )


async def glance_at(farm: Farm, things: Collection[Thing], after: int) -> Glance:
    """Return the jobs that these things are about, and the lines of history behind a number."""
    async with farm.store.read() as unit:
        found = [await unit.job(job_id) for job_id in sorted(await _jobs_of(unit, things))]
        jobs = [await _glance(unit, job) for job in found if job is not None]
        lines = await unit.events(after=after, limit=LINES_MAX)
        return Glance(
            jobs=tuple(jobs),
            states=await unit.job_states(),
            lines=tuple(lines),
            number=lines[-1].number if lines else after,
        )


async def open_generations(farm: Farm) -> list[Generation]:
    """Return the open generations, the newest first, `GENERATIONS_MAX` at most."""
    wanted = GenerationsWanted(states=_OPEN_GENERATIONS)
    async with farm.store.read() as unit:
        return await unit.generations_page(wanted, after=None, limit=GENERATIONS_MAX)


async def generations_of(farm: Farm, things: Collection[Thing]) -> list[Generation]:
    """Return the generations that these things are about."""
    ids = sorted({its_id for subject, its_id in things if subject == "generation"})
    if not ids:
        return []
    async with farm.store.read() as unit:
        found = [await unit.generation(its_id) for its_id in ids]
    return [each for each in found if each is not None]


async def _jobs_of(unit: Unit, things: Collection[Thing]) -> set[JobId]:
    found: set[JobId] = set()
    for subject, its_id in things:
        if subject == "job":
            found.add(JobId(its_id))
        elif subject == "plate":
            found.add(JobId(its_id.partition("/")[0]))
        elif subject == "run" and (run := await unit.run(RunId(its_id))) is not None:
            found.add(run.job_id)
    return found


async def _glance(unit: Unit, job: Job) -> JobGlance:
    count = copies.tally(job, await unit.runs(job_id=job.job_id))
    return JobGlance(job=job, copies_finished=count.finished, copies_live=count.live)
