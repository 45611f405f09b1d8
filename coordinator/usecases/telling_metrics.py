"""What a monitor of the farm is told beside its printers."""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from coordinator.domain.history import Thing
from coordinator.domain.jobs import JobState
from coordinator.domain.printers import Agent
from coordinator.domain.runs import RunState
from coordinator.ports import Unit
from coordinator.usecases.disk_use import disk_trouble
from coordinator.usecases.farm import Farm
from coordinator.usecases.health import PARTS, troubles_of
from protocols.wire.from_agent import HostSample
from protocols.wire.vocabulary import AgentId, PrinterId

# Of what more is read than is told.
_KEPT = frozenset({"agent", "run"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FarmFigures:
    """The farm in figures.

    Attributes:
        hosts: the machines of agents that are connected and told of them.
        prints: how many ended in each way on each printer.
        parts: what is wrong with each part; empty where nothing is.
        disk_free_bytes: None where nobody can say.
    """

    agents: Sequence[Agent]
    hosts: Mapping[AgentId, HostSample]
    jobs: Mapping[JobState, int]
    prints: Sequence[tuple[PrinterId, RunState, int]]
    parts: Mapping[str, str]
    outbox_oldest_s: float
    disk_free_bytes: int | None


class FarmMetrics:
    """The farm in figures, whenever somebody asks; `heard` has to last as long as it is used.

    Agents and runs are looked at again once something changed of any: to read all of them at each
    scrape would be most of what it costs.
    """

    def __init__(self, farm: Farm) -> None:
        """Begin without any."""
        self._farm = farm
        self._stale = set(_KEPT)
        self._turn = asyncio.Lock()
        self._agents: Sequence[Agent] = ()
        self._prints: Sequence[tuple[PrinterId, RunState, int]] = ()

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Hear what changes, as long as the block lasts."""
        with self._farm.live.news.heard(self._hear):
            yield

    def _hear(self, things: Collection[Thing]) -> None:
        self._stale |= _KEPT.intersection(subject for subject, _ in things)

    async def now(self) -> FarmFigures:
        """Return the farm in figures.

        Raises:
            Unavailable: the store is not there; then nothing is told rather than half of it.
        """
        farm, live = self._farm, self._farm.live
        disk, free_bytes = await disk_trouble(farm)
        async with self._turn, farm.store.read() as unit:
            await self._look_again(unit)
            agents, prints = self._agents, self._prints
            jobs = await unit.job_states()
            oldest = await unit.outbox(1)
            troubles = troubles_of(farm, await unit.endpoints(), disk)
        return FarmFigures(
            agents=agents,
            hosts=dict(live.hosts),
            jobs=jobs,
            prints=prints,
            parts={part: troubles.get(part, "") for part in PARTS},
            outbox_oldest_s=live.outbox_age_s(
                oldest[0][0] if oldest else None, farm.clock.monotonic()
            ),
            disk_free_bytes=free_bytes,
        )

    async def _look_again(self, unit: Unit) -> None:
        stale, self._stale = self._stale, set()
        try:
            if "agent" in stale:
                self._agents = await unit.agents()
            if "run" in stale:
                self._prints = await unit.runs_ended()
        except BaseException:
            self._stale |= stale  # who asks next tries again
            raise
