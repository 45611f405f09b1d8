"""The paid call: said in the row before it is made, and its answer kept before anything else.

Between the two commits stands the call itself, once. Whoever dies there leaves SUBMITTING, which
`settle_orphan` turns into what the provider's offer says of a lost answer.
"""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from coordinator.domain import generating, results
from coordinator.domain.breaker import Call, Stand
from coordinator.domain.generating import Outcome
from coordinator.domain.generations import Generation, GenerationState, Parcel, require
from coordinator.domain.parcels import is_report, parcel_of, wanted_parcels
from coordinator.domain.plates import Artifact
from coordinator.domain.providing import (
    Blame,
    Cost,
    Handle,
    Look,
    Phase,
    ProviderFault,
    Submitted,
    Wish,
)
from coordinator.errors import FarmError, IllegalTransition, NotFound, Refused, Unavailable
from coordinator.usecases import generation_rows as rows
from coordinator.usecases.farm import Farm
from coordinator.usecases.fetching import LEFT_ALONE_S, no_mesh, store_data
from coordinator.usecases.generation_rows import change_if_possible
from coordinator.usecases.meshes import with_mesh
from coordinator.usecases.performing import writing
from coordinator.usecases.sources import Source
from coordinator.usecases.storing import let_go
from coordinator.usecases.tracing import traced
from coordinator.usecases.wishing import wish_of

log = structlog.get_logger(__name__)

ESTIMATE_S = 60.0
RECALL_S = 120.0
# What a call may take beyond the provider's patience before we hang up.
GRACE_S = 30.0


@traced
async def submit(farm: Farm, source: Source, generation: Generation) -> Generation:
    """Make the paid call for a generation that is WANTED, if that may be paid."""
    its_id = generation.generation_id
    if farm.clock.now() > generation.created_at + generating.WAITING:
        words = generation.waits or "it waited for a day in vain"
        return await _refuse(farm, its_id, ProviderFault(Blame.DEADLINE, "waited_too_long", words))
    try:
        wish = await with_mesh(farm, source.offer, await wish_of(farm, generation.asked))
    except NotFound as error:
        fault = ProviderFault(Blame.INVALID_INPUT, "input_gone", str(error))
        return await _refuse(farm, its_id, fault)
    except Refused as error:
        fault = ProviderFault(Blame.INVALID_INPUT, error.code, error.message, field="mesh_sha256")
        return await _refuse(farm, its_id, fault)
    except Unavailable as error:  # the workshop; perhaps because of this very mesh
        fault = ProviderFault(Blame.RETRY_SAFE, error.code, error.message)
        return await _put_off(farm, its_id, fault, source)
    if words := source.provider.objection(wish):
        return await _refuse(
            farm, its_id, ProviderFault(Blame.INVALID_INPUT, "wish_not_met", words)
        )
    host = source.host_of(wish)
    if host and source.stand(Call.SUBMIT, farm.clock, host) is Stand.OPEN:
        return await _leave_alone(farm, its_id, host)
    try:
        estimate = source.provider.estimate(wish)
        cost = await source.ask(Call.READ, farm.clock, estimate, ESTIMATE_S)
    except ProviderFault as fault:
        return await _put_off(farm, its_id, fault, source)
    said_s = farm.clock.monotonic()
    begun = await _begin(farm, source, generation, cost)
    if begun.state is not GenerationState.SUBMITTING:
        return begun
    if farm.clock.monotonic() - said_s > rows.LEASE_S / 2:
        # Frozen in between: somebody else may soon ask the provider what became of the call.
        late = ProviderFault(Blame.RETRY_SAFE, "too_late", "the coordinator was held up")
        return await _failed(farm, source, begun, late)
    return await _call(farm, source, begun, wish, host)


async def _leave_alone(farm: Farm, its_id: str, host: str) -> Generation:
    """Leave it WANTED while the server that it is about fails at everything."""

    def decide(known: Generation, now: datetime) -> Outcome:
        require(known, GenerationState.WANTED)
        words = f"{host} failed several times, and is left alone for a while"
        return Outcome(generation=replace(results.later(known, LEFT_ALONE_S, now), waits=words))

    return await change_if_possible(farm, its_id, decide)


async def _refuse(farm: Farm, its_id: str, fault: ProviderFault) -> Generation:
    def decide(known: Generation, now: datetime) -> Outcome:
        require(known, GenerationState.WANTED)
        return Outcome(generation=results.failed(known, fault, now))

    return await change_if_possible(farm, its_id, decide)


async def _put_off(farm: Farm, its_id: str, fault: ProviderFault, source: Source) -> Generation:
    """Leave it WANTED for a while, or refuse it: what it would cost was not told."""

    def decide(known: Generation, now: datetime) -> Outcome:
        begun = generating.begun(known, source.offer, now)
        lost = fault.blame in (Blame.PROTOCOL, Blame.SUBMIT_UNSURE, Blame.DEADLINE)
        blame = (
            Blame.RETRY_SAFE if lost else fault.blame
        )  # nothing was paid: it was only a question
        certain = ProviderFault(blame, fault.code, fault.message, fault.after_s)
        outcome = generating.submit_failed(begun, certain, source.offer, now)
        return Outcome(generation=outcome.generation)

    return await change_if_possible(farm, its_id, decide)


async def _begin(farm: Farm, source: Source, claimed: Generation, cost: Cost | None) -> Generation:
    """Say in the row that the call is made, and reserve its cost; or leave the row as it ends."""
    async with writing(farm, "farm", "generating") as transaction:
        unit = transaction.unit
        known = await rows.the_generation(unit, claimed.generation_id)
        if known.state is not GenerationState.WANTED or known.worker != claimed.worker:
            return known  # somebody cancelled it, or took it over
        if await unit.generations_at(source.name) >= source.at_once_max:
            outcome = Outcome(generation=generating.crowded(known, transaction.now))
        elif words := await rows.reserve(farm, unit, source, known, cost):
            fault = ProviderFault(Blame.QUOTA, "budget_spent", words)
            outcome = Outcome(generation=results.failed(known, fault, transaction.now))
        else:
            begun = generating.begun(known, source.offer, transaction.now)
            leased_until = transaction.now + timedelta(seconds=rows.LEASE_S)
            outcome = Outcome(generation=replace(begun, leased_until=leased_until))
        changed = await rows.put(transaction, known, outcome)
    rows.told(farm, changed)
    return changed


async def _call(farm: Farm, source: Source, begun: Generation, wish: Wish, host: str) -> Generation:
    its_id = begun.generation_id

    def told(progress: float | None, stage: str) -> None:
        farm.live.generating[its_id] = (progress, stage)
        farm.live.news.tell((("progress", its_id),))

    within_s = source.offer.patience_s + GRACE_S
    try:
        answer = source.provider.submit(wish, begun.key, told)
        submitted = await source.ask(Call.SUBMIT, farm.clock, answer, within_s, host=host)
    except ProviderFault as fault:
        # Whether the bytes went out is not known of a call that we gave up ourselves.
        lost = fault.code == "no_answer"
        real = ProviderFault(Blame.SUBMIT_UNSURE, fault.code, fault.message) if lost else fault
        return await _failed(farm, source, begun, real)
    finally:
        farm.live.generating.pop(its_id, None)
    return await keep_answer(farm, source, begun, submitted)


async def _failed(
    farm: Farm, source: Source, begun: Generation, fault: ProviderFault
) -> Generation:
    def decide(known: Generation, now: datetime) -> Outcome:
        if known.submitted_at != begun.submitted_at:  # another call is under way: not of this one
            raise IllegalTransition("generation", known.state, "fail of an earlier call")
        return generating.submit_failed(known, fault, source.offer, now)

    return await change_if_possible(farm, begun.generation_id, decide)


async def keep_answer(
    farm: Farm, source: Source, begun: Generation, submitted: Submitted
) -> Generation:
    """Keep a task's handle, and its result where it came along, in one transaction.

    What was paid for must not be lost: while the store can't be written, this goes on trying.
    """
    look, kept = submitted.look, list[Artifact]()
    fault: ProviderFault | None = None
    parcels: tuple[Parcel, ...] = ()
    if look is not None and look.phase is Phase.SUCCEEDED:
        wanted = wanted_parcels(look.pieces)
        try:
            if not wanted and not is_report(look):
                raise no_mesh(source)
            parcels = tuple(
                [
                    await store_data(farm, source, each, kept) if each.data else parcel_of(each)
                    for each in wanted
                ]
            )
        except ProviderFault as found:
            fault = found

    def decide(known: Generation, now: datetime) -> Outcome:
        if known.submits != begun.submits and known.state is not GenerationState.WANTED:
            raise IllegalTransition("generation", known.state, "start again")
        denied = known.state is GenerationState.WANTED
        known = generating.with_submits(known, begun)
        answered = _answered(known, submitted.handle, look, parcels, fault, source, now)
        return replace(answered, undenied=denied)

    try:
        return await _keep_patiently(farm, begun, submitted.handle, decide, kept)
    finally:
        for artifact in kept:
            await let_go(farm, artifact.sha256)


def _answered(
    known: Generation,
    handle: Handle,
    look: Look | None,
    parcels: tuple[Parcel, ...],
    fault: ProviderFault | None,
    source: Source,
    now: datetime,
) -> Outcome:
    offer = source.offer
    if look is not None and fault is None and (parcels or is_report(look)):
        return generating.delivered(known, handle, look, parcels, now)
    started = generating.started(known, handle, offer.look_every_s, now)
    if fault is not None and look is not None:
        charged = generating.charged_by(look)
        return generating.task_failed(started, fault, charged=charged, capped=False, now=now)
    if look is None or look.phase is Phase.UNKNOWN or started.cancel_wanted:
        return Outcome(generation=started)
    return generating.looked(started, look, offer, capped=is_capped(source, known), now=now)


async def _keep_patiently(
    farm: Farm,
    begun: Generation,
    handle: Handle,
    decide: rows.Change,
    kept: list[Artifact],
) -> Generation:
    tries = 0
    while True:
        try:
            return await rows.change(farm, begun.generation_id, decide, artifacts=kept)
        except IllegalTransition as error:
            log.error(
                "generation.answer_unused",
                generation_id=begun.generation_id,
                task_id=handle.task_id,
                reason=str(error),
            )
            async with farm.store.read() as unit:
                return await rows.the_generation(unit, begun.generation_id)
        except FarmError as error:
            tries += 1
            if tries == 1:
                log.error(
                    "generation.answer_waits",
                    generation_id=begun.generation_id,
                    task_id=handle.task_id,
                    reason=str(error),
                )
            await asyncio.sleep(min(tries, 10))


def is_capped(source: Source, generation: Generation) -> bool:
    """Whether it is said what all paid calls of a generation together may cost."""
    return generation.asked.cost_max is not None or source.budget.request is not None


async def settle_orphan(farm: Farm, source: Source, generation: Generation) -> Generation:
    """See to a SUBMITTING generation that nobody is at."""

    def decide(known: Generation, now: datetime) -> Outcome:
        if known.state is not GenerationState.SUBMITTING:
            return Outcome(generation=known)
        return generating.orphaned(known, source.offer, now)

    return await change_if_possible(farm, generation.generation_id, decide)


async def recall(farm: Farm, source: Source, generation: Generation) -> Generation:
    """Ask a provider for the task of an UNSURE generation."""
    its_id = generation.generation_id
    try:
        wish = await wish_of(farm, generation.asked)
        since = generation.submitted_at or generation.created_at
        asking = source.provider.recall(wish, generation.key, since)
        handle = await source.ask(Call.READ, farm.clock, asking, RECALL_S)
    except ProviderFault as error:
        fault = error
        return await change_if_possible(
            farm,
            its_id,
            lambda known, now: Outcome(
                generation=generating.recall_failed(known, fault, source.offer, now)
            ),
        )
    except NotFound:
        handle = None
    if handle is not None:
        async with farm.store.read() as unit:
            other = await unit.generation_of_task(source.name, handle.task_id)
        if other is not None and other.generation_id != its_id:
            handle = None  # two wishes may be alike: this task is another's
    found = handle

    def decide(known: Generation, now: datetime) -> Outcome:
        return Outcome(generation=generating.recalled(known, found, source.offer, now))

    return await change_if_possible(farm, its_id, decide)
