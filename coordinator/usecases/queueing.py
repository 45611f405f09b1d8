"""Jobs moved to another place in the queue, and ordered once more."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from coordinator.domain import turns
from coordinator.domain.effects import Effects, Note, Poke, Save, Work
from coordinator.domain.jobs import Job, JobEvent, advance, once_more
from coordinator.domain.plates import Plate, made_of
from coordinator.errors import NotNow, Refused
from coordinator.ports import Unit
from coordinator.usecases.farm import Farm
from coordinator.usecases.performing import the_job, writing
from coordinator.usecases.quotas import check_quota
from coordinator.usecases.storing import held
from coordinator.usecases.tracing import traced
from protocols.wire.to_agent import Scalar
from protocols.wire.vocabulary import JobId


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a job is put; one of the three is said.

    Attributes:
        to: its number in the queue, 1 for the first; more than there are is the end.
    """

    to: int | None = None
    before: JobId | None = None
    after: JobId | None = None


@traced
async def move_job(farm: Farm, job_id: JobId, place: Place, actor: str, origin: str = "") -> Job:
    """Put a job at another place in the queue; between jobs of other priorities it gets theirs.

    Raises:
        NotFound: there is no such job.
        NotNow: `job_not_queued`, it or the job beside which it is put has ended, or all its copies
            have printers.
    """
    async with writing(farm, actor, origin) as transaction:
        unit = transaction.unit
        job = await the_job(unit, job_id)
        queue = await unit.queue()
        await _must_be_queued(unit, queue, job_id)
        others = [each for each in queue if each != job_id]
        index = await _index(unit, others, place)
        ahead = await unit.job(others[index - 1]) if index else None
        behind = await _jobs(unit, others[index : index + 1])
        places = turns.put(job, ahead, behind)
        if len(places) > 1:  # there is no room: who is pushed may push others
            places = turns.put(job, ahead, await _jobs(unit, others[index:]))
        await transaction.perform(turns.moved(places, job, transaction.now))
        return await the_job(unit, job_id)


async def _index(unit: Unit, others: Sequence[JobId], place: Place) -> int:
    """Return how many of the others are before a place."""
    if place.to is not None:
        return min(place.to - 1, len(others))
    beside = place.before or place.after
    assert beside is not None, "a place is said in one of three ways"
    await _must_be_queued(unit, others, beside)
    return others.index(beside) + (1 if place.before is None else 0)


async def _must_be_queued(unit: Unit, queue: Sequence[JobId], job_id: JobId) -> None:
    if job_id in queue:
        return
    job = await the_job(unit, job_id)
    raise NotNow("job_not_queued", f"job {job_id} is {job.state}: it has no place in the queue")


async def _jobs(unit: Unit, ids: Sequence[JobId]) -> list[Job]:
    return [await the_job(unit, each) for each in ids]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """What of a job's order is said anew when it is ordered once more.

    Attributes:
        job_id: what the new job is to be called.
        copies: as many as before for None.
        approved: who orders may also approve; else the farm's policy says whether it has to wait.
    """

    job_id: JobId
    copies: int | None = None
    owner: str = ""
    approved: bool = False


async def repeat_job(
    farm: Farm, job_id: JobId, repeat: Repeat, actor: str, origin: str = ""
) -> Job:
    """Order once more what a job was ordered for; the new job has no due date.

    Raises:
        NotFound: there is no such job.
        NotNow: `job_files_gone`, what it was printed of was removed.
        Refused: too many copies, or beyond the owner's quota.
    """
    copies_max = farm.policy.copies_max
    if repeat.copies is not None and not 1 <= repeat.copies <= copies_max:
        raise Refused("copies_out_of_range", f"copies must be 1 to {copies_max}")
    async with farm.store.read() as unit:
        known = await the_job(unit, job_id)
        plates = made_of(await unit.plates(job_id)) if known.model_sha256 is None else ()
    hashes = [known.model_sha256] if known.model_sha256 else [plate.sha256 for plate in plates]
    async with held(farm, hashes):
        for sha256 in hashes:
            if await farm.artifacts.size(sha256) is None:
                raise NotNow(
                    "job_files_gone", f"the file of {known.name} was removed: send it again"
                )
        return await _store(farm, known, plates, repeat, actor, origin)


async def _store(
    farm: Farm, known: Job, plates: Sequence[Plate], repeat: Repeat, actor: str, origin: str
) -> Job:
    async with writing(farm, actor, origin) as transaction:
        owner, now = repeat.owner or actor, transaction.now
        await check_quota(transaction.unit, owner, now, None)
        job = replace(
            once_more(known, repeat.job_id, now),
            copies=repeat.copies or known.copies,
            owner=owner,
            approved=repeat.approved or not farm.policy.approval,
            retries_max=farm.policy.retries_max,
        )
        facts: dict[str, Scalar] = {"copies": job.copies, "again": known.job_id}
        note = Note(subject="job", subject_id=job.job_id, name="job.received", facts=facts)
        effects: Effects = (Save(job), note, Poke(Work.PREPARE))
        if plates:
            job, more = advance(job, JobEvent.READY, now)
            given = tuple(Save(replace(plate, job_id=job.job_id)) for plate in plates)
            effects += (*given, *more, Poke(Work.DISPATCH))
        await transaction.perform(effects)
    return job
