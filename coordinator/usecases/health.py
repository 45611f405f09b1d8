"""How the farm is: what is wrong with its parts, and how much of everything there is."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from coordinator.domain.printers import PrinterStatus, status_of
from coordinator.domain.webhooks import Endpoint
from coordinator.errors import FarmError
from coordinator.ports import Unit
from coordinator.usecases.disk_use import disk_trouble
from coordinator.usecases.farm import Farm
from coordinator.usecases.reading import all_stations

# More waits only while there is no broker; then the number says little.
OUTBOX_COUNTED_MAX = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How much of everything there is.

    Attributes:
        printers: by status; jobs by state; what there is none of is left out.
        outbox_oldest_s: how long the oldest document waits to be said, as far as this process
            knows; 0 where none does.
        webhooks_failing: endpoints whose last message was not taken, or that were given up.
        providers_failing: providers of models that are left alone, or lead to nothing here.
        disk_free_bytes: None where the disk can't be looked at.
    """

    agents: int = 0
    agents_online: int = 0
    printers: Mapping[str, int] = field(default_factory=dict)
    jobs: Mapping[str, int] = field(default_factory=dict)
    outbox_waiting: int = 0
    outbox_oldest_s: float = 0.0
    webhooks: int = 0
    webhooks_failing: int = 0
    providers: int = 0
    providers_failing: int = 0
    disk_free_bytes: int | None = None


PARTS = ("database", "history", "broker", "slicer", "disk", "webhooks", "providers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the farm is.

    Attributes:
        ok: the store answers; without it nothing can be done at all.
        troubles: what is wrong, by part, in words, and what to do. `database`; `history`, which
            nobody trusts until somebody looked; `broker`, without which no agent is reached
            (prints go on); `slicer`, without which no model is taken (G-code is); `disk`, without
            room on which nothing new is; `webhooks`; and `providers`.
        figures: None where the store does not answer.
    """

    ok: bool
    troubles: Mapping[str, str]
    figures: Figures | None = None


async def health(farm: Farm) -> Health:
    """Return how the farm is; never raises for what is wrong with it."""
    disk, free_bytes = await disk_trouble(farm)
    try:
        async with farm.store.read() as unit:
            endpoints = await unit.endpoints()
            figures = await _figures(farm, unit, endpoints, free_bytes)
    except FarmError as error:
        told = {"database": str(error), **_of_neighbours(farm), "disk": disk}
        return Health(ok=False, troubles=_told(told))
    return Health(ok=True, troubles=troubles_of(farm, endpoints, disk), figures=figures)


def troubles_of(farm: Farm, endpoints: Sequence[Endpoint], disk: str) -> Mapping[str, str]:
    """Return what is wrong with each part of a farm whose store answers; see `Health.troubles`.

    Args:
        disk: what is wrong with the disk, as `disk_trouble` has it.
    """
    return _told(
        {
            "history": farm.live.history_trouble,
            **_of_neighbours(farm),
            "disk": disk,
            "webhooks": _of_webhooks(endpoints),
            "providers": "; ".join(
                f"{name}: {words}" for name, words in _of_providers(farm).items()
            ),
        }
    )


async def ready(farm: Farm) -> bool:
    """Whether requests can be answered: the store is there."""
    try:
        async with farm.store.read() as unit:
            await unit.head()
    except FarmError:
        return False
    return True


async def _figures(
    farm: Farm, unit: Unit, endpoints: Sequence[Endpoint], free_bytes: int | None
) -> Figures:
    agents = await unit.agents()
    counts: Counter[PrinterStatus] = Counter()
    for printer, run in await all_stations(unit):
        counts[status_of(printer, run)] += 1
    waiting = await unit.outbox(OUTBOX_COUNTED_MAX)
    return Figures(
        agents=len(agents),
        agents_online=sum(agent.online for agent in agents),
        printers={status.value: count for status, count in sorted(counts.items())},
        jobs={state.value: count for state, count in sorted((await unit.job_states()).items())},
        outbox_waiting=len(waiting),
        outbox_oldest_s=farm.live.outbox_age_s(
            waiting[0][0] if waiting else None, farm.clock.monotonic()
        ),
        webhooks=len(endpoints),
        webhooks_failing=sum(map(_fails, endpoints)),
        providers=len(list(farm.sources)),
        providers_failing=len(_of_providers(farm)),
        disk_free_bytes=free_bytes,
    )


def _of_providers(farm: Farm) -> Mapping[str, str]:
    """Return why providers are left alone, or lead to nothing here; nobody is asked for it."""
    told = {each.name: each.trouble(farm.clock) for each in farm.sources}
    return {name: words for name, words in told.items() if words}


def _of_neighbours(farm: Farm) -> Mapping[str, str]:
    return {"broker": farm.link.trouble, "slicer": farm.slicer.trouble}


def _of_webhooks(endpoints: Sequence[Endpoint]) -> str:
    failing = sum(map(_fails, endpoints))
    if not failing:
        return ""
    return f"{failing} of {len(endpoints)} webhooks fail: `farmhand webhook ls` tells which"


def _fails(endpoint: Endpoint) -> bool:
    return bool(endpoint.failures or endpoint.disabled_reason)


def _told(words: Mapping[str, str]) -> Mapping[str, str]:
    return {part: trouble for part, trouble in words.items() if trouble}
