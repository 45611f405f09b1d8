"""Measure the front door: how fast the API answers, tells, and comes up.

Usage: ./farmhand bench front [--printers N] [--seconds S] [--jobs N]

A real coordinator with its broker and a fleet that measures once a second, each a process of its
own; beside it, as reference, a bare aiohttp handler that sends the same bytes. A closed loop asks
for all printers with 1 and 8 clients: whole, compressed, and as somebody who has them already. Then
20 screens look on while a printer changes; and a coordinator with many finished jobs starts. Its
memory is that of a farm that has run for a day: the charts of all printers are full.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import Request, urlopen

from aiohttp import web

from coordinator.adapters.db.store import open_store
from coordinator.cli.demo_processes import end_with_parent
from coordinator.domain.jobs import Job, JobState
from protocols.wire.vocabulary import JobId
from tests.benchmarks.farm_processes import Stored, broker_port, resident_mib
from tests.benchmarks.front_clients import Loop, closed_loop, seen_ms
from tests.benchmarks.front_fleet import a_day_measured
from tests.fakes.processes import Coordinator, coordinator, started, until

PATH = "/api/v1/printers"
PER_S_MIN, P99_MS_MAX = 2000.0, 10.0
RESIDENT_MB_MAX = 90.0
SEEN_P99_MS_MAX = 200.0
READY_S_MAX = 2.0
SCREENS, CHANGES = 20, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Everything that was measured; loops by what is asked for and by who answers."""

    loops: dict[tuple[str, int, str], Loop]
    resident_mib: float
    seen_ms: list[float]
    ready_s: float


def measure(*, printers: int, seconds: float, jobs: int, changes: int = CHANGES) -> Found:
    """Run all of it."""
    with TemporaryDirectory(prefix="farmhand-front-", dir="/var/tmp") as name:
        folder = Path(name)
        (folder / "farm").mkdir()
        (folder / "farm" / "measurements").write_bytes(a_day_measured(printers))
        with coordinator(folder / "farm", "--broker", "mosquitto") as farm:
            log = folder / "fleet.log"
            fleet = [str(broker_port(farm)), "--agents", str(printers)]
            end = end_with_parent()
            with started("tests.benchmarks.front_fleet", *fleet, log=log, before=end):
                asyncio.run(Stored(farm.folder).until_arrived(printers, 120.0))
                until(lambda: _measuring(farm), "all printers to measure")
                loops = _loops(farm, folder, seconds)
                seen = asyncio.run(seen_ms(farm.url, farm.token, screens=SCREENS, changes=changes))
                resident = resident_mib(farm.process.pid)
        (folder / "full").mkdir()
        asyncio.run(_fill(folder / "full", jobs))
        ready_s = _start_s(folder / "full")
    return Found(loops=loops, resident_mib=resident, seen_ms=seen, ready_s=ready_s)


def _measuring(farm: Coordinator) -> bool:
    return all(printer["live"] for printer in farm.ask("printers")[1]["items"])


def _loops(farm: Coordinator, folder: Path, seconds: float) -> dict[tuple[str, int, str], Loop]:
    credential = f"Authorization: Bearer {farm.token}"
    found: dict[tuple[str, int, str], Loop] = {}
    for asked, header in (("whole", ""), ("gzip", "Accept-Encoding: gzip")):
        headers = [credential, *([header] if header else [])]
        body = folder / asked
        body.write_bytes(_fetched(farm, gzip=bool(header)))
        with reference(body, PATH) as url:
            for clients in (1, 8):
                for who, where in (("farmhand", farm.url), ("reference", url)):
                    found[asked, clients, who] = closed_loop(
                        where, PATH, headers, clients=clients, seconds=seconds
                    )
    return found


def _fetched(farm: Coordinator, *, gzip: bool) -> bytes:
    headers = {"Authorization": f"Bearer {farm.token}"}
    if gzip:
        headers["Accept-Encoding"] = "gzip"
    with urlopen(Request(farm.url + PATH, headers=headers)) as answer:
        return bytes(answer.read())


@contextmanager
def reference(body: Path, path: str) -> Iterator[str]:
    """Serve the same bytes from a bare handler, in a process of its own."""
    log = body.with_suffix(".log")
    with started("tests.benchmarks.front", "--serve", body, "--at", path, log=log):
        port = until(lambda: log.read_text().strip(), "the reference to listen")
        yield f"http://127.0.0.1:{port}"


async def _serve(body: bytes, path: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.router.add_get(path, answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().create_future()


async def _fill(folder: Path, jobs: int) -> None:
    """Make a database with so many finished jobs."""

    now = datetime.now(UTC)
    job = Job(job_id=JobId("job-0"), name="part", created_at=now, updated_at=now)
    async with open_store(folder / "farm.sqlite3") as store, store.write() as unit:
        for number in range(jobs):
            at = now - timedelta(seconds=jobs - number)
            await unit.save_job(
                replace(
                    job,
                    job_id=JobId(f"job-{number:06d}"),
                    state=JobState.FINISHED,
                    created_at=at,
                    updated_at=at,
                )
            )


def _start_s(folder: Path) -> float:
    """Return how long a start takes until the coordinator is ready."""
    begun_s = time.monotonic()
    with coordinator(folder, "--broker", "mosquitto") as farm:
        took_s = time.monotonic() - begun_s
        assert farm.ask("jobs?limit=1&order=newest")[0] == 200
        return took_s


def verdicts(found: Found) -> Iterator[tuple[bool, str]]:
    """Yield whether each target was reached, in words."""
    for clients in (1, 8):
        for asked in ("whole", "gzip"):
            loop = found.loops[asked, clients, "farmhand"]
            reached = loop.per_s >= PER_S_MIN and loop.p99_ms < P99_MS_MAX
            yield (
                reached,
                (
                    f"all printers, {asked}, {clients} clients: {loop.per_s:.0f}/s,"
                    f" p99 {loop.p99_ms:.1f} ms ({PER_S_MIN:.0f}/s, {P99_MS_MAX:.0f} ms)"
                ),
            )
    resident = found.resident_mib * 2**20 / 1e6
    yield resident < RESIDENT_MB_MAX, f"resident {resident:.1f} MB ({RESIDENT_MB_MAX:.0f})"
    p99 = found.seen_ms[int(len(found.seen_ms) * 0.99)]
    p50 = found.seen_ms[len(found.seen_ms) // 2]
    words = f"on {SCREENS} screens p50 {p50:.0f} ms, p99 {p99:.0f} ms ({SEEN_P99_MS_MAX:.0f})"
    yield p99 < SEEN_P99_MS_MAX, words
    yield found.ready_s < READY_S_MAX, f"ready after {found.ready_s:.2f} s ({READY_S_MAX:.0f})"


def readable(found: Found) -> Iterator[str]:
    """Yield the figures, with what the reference reached in the same run."""
    for (asked, clients, who), loop in found.loops.items():
        reference = found.loops.get((asked, clients, "reference"))
        ratio = f"{loop.per_s / reference.per_s:6.2f} of reference" if reference else ""
        yield (
            f"{asked:>8} {clients} clients {who:>10} {loop.per_s:8.0f}/s  p50 {loop.p50_ms:6.2f} ms"
            f"  p99 {loop.p99_ms:6.2f} ms  {loop.body_bytes / 1024:7.1f} KiB  {ratio}"
        )
    yield from (f"{'PASS' if reached else 'FAIL'}  {words}" for reached, words in verdicts(found))


def main(argv: Sequence[str]) -> int:
    """Run the benchmark; returns 0 when no target was missed, else 1."""
    parser = argparse.ArgumentParser(prog="farmhand bench front", description=__doc__)
    parser.add_argument("--printers", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each closed loop (5)")
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--serve", type=Path, default=None, help=argparse.SUPPRESS)
    parser.add_argument("--at", default=PATH, help=argparse.SUPPRESS)
    wanted = parser.parse_args(argv)
    if wanted.serve is not None:
        asyncio.run(_serve(wanted.serve.read_bytes(), wanted.at))
        return 0
    found = measure(printers=wanted.printers, seconds=wanted.seconds, jobs=wanted.jobs)
    for line in readable(found):
        sys.stdout.write(line + "\n")
    return 0 if all(reached for reached, _ in verdicts(found)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
