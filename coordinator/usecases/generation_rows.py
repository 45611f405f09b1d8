"""A generation's row changed: the row, its costs and its line of history in one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import structlog

from coordinator.domain import ledger
from coordinator.domain.effects import Note, Save
from coordinator.domain.generating import Outcome
from coordinator.domain.generations import Generation, GenerationState
from coordinator.domain.ledger import Entry, Spent
from coordinator.domain.plates import Artifact
from coordinator.domain.providing import Again, Cost
from coordinator.errors import IllegalTransition, NotFound
from coordinator.ports import Unit
from coordinator.usecases.farm import Farm
from coordinator.usecases.performing import Writing, writing
from coordinator.usecases.sources import Source
from protocols.wire.to_agent import Scalar

log = structlog.get_logger(__name__)

# What is poked when a generation may have something to do.
WORK = "generate"
# How long a row is its worker's without a further word.
LEASE_S = 60.0

Change = Callable[[Generation, datetime], Outcome]


async def the_generation(unit: Unit, generation_id: str) -> Generation:
    """Return a generation.

    Raises:
        NotFound: there is none.
    """
    found = await unit.generation(generation_id)
    if found is None:
        raise NotFound("generation", generation_id)
    return found


async def change(
    farm: Farm,
    generation_id: str,
    decide: Change,
    *,
    artifacts: Sequence[Artifact] = (),
    actor: str = "farm",
    origin: str = "generating",
) -> Generation:
    """Change a generation as it is now; return what it became.

    Args:
        artifacts: stored along with it; their bytes are kept already.

    Raises:
        NotFound: there is none.
        IllegalTransition: it is no longer where this can happen.
    """
    async with writing(farm, actor, origin) as transaction:
        known = await the_generation(transaction.unit, generation_id)
        outcome = decide(known, transaction.now)
        await transaction.perform(tuple(Save(each) for each in artifacts))
        changed = await put(transaction, known, outcome)
    told(farm, changed)
    return changed


async def change_if_possible(
    farm: Farm, generation_id: str, decide: Change, artifacts: Sequence[Artifact] = ()
) -> Generation:
    """Change a generation, or leave it: somebody ended it, or took it over, meanwhile."""
    try:
        return await change(farm, generation_id, decide, artifacts=artifacts)
    except IllegalTransition as error:
        log.info("generation.overtaken", generation_id=generation_id, reason=str(error))
        async with farm.store.read() as unit:
            return await the_generation(unit, generation_id)


async def put(transaction: Writing, known: Generation | None, outcome: Outcome) -> Generation:
    """Save a generation and what its present call was found to cost; tell of a new state."""
    generation = outcome.generation
    if known is not None and known.ended:
        raise IllegalTransition("generation", known.state, "change")
    before, its_id = known.version if known is not None else 0, generation.generation_id
    generation = replace(generation, version=before + 1, updated_at=transaction.now)
    if not _goes_on(generation, transaction.now):
        generation = replace(generation, worker="", leased_until=None)
    await transaction.unit.save_generation(generation)
    if known is not None and (outcome.charged is not None or outcome.undenied):
        submit = max(known.submits, generation.submits)
        await _charge(transaction.unit, its_id, submit, outcome.charged)
    if known is None or known.state is not generation.state:
        await transaction.perform((_note(generation),))
        log.info(
            "generation.moved",
            generation_id=generation.generation_id,
            state=generation.state.value,
            provider=generation.provider,
        )
    return generation


def told(farm: Farm, generation: Generation) -> None:
    """After the commit: tell who looks on, and have what is due done."""
    farm.live.news.tell((("generation", generation.generation_id),))
    farm.poke(WORK)


def _goes_on(generation: Generation, now: datetime) -> bool:
    """Whether who works on it has something more to do at once."""
    return generation.next_at is not None and generation.next_at <= now and not generation.ended


def _note(generation: Generation) -> Note:
    trouble = generation.trouble
    facts: dict[str, Scalar] = {"provider": generation.provider, "owner": generation.owner}
    if generation.state is GenerationState.WANTED:
        facts["kind"] = generation.asked.kind.value
        facts["name"] = generation.asked.name
    if generation.handle is not None:
        facts["task_id"] = generation.handle.task_id
    if trouble is not None and generation.state is not GenerationState.DONE:
        facts |= {"code": trouble.code, "blame": trouble.blame.value}
    for model_id, number in generation.versions[:1]:
        facts |= {"model_id": model_id, "version": number}
    if generation.job_ids:
        facts["job_id"] = generation.job_ids[0]
    return Note(
        subject="generation",
        subject_id=generation.generation_id,
        name=f"generation.{generation.state.value}",
        cause=trouble.message if trouble is not None and "code" in facts else "",
        facts=facts,
    )


async def _charge(unit: Unit, its_id: str, submit: int, charged: Decimal | None) -> None:
    """Write down what a generation's present call was charged, where anything was reserved."""
    for entry in await unit.entries(its_id):
        if entry.submit == submit:
            before = entry.reserved - entry.estimated
            known = None if charged is None else before + ledger.rounded(charged)
            await unit.save_entry(replace(entry, charged=known))


async def reserve(
    farm: Farm, unit: Unit, source: Source, generation: Generation, cost: Cost | None
) -> str:
    """Reserve what the next paid call will cost; return why it must not be paid, else nothing."""
    if cost is None or generation.doubtful:
        return ""  # it is reserved already, and may be paid
    day, amount = ledger.day_of(farm.clock.now()), ledger.rounded(cost.amount)
    submit, entries = generation.submits + 1, await unit.entries(generation.generation_id)
    own = next((each for each in entries if each.submit == submit), None)
    # The same call, said again: under its key it is one, else both may have been charged.
    twice = source.offer.again is Again.COSTS_ONLY
    before = own.spent if own is not None and twice else Decimal(0)
    spent = await spent_so_far(unit, day, cost.unit, source.name, generation.owner, entries, own)
    limits = ledger.limits(
        cost.unit,
        spent,
        budget=source.budget,
        purse=farm.sources.purse,
        cost_max=generation.asked.cost_max,
    )
    words = ledger.objection(amount + before, cost.unit, limits)
    if not words:
        entry = Entry(
            generation_id=generation.generation_id,
            submit=submit,
            provider=source.name,
            owner=generation.owner,
            unit=cost.unit,
            day=day,
            estimated=amount,
            reserved=amount + before,
        )
        await unit.save_entry(entry)
    return words


async def spent_so_far(
    unit: Unit,
    day: date,
    money: str,
    provider: str,
    owner: str,
    entries: Sequence[Entry] = (),
    own: Entry | None = None,
) -> Spent:
    """Return what is spent but for one entry, which is made anew.

    Args:
        entries: of the generation that is asked about.
    """
    held = own.spent if own is not None and (own.day, own.unit) == (day, money) else Decimal(0)
    others = (each.spent for each in entries if each is not own and each.unit == money)
    return Spent(
        request=sum(others, Decimal(0)),
        provider_day=await unit.spent(day, unit=money, provider=provider) - held,
        provider_user_day=(
            await unit.spent(day, unit=money, provider=provider, owner=owner) - held
        ),
        day=await unit.spent(day, unit=money) - held,
        user_day=await unit.spent(day, unit=money, owner=owner) - held,
    )
