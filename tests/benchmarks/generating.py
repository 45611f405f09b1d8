"""What a generation costs beside its provider, and how the API answers while many are under way.

Usage: ./farmhand bench generate [--requests N] [--users N] [--provider-s S]

A real API on a socket, a real database and store of files; the provider is one in memory that takes
so long, and the workshop copies. `bare` calls the provider as the farm does and keeps the file,
nothing else. The clients are a process of their own.
"""

import argparse
import asyncio
import json
import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import structlog
from aiohttp import web

from coordinator.adapters.access_tokens import SignedTokens
from coordinator.adapters.clock import SystemClock, TimeSortedIds
from coordinator.adapters.db.store import open_store
from coordinator.adapters.passwords import Argon2Passwords
from coordinator.adapters.storage.obstore_artifacts import open_artifacts
from coordinator.adapters.ticker import Bell, Ticker
from coordinator.api.app import build_app
from coordinator.domain.providing import Kind, Submitted, Wish
from coordinator.ports_providers import Told
from coordinator.usecases.farm import Farm
from coordinator.usecases.gate import Gate
from coordinator.usecases.producing import Producer
from coordinator.usecases.sources import Source, Sources
from tests.benchmarks.farm_telemetry import percentile
from tests.fakes.fake_slicer import FakeSlicer
from tests.fakes.fake_workshop import FakeWorkshop
from tests.fakes.recording_link import RecordingLink
from tests.fakes.scripted_provider import ScriptedProvider, offering

TOKEN = "a-token-for-benchmarks-only"
# The promise: who clicks does not notice that others generate.
API_P99_MS_MAX = 200.0
PERIOD_S = 1.0


@dataclass
class Slow(ScriptedProvider):
    """A provider whose answer takes as long as it is told, and has no result with it."""

    takes_s: float = 0.0

    async def submit(self, wish: Wish, key: str, told: Told) -> Submitted:
        await asyncio.sleep(self.takes_s)
        return await super().submit(wish, key, told)


@dataclass
class Found:
    """What was measured.

    Attributes:
        bare_ms, farm_ms: one request alone, medians; `overhead_ms` is what is between them.
        all_s: until all users had their models; `api_ms` what each call took meanwhile.
    """

    bare_ms: float = 0.0
    farm_ms: float = 0.0
    users: int = 0
    all_s: float = 0.0
    resident_mib: float = 0.0
    api_ms: list[float] = field(default_factory=list)

    @property
    def overhead_ms(self) -> float:
        return self.farm_ms - self.bare_ms

    def api_p(self, part: float) -> float:
        return percentile(sorted(self.api_ms), part)


@asynccontextmanager
async def served(folder: Path, provider: ScriptedProvider) -> AsyncIterator[tuple[Farm, str]]:
    """Lend a farm that works on generations, and the address of its API."""
    async with (
        open_store(folder / "farm.sqlite3") as store,
        open_artifacts(folder / "artifacts") as artifacts,
    ):
        farm = Farm(
            store=store,
            artifacts=artifacts,
            slicer=FakeSlicer(),
            workshop=FakeWorkshop(),
            link=RecordingLink(),
            clock=SystemClock(),
            ids=TimeSortedIds(),
            sources=Sources([Source(name="mesh", provider=provider)]),
            poke=lambda work: ticker.poke(work) if work == "generate" else None,
        )
        producer = Producer(farm, "worker")
        ticker = Ticker({"generate": Bell(producer.look, every_s=1.0)})
        gate = Gate(
            farm=farm,
            root_token=TOKEN,
            passwords=Argon2Passwords(memory_kib=8, passes=1),
            tokens=SignedTokens(b"a key for benchmarks only, 32 bytes"),
        )
        runner = web.AppRunner(build_app(gate, upload_bytes_max=1_000_000, version="0"))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(each) for each in (producer.run(), ticker.run())]
            try:
                yield farm, f"http://127.0.0.1:{runner.addresses[0][1]}/api/v1/"
            finally:
                for each in running:
                    each.cancel()
                await runner.cleanup()


async def generate(session: aiohttp.ClientSession, api_ms: list[float], period_s: float) -> None:
    """Ask for a model and look until it is there; note what each call took."""
    said = {"prompt": "a hook", "size_mm": 60.0}
    made = await _timed(session, "POST", "generations", api_ms, json=said)
    while made["state"] not in ("done", "failed"):
        await asyncio.sleep(period_s)
        made = await _timed(session, "GET", f"generations/{made['id']}", api_ms)
    assert made["state"] == "done", made["trouble"]


async def _timed(
    session: aiohttp.ClientSession, method: str, path: str, api_ms: list[float], **given: Any
) -> Any:
    began_s = time.perf_counter()
    async with session.request(method, path, **given) as response:
        document = await response.json()
    api_ms.append((time.perf_counter() - began_s) * 1e3)
    return document


def clients(url: str, users: int, requests: int, period_s: float) -> dict[str, Any]:
    """Be all users, each with so many requests one after the other; in a process of its own."""

    async def run() -> dict[str, Any]:
        api_ms: list[float] = []
        headers = {"Authorization": f"Bearer {TOKEN}"}
        connector = aiohttp.TCPConnector(limit=users)
        each_ms: list[float] = []

        async def user(session: aiohttp.ClientSession) -> None:
            for _ in range(requests):
                began_s = time.perf_counter()
                await generate(session, api_ms, period_s)
                each_ms.append((time.perf_counter() - began_s) * 1e3)

        began_s = time.perf_counter()
        async with aiohttp.ClientSession(url, headers=headers, connector=connector) as session:
            await asyncio.gather(*(user(session) for _ in range(users)))
        all_s = time.perf_counter() - began_s
        return {"all_s": all_s, "api_ms": api_ms, "each_ms": each_ms}

    return asyncio.run(run())


async def bare(folder: Path, provider: ScriptedProvider, requests: int) -> float:
    """Return what one request takes without a farm, in ms: the median."""
    took_ms = []
    async with open_artifacts(folder / "bare") as artifacts:
        for number in range(requests):
            began_s = time.perf_counter()
            wish = Wish(kind=Kind.TEXT, prompt="a hook", size_mm=60.0)
            submitted = await provider.submit(wish, f"bare-{number}", lambda *_: None)
            look = await provider.look(submitted.handle)
            async with artifacts.stage(".stl") as staged:
                await provider.fetch(look.pieces[0], staged)
                await staged.keep()
            took_ms.append((time.perf_counter() - began_s) * 1e3)
    return statistics.median(took_ms)


async def measure(*, requests: int, users: int, provider_s: float) -> Found:
    """Measure one request alone, then many users at once."""
    offer = offering(look_every_s=0.0, at_once_max=1000, patience_s=600.0)
    found, loop = Found(users=users), asyncio.get_running_loop()
    provider = Slow(offer=offer, takes_s=provider_s)
    with (
        tempfile.TemporaryDirectory() as name,
        multiprocessing.get_context("spawn").Pool(1) as pool,
    ):
        folder = Path(name)
        found.bare_ms = await bare(folder, provider, requests)
        async with served(folder, provider) as (_, url):
            call = (url, 1, requests, 0.005)
            alone = await loop.run_in_executor(None, pool.apply, clients, call)
            found.farm_ms = statistics.median(alone["each_ms"])
            call = (url, users, 1, PERIOD_S)
            many = await loop.run_in_executor(None, pool.apply, clients, call)
    found.all_s, found.api_ms = many["all_s"], many["api_ms"]
    found.resident_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return found


def readable(found: Found) -> list[str]:
    """Return what was found, for a person."""
    p99_ms = found.api_p(0.99)
    verdict = "PASS" if p99_ms < API_P99_MS_MAX else "FAIL"
    alone = f"bare {found.bare_ms:.1f} ms, through the farm {found.farm_ms:.1f} ms"
    calls = f"{len(found.api_ms)} calls, p50 {found.api_p(0.5):.1f} ms, p99 {p99_ms:.1f} ms"
    return [
        f"one request alone: {alone}: {found.overhead_ms:.1f} ms on top",
        f"{found.users} users at once: all done in {found.all_s:.2f} s; {calls}",
        f"memory of the farm and the provider: {found.resident_mib:.0f} MiB",
        f"{verdict} p99 of API calls below {API_P99_MS_MAX:.0f} ms",
    ]


def main() -> int:
    """Run the benchmark; 0 where the promise holds."""
    parser = argparse.ArgumentParser(prog="farmhand bench generate", description=__doc__)
    parser.add_argument("--requests", type=int, default=20)
    parser.add_argument("--users", type=int, default=100)
    parser.add_argument("--provider-s", type=float, default=0.2)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    found = asyncio.run(
        measure(requests=given.requests, users=given.users, provider_s=given.provider_s)
    )
    for line in readable(found):
        sys.stdout.write(line + "\n")
    if given.json:
        given.json.write_text(json.dumps(asdict(found)) + "\n")
    return 0 if found.api_p(0.99) < API_P99_MS_MAX else 1


if __name__ == "__main__":
    sys.exit(main())
