"""What one scrape takes of the processor: the route's own handler, and nothing else in the process.

The farm is the database that a coordinator left; between two scrapes every printer says something.
"""

import asyncio
import time
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from coordinator.adapters.access_tokens import SignedTokens
from coordinator.adapters.db.store import open_store
from coordinator.adapters.passwords import Argon2Passwords
from coordinator.api.app import build_app
from coordinator.api.metrics import show_metrics
from coordinator.domain.printers import Printer
from coordinator.usecases.farm import Farm
from coordinator.usecases.gate import Gate
from protocols.wire.from_agent import HostSample, Telemetry
from tests.benchmarks.front_fleet import sample_of
from tests.fakes.fake_farm import new_farm

SECRET = "of this measurement only, 32 bytes"


def scrape_ms(folder: Path, scrapes: int, *, compressed: bool) -> float:
    """Return the mean of so many scrapes, in ms of the processor.

    Args:
        folder: of a coordinator that has ended.
        compressed: as Prometheus asks for it.
    """
    return asyncio.run(
        _measured(folder, scrapes, {"Accept-Encoding": "gzip"} if compressed else {})
    )


async def _measured(folder: Path, scrapes: int, headers: dict[str, str]) -> float:
    spent_s = 0.0
    async with open_store(folder / "farm.sqlite3") as store:
        farm = new_farm(folder / "scraped", store=store)
        gate = Gate(
            farm=farm,
            root_token=SECRET,
            passwords=Argon2Passwords(),
            tokens=SignedTokens(SECRET.encode()),
        )
        app = build_app(gate, upload_bytes_max=1, version="0")
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            async with store.read() as unit:
                printers = await unit.printers()
            for number in range(scrapes + 1):
                _measure(farm, printers, number)
                begun_s = time.process_time()
                await show_metrics(make_mocked_request("GET", "/metrics", headers, app=app))
                if number:  # the first reads and renders what all others find there
                    spent_s += time.process_time() - begun_s
        finally:
            await runner.cleanup()
    return spent_s * 1000 / scrapes


def _measure(farm: Farm, printers: list[Printer], number: int) -> None:
    """Have every printer say what one that prints does."""
    for printer in printers:
        farm.live.owners[printer.printer_id] = printer.agent_id
        sample = sample_of(printer.printer_id, printer.run_id, number)
        host = HostSample(cpu_celsius=50.0 + number, load=0.1)
        said = Telemetry(agent_id=printer.agent_id, at_unix_s=0.0, printers=(sample,), host=host)
        farm.live.absorb(said, farm.clock.now())
