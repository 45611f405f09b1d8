"""What a monitor of the farm is told beside its printers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coordinator.domain.jobs import JobState
from coordinator.domain.printers import Agent
from coordinator.domain.runs import RunState
from coordinator.usecases.farm import Farm
from coordinator.usecases.health import PARTS, health
from protocols.wire.from_agent import HostSample
from protocols.wire.vocabulary import AgentId, PrinterId


@dataclass(frozen=True, slots=True, kw_only=True)
class FarmMetrics:
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


async def farm_metrics(farm: Farm) -> FarmMetrics:
    """Return the farm in figures.

    Raises:
        Unavailable: the store is not there; then nothing is told rather than half of it.
    """
    found = await health(farm)
    async with farm.store.read() as unit:
        agents = await unit.agents()
        jobs = await unit.job_states()
        prints = await unit.runs_ended()
    figures = found.figures
    return FarmMetrics(
        agents=agents,
        hosts=dict(farm.live.hosts),
        jobs=jobs,
        prints=prints,
        parts={part: found.troubles.get(part, "") for part in PARTS},
        outbox_oldest_s=figures.outbox_oldest_s if figures else 0.0,
        disk_free_bytes=figures.disk_free_bytes if figures else None,
    )
