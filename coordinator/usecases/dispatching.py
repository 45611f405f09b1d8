"""Leases given out, and desired documents said."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from types import MappingProxyType

from coordinator.domain import copies, leases, preparing
from coordinator.domain.desired import desired
from coordinator.domain.effects import Effects
from coordinator.domain.jobs import OPEN, Job
from coordinator.domain.leases import Holding
from coordinator.domain.matching import Obstacle, misfits, obstacles, unleasable, unready
from coordinator.domain.planning import Placement, Pool, Want
from coordinator.domain.plates import Plate, PlateState
from coordinator.domain.preparing import Target
from coordinator.domain.printers import Printer
from coordinator.domain.runs import Run, RunChange, RunState
from coordinator.domain.staging import stage, unstageable
from coordinator.errors import Unavailable
from coordinator.ports import Unit
from coordinator.usecases.beds import end_stale_claims
from coordinator.usecases.farm import Farm
from coordinator.usecases.performing import (
    Writing,
    holding_of,
    staged_runs,
    the_printer,
    writing,
)
from protocols.wire.vocabulary import BedPolicy, JobId, PrinterId, RunId

# Printers on which a run of a job ended like this are taken last for its other copies.
_WENT_WRONG = (RunState.FAILED, RunState.LOST, RunState.DISCARDED, RunState.REVOKED)

# How many jobs are read at once while there are free printers left.
_JOBS_AT_ONCE = 200

# After a start each document is due some times over: it is said once for all of them.
_NOTES_A_DOCUMENT = 10

_NOTHING: Mapping[JobId, int] = MappingProxyType({})

_Suitable = Callable[[Farm, Unit], Awaitable[list[Printer]]]
_Saying = Callable[[], Awaitable[None]]


async def dispatch_jobs(farm: Farm) -> int:
    """Lease free printers to jobs that want them; return how many leases were given.

    Where a printer's class has no plate of a model yet, that is asked for, and the printer waits.

    What was planned on one state of things is checked again in the transactions that lease, which
    are small, so that agents' messages get their turn between them.
    """
    await _revoke_expired(farm)
    await end_stale_claims(farm)
    given, size = 0, farm.policy.leases_per_commit
    promised = Counter[JobId]()  # copies that wait for a plate, with a free printer kept for them
    for suitable in (_free_printers, _stageable_printers):  # who is free comes first
        async with farm.store.read() as unit:
            placements = await _placements(farm, unit, suitable, promised)
        due = [each for each in placements if each.plate is None or _is_made(each.plate)]
        for first in range(0, len(due), size):
            async with writing(farm, "farm", "dispatch") as transaction:
                for placement in due[first : first + size]:
                    if placement.plate is None:
                        await _ask(transaction, placement)
                    else:
                        given += await _lease(farm, transaction, placement)
        for each in placements:
            if not _is_made(each.plate):
                promised[each.job.job_id] += each.copies
    return given


async def want_of(unit: Unit, job: Job, promised: Mapping[JobId, int] = _NOTHING) -> Want | None:
    """Return what a job wants of printers; None where it wants nothing more.

    Args:
        promised: copies that printers are kept for already.
    """
    job_runs, already = await unit.runs(job_id=job.job_id), promised.get(job.job_id, 0)
    if copies.tally(job, job_runs).wanted <= already:
        return None
    return want_from(job, job_runs, await unit.plates(job.job_id), already)


def want_from(
    job: Job, job_runs: Sequence[Run], plates: Iterable[Plate], promised: int = 0
) -> Want | None:
    """Return what a job wants of printers, by its runs and plates; as `want_of`."""
    wanted = copies.tally(job, job_runs).wanted - promised
    if wanted <= 0:
        return None
    avoid = frozenset(run.printer_id for run in job_runs if run.state in _WENT_WRONG)
    return Want(job=job, plates=tuple(plates), copies=wanted, avoid=avoid)


def _is_made(plate: Plate | None) -> bool:
    return plate is not None and plate.state is PlateState.MADE


async def _free_printers(farm: Farm, unit: Unit) -> list[Printer]:
    """Return the printers with nothing against a new lease."""
    return [
        printer
        for printer in await unit.printers(online=True, leased=False)
        if not unready(printer, None, draining=printer.agent_id in farm.live.draining)
    ]


async def _stageable_printers(farm: Farm, unit: Unit) -> list[Printer]:
    """Return the printers with nothing against one more lease in advance."""
    return [
        printer
        for printer in await unit.printers(leased=True, bed_policy=BedPolicy.SELF_CLEARING)
        if printer.agent_id not in farm.live.draining
        and not await _against_staging(farm, unit, printer)
    ]


async def _against_staging(farm: Farm, unit: Unit, printer: Printer) -> tuple[Obstacle, ...]:
    run = await unit.run(printer.run_id) if printer.run_id is not None else None
    staged = await staged_runs(unit, printer)
    return unstageable(printer, run, staged, farm.policy.leases_ahead)


async def _placements(
    farm: Farm, unit: Unit, suitable: _Suitable, promised: Mapping[JobId, int]
) -> list[Placement]:
    """Plan one lease for each suitable printer; none is looked for while no job wants one.

    Jobs are read in the order they are served, some at a time, until every printer is taken: a long
    queue is not read whole for a few printers.
    """
    jobs = await unit.jobs_wanting(offset=0, limit=_JOBS_AT_ONCE)
    free = await suitable(farm, unit) if jobs else []
    if not free:
        return []
    pool = Pool(free, await unit.printers_insisted_on())
    placements: list[Placement] = []
    offset = 0
    while jobs:
        for job in jobs:
            if not pool.left:
                return placements
            want = await want_of(unit, job, promised) if pool.may_suit(job) else None
            if want is not None:
                placements += pool.place(want)
        await asyncio.sleep(0)  # others have their turn
        offset += len(jobs)
        jobs = await unit.jobs_wanting(offset=offset, limit=_JOBS_AT_ONCE)
    return placements


async def _ask(transaction: Writing, placement: Placement) -> None:
    """Want a plate for a printer's class, unless the plan is out of date."""
    unit, printer = transaction.unit, placement.printer
    job = await unit.job(placement.job.job_id)
    if job is None or job.state not in OPEN:
        return
    if any(each.printer_class == printer.printer_class for each in await unit.plates(job.job_id)):
        return
    target = Target(printer.printer_class, job.material or printer.material)
    await transaction.perform(preparing.ask(job, target, f"{printer.printer_id} could print it"))


async def _lease(farm: Farm, transaction: Writing, placement: Placement) -> bool:
    """Give one lease, unless the plan is out of date; whether it was given."""
    unit, now, plate = transaction.unit, transaction.now, placement.plate
    assert plate is not None, "what nobody sliced is not leased"
    job = await unit.job(placement.job.job_id)
    printer = await unit.printer(placement.printer.printer_id)
    if job is None or unleasable(job) or printer is None:
        return False
    job_runs = await unit.runs(job_id=job.job_id)
    in_advance = placement.printer.run_id is not None
    draining = printer.agent_id in farm.live.draining
    if in_advance:
        against = (*misfits(job, [plate], printer), *await _against_staging(farm, unit, printer))
    else:
        against = obstacles(job, [plate], printer, None, draining=draining)
    if (in_advance and draining) or (not in_advance and printer.run_id is not None):
        return False
    if not copies.tally(job, job_runs).wanted or against:
        return False
    run_id = RunId(farm.ids.new("run"))
    give = stage if in_advance else leases.grant
    _, run, effects = give(printer, job, plate, run_id=run_id, now=now)
    _, followed = copies.follow(job, copies.with_run(job_runs, run), now)
    await transaction.perform((*effects, *followed))
    return True


async def _revoke_expired(farm: Farm) -> None:
    """Take back leases that an agent never asked a permit for and is not there to ask."""
    now = farm.clock.now()
    async with farm.store.read() as unit:
        if not await _expired(farm, unit, now):
            return
    async with writing(farm, "farm", "dispatch") as transaction:
        for holding in await _expired(farm, transaction.unit, now):
            # Another run of the same job may have been revoked a moment ago: look again.
            assert holding.run is not None, "what expires is a run's lease"
            printer = await the_printer(transaction.unit, holding.printer.printer_id)
            current = await holding_of(transaction.unit, printer, holding.run.run_id)
            await transaction.perform(_revoke(current, now))


def _revoke(holding: Holding, now: datetime) -> Effects:
    return leases.move(holding, RunChange.REVOKE, now, reason="its printer is offline")[1]


async def _expired(farm: Farm, unit: Unit, now: datetime) -> list[Holding]:
    """Return the leases that are to be taken back; after a start every printer is off line."""
    printers = await unit.printers(online=False, leased=True)
    if not printers:
        return []
    leased = {run.run_id: run for run in await unit.runs(live=True) if run.state is RunState.LEASED}
    if not leased:
        return []
    agents = {agent.agent_id: agent for agent in await unit.agents(retired=None)}
    found = []
    patience_s = farm.policy.lease_patience_s
    for printer in printers:
        assert printer.run_id is not None, "it was asked for with a lease"
        agent = agents.get(printer.agent_id)
        for run_id in (printer.run_id, *printer.staged):
            run = leased.get(run_id)
            if run is None or agent is None:
                continue
            offline_s = (now - max(run.leased_at, agent.seen_at)).total_seconds()
            if leases.expired(printer, run, offline_s=offline_s, patience_s=patience_s):
                found.append(Holding(printer=printer, run=run))
    return found


async def flush_outbox(farm: Farm) -> int:
    """Say every desired document that has changed, as it is now; return how many were said.

    A document is taken off the outbox after the broker has it, so that it may be said twice but
    never not at all. Without a broker all stay, for the next time.
    """
    said = 0
    async with farm.live.flushing_now:
        while True:
            async with farm.store.read() as unit:
                notes = await unit.outbox(_NOTES_A_DOCUMENT * farm.policy.documents_per_flush)
                farm.live.outbox_age_s(notes[0][0] if notes else None, farm.clock.monotonic())
                if not notes or farm.link.trouble:
                    return said
                its_turn = dict.fromkeys(printer_id for _, printer_id in notes)
                meant = set(islice(its_turn, farm.policy.documents_per_flush))
                sayings = [
                    saying
                    for printer_id in its_turn
                    if printer_id in meant
                    for saying in await _sayings(farm, unit, printer_id)
                ]
            # All at once, for each waits for the broker's answer; no two are of one printer.
            answers = await asyncio.gather(
                *(saying() for saying in sayings),
                return_exceptions=True,
            )
            said += sum(answer is None for answer in answers)
            for answer in answers:
                if isinstance(answer, Unavailable):
                    return said  # the link tells the loss of the broker, and its return
                if answer is not None:
                    raise answer
            async with farm.store.write() as unit:
                done = [number for number, printer_id in notes if printer_id in meant]
                await unit.outbox_done(done)


async def _sayings(farm: Farm, unit: Unit, printer_id: PrinterId) -> list[_Saying]:
    """Return what says the printer's document; of a retired one that nothing is wanted of it."""
    printer = await unit.printer(printer_id)
    if printer is None:
        return []
    if printer.retired_at is not None:
        return [partial(farm.link.forget_printer, printer.agent_id, printer_id)]
    run = await unit.run(printer.run_id) if printer.run_id is not None else None
    document = desired(
        printer,
        run,
        await _plate_of(unit, run) if run is not None else None,
        artifact_path=farm.policy.artifact_path,
        staged=[(each, await _plate_of(unit, each)) for each in await staged_runs(unit, printer)],
    )
    return [partial(farm.link.publish_desired, printer.agent_id, document)]


async def _plate_of(unit: Unit, run: Run) -> Plate | None:
    for plate in await unit.plates(run.job_id):
        if plate.sha256 == run.plate_sha256:
            return plate
    return None
