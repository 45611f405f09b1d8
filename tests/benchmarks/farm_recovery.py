"""Part `recovery`: a coordinator is killed in mid-print; how long until all is known again?

Reconciled means: every agent is connected again and known to be on line, its printer is seen
printing, what had to be said was said, and every agent has heard its document again.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.farm_processes import Fleet, Stored, api_of, broker_port, fleet
from tests.fakes.mosquitto import free_port, start_mosquitto
from tests.fakes.processes import Coordinator, coordinator

PATIENCE_S = 120.0


def run(printers: int, *, with_broker: bool) -> float:
    """Return the seconds from the start of the second coordinator until it is reconciled.

    Args:
        with_broker: its broker dies with it and all agents have to connect again; else the broker
            is another machine's and lives on.
    """
    with tempfile.TemporaryDirectory(prefix="farmhand-bench-") as name:
        folder, port = Path(name), free_port()
        if with_broker:
            flags = ("--broker", "mosquitto", "--broker-port", str(port))
            return _recover(folder, port, printers, flags)
        with start_mosquitto(folder, port):
            return _recover(folder, port, printers, ("--broker-url", f"mqtt://127.0.0.1:{port}"))


def _recover(folder: Path, port: int, printers: int, flags: tuple[str, ...]) -> float:
    state = folder / "state"
    with fleet(port, printers, 0.0, folder / "fleet.log") as living:
        with coordinator(state, *flags) as first:
            assert broker_port(first) == port
            asyncio.run(_fill(first, living, printers))
        # It was killed; only now is the time taken.
        living.forget()
        began_s = time.monotonic()
        with coordinator(state, *flags):
            asyncio.run(_reconciled(living, Stored(state), printers))
            return time.monotonic() - began_s


async def _fill(first: Coordinator, living: Fleet, printers: int) -> None:
    """Have every printer print, and all of it known."""
    stored = Stored(first.folder)
    await stored.until_arrived(printers, PATIENCE_S)
    async with api_of(first) as api:
        await api.clear_all(printers)
        await api.order(copies=printers)
    await living.count("started", printers, PATIENCE_S)
    await stored.until(_all_print(printers), "all to print", PATIENCE_S)


async def _reconciled(living: Fleet, stored: Stored, printers: int) -> None:
    def all_heard(told: list[tuple[str, float]]) -> bool:
        return len({agent_id for agent_id, _ in told}) >= printers

    await living.until("desired", all_heard, PATIENCE_S)
    await stored.until(_all_print(printers), "all to be seen printing", PATIENCE_S)


def _all_print(printers: int) -> Callable[[Stored], bool]:
    def holds(stored: Stored) -> bool:
        return (
            stored.count("agents", "online") == printers
            and stored.count("printers", "online AND seen = 'printing'") == printers
            and stored.count("runs", "state = 'printing'") == printers
            and stored.count("outbox") == 0
        )

    return holds
