"""Part `assignment`: how fast orders become prints, with simulated agents on the real wire.

Every lease goes all the way: order over HTTP, lease, document, armed with a nonce, permit, started,
finished, events acknowledged, bed cleared over HTTP; through a real mosquitto and a real SQLite.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.farm_processes import (
    Api,
    Fleet,
    Stored,
    api_of,
    broker_port,
    cpu_s,
    fleet,
    resident_mib,
)
from tests.benchmarks.farm_telemetry import percentile
from tests.fakes.processes import Coordinator, coordinator

PATIENCE_S = 120.0
PRINT_S = 0.2
ENDED = "state IN ('finished', 'failed', 'cancelled')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Many leases at once, or orders one by one.

    Attributes:
        leases_per_s: from the first order to the last start, with `lives_per_s` to the last end:
            events acknowledged, the job finished.
        start_ms_p50: from an order being answered to its first executed line, with `start_ms_p99`.
        cpu_ms: of the coordinator for a whole life of a run.
    """

    name: str
    leases: int
    leases_per_s: float
    lives_per_s: float
    start_ms_p50: float
    start_ms_p99: float
    cpu_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """All of this part.

    Attributes:
        arrived_s: from the start of the agents until all are known and idle.
        clears_per_s: beds declared clear, 8 requests at once.
    """

    agents: int
    arrived_s: float
    clears_per_s: float
    resident_mib: float
    shifts: tuple[Shift, ...]


@dataclass(slots=True)
class _Farm:
    running: Coordinator
    fleet: Fleet
    api: Api
    stored: Stored
    agents: int
    jobs: int = 0


def run(agents: int, rate_per_s: float, paced: int, say: Callable[[str], None]) -> Assignment:
    """Measure all of it once.

    Args:
        rate_per_s: of the orders that come one by one, `paced` of them.
    """
    with tempfile.TemporaryDirectory(prefix="farmhand-bench-") as name:
        folder = Path(name)
        with coordinator(folder / "state", "--broker", "mosquitto") as running:
            return asyncio.run(_measure(running, folder, agents, rate_per_s, paced, say))


async def _measure(
    running: Coordinator,
    folder: Path,
    agents: int,
    rate_per_s: float,
    paced: int,
    say: Callable[[str], None],
) -> Assignment:
    began_s = time.monotonic()
    with fleet(broker_port(running), agents, PRINT_S, folder / "fleet.log") as living:
        async with api_of(running) as api:
            farm = _Farm(running, living, api, Stored(running.folder), agents)
            await farm.stored.until_arrived(agents, PATIENCE_S)
            arrived_s = time.monotonic() - began_s
            say(f"{agents} agents arrived in {arrived_s:.1f} s")
            shifts, clears = [], []
            for name, act in (
                (f"{paced} orders, {rate_per_s:g} a second", _orders(paced, 1 / rate_per_s)),
                (f"one order of {agents} copies", _copies(agents)),
                (f"{agents} orders at once", _orders(agents)),
            ):
                clears.append(await _clear(farm))
                shift = await _shift(farm, name, act)
                say(_row(shift))
                shifts.append(shift)
            return Assignment(
                agents=agents,
                arrived_s=arrived_s,
                clears_per_s=clears[0],
                resident_mib=resident_mib(running.process.pid),
                shifts=tuple(shifts),
            )


async def _clear(farm: _Farm) -> float:
    """Clear all beds, and wait until the agents know; return how many a second."""
    began_s = time.monotonic()
    await farm.api.clear_all(farm.agents)
    took_s = time.monotonic() - began_s
    await farm.stored.until(lambda stored: not stored.count("outbox"), "the outbox", PATIENCE_S)
    return farm.agents / took_s


# Makes orders; returns how many leases they are, and when each job was answered.
_Act = Callable[[_Farm], Awaitable[tuple[int, dict[str, float]]]]


def _orders(count: int, pause_s: float = 0.0) -> _Act:
    async def act(farm: _Farm) -> tuple[int, dict[str, float]]:
        answered: dict[str, float] = {}

        async def order() -> None:
            job_id = await farm.api.order()
            answered[job_id] = time.monotonic()

        async with asyncio.TaskGroup() as tasks:
            for _ in range(count):
                tasks.create_task(order())
                await asyncio.sleep(pause_s)
        return count, answered

    return act


def _copies(count: int) -> _Act:
    async def act(farm: _Farm) -> tuple[int, dict[str, float]]:
        job_id = await farm.api.order(copies=count)
        return count, {job_id: time.monotonic()}

    return act


async def _shift(farm: _Farm, name: str, act: _Act) -> Shift:
    pid = farm.running.process.pid
    farm.fleet.forget()
    cpu_before_s, began_s = cpu_s(pid), time.monotonic()
    leases, answered = await act(farm)
    started = await farm.fleet.count("started", leases, PATIENCE_S)
    await farm.fleet.count("acknowledged", leases, PATIENCE_S)
    farm.jobs += len(answered)
    await farm.stored.until(
        lambda stored: stored.count("jobs", ENDED) == farm.jobs and not stored.count("outbox"),
        "the jobs to end",
        PATIENCE_S,
    )
    ended_s = time.monotonic()
    delays = sorted(max(0.0, at_s - answered[job_id]) for job_id, at_s in started)
    return Shift(
        name=name,
        leases=leases,
        leases_per_s=leases / (max(at_s for _, at_s in started) - began_s),
        lives_per_s=leases / (ended_s - began_s),
        start_ms_p50=percentile(delays, 0.5) * 1e3,
        start_ms_p99=percentile(delays, 0.99) * 1e3,
        cpu_ms=(cpu_s(pid) - cpu_before_s) / leases * 1e3,
    )


def table(found: Assignment) -> Iterator[str]:
    """Yield the lines of the report."""
    yield (
        f"assignment, {found.agents} agents: all arrived in {found.arrived_s:.1f} s, "
        f"{found.clears_per_s:.0f} beds cleared a second, {found.resident_mib:.0f} MiB"
    )
    yield (
        f"{'':>32} {'leases/s':>9} {'lives/s':>8} {'start p50 ms':>13} {'p99 ms':>8} "
        f"{'CPU ms/life':>12}"
    )
    yield from map(_row, found.shifts)


def _row(shift: Shift) -> str:
    return (
        f"{shift.name:>32} {shift.leases_per_s:9.1f} {shift.lives_per_s:8.1f} "
        f"{shift.start_ms_p50:13.0f} {shift.start_ms_p99:8.0f} {shift.cpu_ms:12.1f}"
    )
