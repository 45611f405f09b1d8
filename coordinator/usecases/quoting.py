"""What a request would cost, and whether it may: told before it is made, and reserving nothing."""

from dataclasses import dataclass

from coordinator.domain import ledger
from coordinator.domain.breaker import Call
from coordinator.domain.generations import Generation
from coordinator.domain.ledger import Limit, Spent
from coordinator.domain.providing import Cost, ProviderFault
from coordinator.errors import Unavailable
from coordinator.usecases.farm import Farm
from coordinator.usecases.generating import Wanted, check, source_of
from coordinator.usecases.generation_rows import spent_so_far
from coordinator.usecases.sources import Source
from coordinator.usecases.submitting import ESTIMATE_S
from coordinator.usecases.wishing import fingerprint_of, wish_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a request would cost now.

    Attributes:
        cost: None where it costs nothing.
        limits: what may be spent, and what is spent already; only those that there are.
        objection: why it would not be paid; empty where it would.
        like: what the same request brought before, which `reuse` would answer with; None where
            there is nothing.
    """

    source: Source
    cost: Cost | None
    limits: tuple[Limit, ...] = ()
    objection: str = ""
    like: Generation | None = None


async def quote(farm: Farm, wanted: Wanted) -> Quote:
    """Return what a request would cost; nothing is stored, and nothing paid.

    Raises:
        NotFound, Refused: as `generating.want`.
        Unavailable: its provider does not tell.
    """
    asked = wanted.asked
    source = source_of(farm, wanted.provider, asked.kind)
    await check(farm, source, wanted)
    try:
        estimate = source.provider.estimate(await wish_of(farm, asked))
        cost = await source.ask(Call.READ, farm.clock, estimate, ESTIMATE_S)
    except ProviderFault as fault:
        raise Unavailable("no_estimate", fault.message) from fault
    async with farm.store.read() as unit:
        like = await unit.generation_like(fingerprint_of(source, asked))
        if cost is None:
            return Quote(source=source, cost=None, like=like)
        day, owner = ledger.day_of(farm.clock.now()), wanted.owner or wanted.actor
        spent: Spent = await spent_so_far(unit, day, cost.unit, source.name, owner)
    limits = ledger.limits(
        cost.unit,
        spent,
        budget=source.budget,
        purse=farm.sources.purse,
        cost_max=asked.cost_max,
    )
    words = ledger.objection(ledger.rounded(cost.amount), cost.unit, limits)
    return Quote(source=source, cost=cost, limits=limits, objection=words, like=like)
