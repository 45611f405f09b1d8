"""Jobs become ready: for which classes of printers their models can be sliced is found out."""

from coordinator.domain import preparing
from coordinator.domain.jobs import JobState
from coordinator.usecases.farm import Farm
from coordinator.usecases.performing import the_job, writing
from protocols.wire.vocabulary import JobId


async def prepare_jobs(farm: Farm) -> int:
    """Make jobs ready that wait for it, or say what they wait for; return how many were."""
    async with farm.store.read() as unit:
        waiting = await unit.jobs((JobState.RECEIVED,))
        if not waiting:
            return 0
        # Most wait for a printer or a material: what they wait for was said, and is not said again.
        printers = await unit.printers()
        due = [job for job in waiting if preparing.begin(job, printers, job.updated_at)]
    return sum([await _prepare(farm, job.job_id) for job in due])


async def _prepare(farm: Farm, job_id: JobId) -> bool:
    """Make one job ready; whether it is."""
    async with writing(farm, "farm", "preparing") as transaction:
        job = await the_job(transaction.unit, job_id)
        if job.state is not JobState.RECEIVED:
            return False
        printers = await transaction.unit.printers()
        await transaction.perform(preparing.begin(job, printers, transaction.now))
        return (await the_job(transaction.unit, job_id)).state is JobState.READY
