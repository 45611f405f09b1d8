"""A large farm as one finds it, to look at: printers of all kinds and states, a queue, a history.

`python -m tests.benchmarks.page_farm FOLDER` runs one until it is interrupted, and says where.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from coordinator.adapters.db.store import open_store
from coordinator.cli.demo_processes import end_with_parent
from coordinator.domain.history import row_of
from coordinator.domain.printers import Printer
from protocols.wire.vocabulary import AgentId, Epoch, JobId, PrinterId, RunId
from tests.benchmarks.farm_processes import Api, Stored, api_of, broker_port
from tests.benchmarks.history import JOB, PER_COMMIT, event_of, one_life
from tests.fakes.processes import Coordinator, coordinator, started
from tests.fakes.values import RUN

PARTS = (
    *("bracket left", "bracket right", "cable clip", "spool holder", "hinge", "drawer 60 mm"),
    *("lid", "Raspberry Pi case, bottom", "gear 24 teeth", "phone stand", "nozzle rack"),
    "adapter for the vacuum hose of the old workshop bench, second try with thicker walls",
)
# One bed in five nobody has cleared yet.
UNCLEARED_EVERY = 5
# What was printed long ago has epochs that no printer comes to.
PAST_EPOCH = 1_000_000
EVENTS_A_JOB = 10
WAITS_S = 240.0


def printer_id(number: int) -> PrinterId:
    """Return the id of one of the fleet."""
    return PrinterId(f"printer-{number:05d}")


@contextmanager
def large_farm(
    folder: Path, *, printers: int = 500, jobs: int = 1000, events: int = 100_000
) -> Iterator[Coordinator]:
    """Run a coordinator with a fleet at work, so many jobs that wait, and so long a history."""
    asyncio.run(_print_in_the_past(folder, printers, events))
    with coordinator(folder, "--broker", "mosquitto") as farm:
        arguments = [str(broker_port(farm)), "--agents", str(printers)]
        log, end = folder.parent / f"{folder.name}-fleet.log", end_with_parent()
        with started("tests.benchmarks.page_fleet", *arguments, log=log, before=end):
            asyncio.run(_put_to_work(farm, printers, jobs))
            yield farm


async def _print_in_the_past(folder: Path, printers: int, events: int) -> None:
    lives = events // EVENTS_A_JOB
    begun = datetime.now(UTC) - timedelta(minutes=lives + 1)
    async with open_store(folder / "farm.sqlite3") as store:
        async with store.write() as unit:
            for number in range(printers):
                printer = Printer(
                    printer_id=printer_id(number),
                    agent_id=AgentId(f"agent-{number:05d}"),
                    name=f"{number:05d}",
                    printer_class="mk4",
                    driver="model",
                )
                await unit.save_printer(printer)
                await unit.record(event_of(printer, begun, row_of(printer)))
        for first in range(0, lives, PER_COMMIT):
            async with store.write() as unit:
                for number in range(first, min(first + PER_COMMIT, lives)):
                    at = begun + timedelta(minutes=number)
                    job = replace(
                        JOB,
                        job_id=JobId(f"job-past-{number:06}"),
                        name=f"{PARTS[number % len(PARTS)]} {number}",
                        created_at=at,
                        updated_at=at,
                    )
                    run = replace(
                        RUN,
                        run_id=RunId(f"run-past-{number:06}"),
                        job_id=job.job_id,
                        printer_id=printer_id(number % printers),
                        epoch=Epoch(PAST_EPOCH + number),
                        leased_at=at,
                        started_at=at,
                        ended_at=at + timedelta(minutes=30 + number % 50),
                    )
                    await unit.record(*await one_life(unit, job, run, at))


async def _put_to_work(farm: Coordinator, printers: int, jobs: int) -> None:
    stored = Stored(farm.folder)
    await stored.until_arrived(printers, WAITS_S)
    cleared = [number for number in range(printers) if number % UNCLEARED_EVERY]
    async with api_of(farm) as api:
        await asyncio.gather(*(_place(api, number) for number in range(printers)))
        await asyncio.gather(*(api.clear(printer_id(number)) for number in cleared))
        await asyncio.gather(*(api.order(name=_name(number)) for number in cleared))
        begun = "state IN ('printing', 'paused')"
        await stored.until(
            lambda seen: seen.count("runs", begun) >= len(cleared), "the runs to start", WAITS_S
        )
        now = datetime.now(UTC)
        await asyncio.gather(*(_order(api, number, now) for number in range(jobs)))


async def _place(api: Api, number: int) -> None:
    await api.change(
        printer_id(number),
        location=f"Hall {'ABCD'[number % 4]}, row {number // 4 % 12 + 1}",
        printer_group=("products", "prototypes", "school")[number % 3],
        tags=["enclosed", "0.6 mm"][: number % 3],
    )


async def _order(api: Api, number: int, now: datetime) -> None:
    fields = {"name": _name(number), "material": ("", "PLA", "PETG", "TPU")[number % 4]}
    if number % 10 == 0:
        fields["due_at"] = (now + timedelta(hours=number % 48 - 2)).isoformat()
    if number % 25 == 0:
        fields["priority"] = "10"
    await api.order((1, 1, 4, 20)[number % 4], **fields)


def _name(number: int) -> str:
    return f"{PARTS[number % len(PARTS)]} {number}"


def main() -> None:
    """Run such a farm until somebody ends it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--printers", type=int, default=500)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--events", type=int, default=100_000)
    wanted = parser.parse_args()
    wanted.folder.mkdir(parents=True)
    sizes = {"printers": wanted.printers, "jobs": wanted.jobs, "events": wanted.events}
    with large_farm(wanted.folder, **sizes) as farm:
        sys.stdout.write(f"{farm.url}/#token={farm.token}\n")
        sys.stdout.flush()
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    main()
