"""Measure the page: what its first load weighs, how soon it answers, what each update costs.

Usage: ./farmhand bench page [--views desk,wall] [--printers N] [--jobs N] [--no-build] ...

A real coordinator with a fleet of which every printer prints and measures once a second, a queue
behind it, and a real chromium, asked over its own protocol: bytes over the network, the main
thread's time, frames and long tasks (over 50 ms), of the views that stay open, on a desk, on a wall
and on a phone whose processor is four times slower. Beside it stands what another farm's page
weighs, as its makers' own files do; nothing else of it was measured here.
"""

import argparse
import asyncio
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from coordinator.cli.demo_processes import end_with_parent
from coordinator.dashboard import build_page
from tests.benchmarks.farm_processes import Stored, api_of, broker_port
from tests.benchmarks.page_report import Built, chosen, readable, verdicts
from tests.benchmarks.page_views import VIEWS, Seen, View, look_on
from tests.fakes.farm_on_show import browser
from tests.fakes.processes import Coordinator, coordinator, started, until


@contextmanager
def fleet_at_work(folder: Path, printers: int, jobs: int = 0) -> Iterator[Coordinator]:
    """Run a coordinator with so many printers, all of which print and measure, and a queue."""
    with coordinator(folder, "--broker", "mosquitto") as farm:
        arguments = [str(broker_port(farm)), "--agents", str(printers)]
        log, end = folder.parent / f"{folder.name}-fleet.log", end_with_parent()
        with started("tests.benchmarks.front_fleet", *arguments, log=log, before=end):
            asyncio.run(_put_to_work(farm, printers, jobs))
            until(lambda: _measuring(farm) == printers, "all printers to print and measure")
            yield farm


async def _put_to_work(farm: Coordinator, printers: int, jobs: int) -> None:
    await Stored(farm.folder).until_arrived(printers, 120.0)
    async with api_of(farm) as api:
        await api.clear_all(printers)
        await api.order(printers)
    running = "state = 'printing'"
    await Stored(farm.folder).until(
        lambda stored: stored.count("runs", running) >= printers, "all runs to start", 240.0
    )
    async with api_of(farm) as api:
        await asyncio.gather(*(api.order(name=f"part {number}") for number in range(jobs)))


def _measuring(farm: Coordinator) -> int:
    return sum(
        bool(each["live"] and each["run"] and each["live"]["run_id"] == each["run"]["id"])
        for each in farm.ask("printers")[1]["items"]
    )


def measure(
    *, printers: int, jobs: int, seconds: float, views: Sequence[View] = VIEWS
) -> dict[str, Seen]:
    """Return what each view cost, by its name."""
    found: dict[str, Seen] = {}
    with TemporaryDirectory(prefix="farmhand-page-", dir="/var/tmp") as name:
        folder = Path(name) / "farm"
        folder.mkdir()
        say(f"{printers} printers are put to work, {jobs} jobs wait ...")
        with fleet_at_work(folder, printers, jobs) as farm, browser() as chromium:
            for view in views:
                say(f"{view.name} ...")
                found[view.name] = look_on(chromium, farm, view, seconds)
    return found


def built() -> Built:
    """Return how long the page takes to build, its packages there, and what the wheel weighs."""
    with TemporaryDirectory(prefix="farmhand-wheel-", dir="/var/tmp") as name:
        page = ["npx", "vite", "build", "--outDir", f"{name}/built", "--logLevel", "error"]
        page_s = [_took_s(page, build_page.SOURCE) for _ in range(3)]
        wheel = ["uv", "build", "--quiet", "--wheel", "--out-dir", name]
        wheel_s = _took_s(wheel, Path(__file__).parents[2])
        [made] = Path(name).glob("*.whl")
        return Built(
            page_s=statistics.median(page_s),
            wheel_s=wheel_s,
            wheel_kib=made.stat().st_size / 1024,
        )


def _took_s(command: Sequence[str], folder: Path) -> float:
    begun_s = time.monotonic()
    subprocess.run(command, cwd=folder, check=True)
    return time.monotonic() - begun_s


def say(words: str) -> None:
    """Tell how far it is; the report alone goes to standard output."""
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


def main(argv: Sequence[str]) -> int:
    """Run the benchmark; returns 0 when no target was missed, else 1."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended as well
    parser = argparse.ArgumentParser(
        prog="farmhand bench page",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--views", default="", help="only these: desk,list,tiles,to do,queue,...")
    parser.add_argument("--printers", type=int, default=500, help="that print (500)")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each look (5)")
    parser.add_argument("--jobs", type=int, default=1000, help="that wait (1000)")
    parser.add_argument("--no-build", action="store_true", help="build and weigh nothing")
    wanted = parser.parse_args(argv)
    try:
        views = chosen(wanted.views)
    except KeyError as error:
        parser.error(f"no view {error}; there are {', '.join(each.name for each in VIEWS)}")
    found = measure(printers=wanted.printers, jobs=wanted.jobs, seconds=wanted.seconds, views=views)
    made = None if wanted.no_build else built()
    for line in readable(found, wanted.printers, made):
        sys.stdout.write(line + "\n")
    return 0 if all(reached for reached, _ in verdicts(found)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
