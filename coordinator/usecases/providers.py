"""Providers as people see them: what they take, how they stand, what was spent on them today."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from coordinator.domain import ledger
from coordinator.domain.breaker import Call, Stand
from coordinator.domain.providing import Health, ProviderFault
from coordinator.ports import Unit
from coordinator.usecases.farm import Farm
from coordinator.usecases.sources import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderView:
    """A provider as it stands.

    Attributes:
        running: how many of its places are taken.
        trouble: as `Source.trouble`.
        spent: today (UTC), by unit.
    """

    source: Source
    running: int
    calls: Mapping[Call, Stand]
    trouble: str
    spent: Mapping[str, Decimal]


async def views(farm: Farm) -> list[ProviderView]:
    """Return all providers, in the order of the settings; none of them is asked."""
    async with farm.store.read() as unit:
        spent = await unit.spendings(ledger.day_of(farm.clock.now()))
        return [await _view(farm, unit, source, spent) for source in farm.sources]


async def view(farm: Farm, name: str) -> ProviderView:
    """Return one provider.

    Raises:
        NotFound: there is none.
    """
    source = farm.sources.the(name)
    async with farm.store.read() as unit:
        spent = await unit.spendings(ledger.day_of(farm.clock.now()))
        return await _view(farm, unit, source, spent)


async def health(farm: Farm, name: str) -> Health:
    """Ask a provider how it is: a call that costs nothing.

    Raises:
        NotFound: there is none.
    """
    try:
        return await farm.sources.the(name).probe(farm.clock)
    except ProviderFault as fault:
        return Health(ready=False, words=fault.message)


async def _view(
    farm: Farm, unit: Unit, source: Source, spent: Mapping[tuple[str, str], Decimal]
) -> ProviderView:
    calls = {each: source.stand(each, farm.clock) for each in Call}
    return ProviderView(
        source=source,
        running=await unit.generations_at(source.name),
        calls=calls,
        trouble=source.trouble(farm.clock),
        spent={money: sum_ for (name, money), sum_ in spent.items() if name == source.name},
    )
