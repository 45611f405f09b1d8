"""Measure what history costs: written, proved, looked up, archived.

Usage: ./farmhand bench history [--events N] [--changes N]

On a real SQLite file in a temporary folder. Written: each change moves one job; its row is read and
saved and its line appended, first with a commit each, then many to a commit, which leaves the disk
out. Then many jobs live from their order to their end, and a process of its own, whose memory is
watched, proves their history, looks at its last day, and archives half of it.
"""

import argparse
import asyncio
import hashlib
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from coordinator.adapters.db.store import SqlStore, open_store
from coordinator.domain.effects import Note, Save
from coordinator.domain.history import FarmEvent, Row, row_of, thing_of
from coordinator.domain.jobs import Job, JobState
from coordinator.domain.printers import Bed, Printer
from coordinator.domain.runs import Run, RunState
from coordinator.ports import Unit
from coordinator.usecases import sealing
from coordinator.usecases.auditing import verify
from coordinator.usecases.farm import Farm
from coordinator.usecases.performing import Writing
from protocols.wire.vocabulary import Epoch, JobId, PrinterId, RunId
from tests.fakes.fake_farm import new_farm
from tests.fakes.values import PRINTER, RUN

NOW = datetime(2026, 1, 1, tzinfo=UTC)
JOB = Job(job_id=JobId("job-1"), name="n", created_at=NOW, updated_at=NOW)
PER_COMMIT = 100
PRINTERS = 100
# Whatever the history's length: a page of lines, and what the scratch keeps at hand.
MEMORY_MIB_MAX = 48.0
# Less than a command waits for the answer (`VERIFIED_S`), with room for a machine half as fast.
VERIFIED_S_MAX = 450.0

_LIFE = (
    (JobState.LEASED, RunState.LEASED),
    (JobState.LEASED, RunState.PERMITTED),
    (JobState.PRINTING, RunState.PRINTING),
    (JobState.FINISHED, RunState.FINISHED),
)


def main(argv: Sequence[str]) -> int:
    """Run the benchmark; returns 0 when no target was missed, else 1."""
    parser = argparse.ArgumentParser(prog="farmhand bench history", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="to prove (1000000)")
    parser.add_argument("--changes", type=int, default=2000, help="to write (2000)")
    parser.add_argument("--prove", type=Path, default=None, help=argparse.SUPPRESS)
    wanted = parser.parse_args(argv)
    if wanted.prove is not None:
        say(json.dumps(asyncio.run(prove(wanted.prove))))
        return 0
    with TemporaryDirectory(prefix="farmhand-history-", dir="/var/tmp") as folder:
        path = Path(folder) / "farm.sqlite3"
        asyncio.run(write(path, wanted.changes, wanted.events))
        size_bytes = path.stat().st_size
        command = [sys.executable, "-m", __spec__.name, "--prove", str(path)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found = {"database MiB": size_bytes / 2**20, **json.loads(done.stdout.splitlines()[-1])}
    for name, value in found.items():
        say(f"{name:>32}  {value:,.1f}")
    missed = found["verify s"] > VERIFIED_S_MAX or found["verify MiB"] > MEMORY_MIB_MAX
    say(f"targets: {VERIFIED_S_MAX:.0f} s, {MEMORY_MIB_MAX:.0f} MiB: {'MISSED' * missed or 'kept'}")
    return int(missed)


async def write(path: Path, changes: int, events: int) -> None:
    """Measure changes, and leave a history of so many events."""
    async with open_store(path) as store:
        await change(store, PER_COMMIT, per_commit=PER_COMMIT)  # warm up
        for per_commit in (1, PER_COMMIT):
            took_ms, cpu_ms = await change(store, changes, per_commit=per_commit)
            told = f"{took_ms:6.0f} ms, CPU {cpu_ms:6.0f} ms"
            say(f"{per_commit:4} changes a commit, 1,000 changes: {told}")
        await live(store, events)


async def change(store: SqlStore, count: int, *, per_commit: int) -> tuple[float, float]:
    """Make changes; return the milliseconds that 1,000 of them take, by the clock and of CPU."""
    begun_s, begun_cpu_s = time.perf_counter(), time.process_time()
    for first in range(0, count, per_commit):
        async with store.write() as unit:
            writing = Writing(unit, NOW, "farm")
            for _ in range(first, first + per_commit):
                known = await unit.job(JOB.job_id) or JOB  # decisions look before they change
                job = replace(known, version=known.version + 1, priority=known.priority + 1)
                note = Note(subject="job", subject_id=job.job_id, name="job.moved", cause="why")
                await writing.perform((Save(job), note))
    took_s, took_cpu_s = time.perf_counter() - begun_s, time.process_time() - begun_cpu_s
    return took_s * 1e6 / count, took_cpu_s * 1e6 / count


async def live(store: SqlStore, count: int) -> None:
    """Have jobs live, a minute after each other, until there are so many events.

    What use cases would write, but for the looking before each change, which takes half the time.
    """
    number, told = 0, 0
    async with store.write() as unit:
        for index in range(PRINTERS):
            printer = replace(PRINTER, printer_id=_printer(index), bed=Bed())
            await unit.save_printer(printer)
            await unit.record(event_of(printer, NOW, row_of(printer)))
    while told < count:
        async with store.write() as unit:
            for _ in range(PER_COMMIT):
                number += 1
                now = NOW + timedelta(minutes=number)
                job = replace(JOB, job_id=JobId(f"job-{number:08}"), created_at=now, updated_at=now)
                run = replace(
                    RUN,
                    run_id=RunId(f"run-{number:08}"),
                    job_id=job.job_id,
                    printer_id=_printer(number % PRINTERS),
                    epoch=Epoch(number),
                    leased_at=now,
                )
                events = await one_life(unit, job, run, now)
                await unit.record(*events)
                told += len(events)


async def one_life(unit: Unit, job: Job, run: Run, now: datetime) -> list[FarmEvent]:
    """Store a job that was printed, and its run; return what history tells of them."""
    events = [event_of(job, now, row_of(job)), event_of(job, now, {"state": "ready", "version": 1})]
    for version, (job_state, run_state) in enumerate(_LIFE, start=2):
        job = replace(job, state=job_state, version=version)
        run = replace(run, state=run_state)
        changes = row_of(run) if version == 2 else {"state": run_state.value}
        events.append(event_of(run, now, changes))
        events.append(event_of(job, now, {"state": job_state.value, "version": version}))
    await unit.save_job(job)
    await unit.save_run(run)
    return events


def event_of(value: Job | Run | Printer, now: datetime, changes: Row) -> FarmEvent:
    """Return a line of history about something."""
    subject, subject_id = thing_of(value)
    return FarmEvent(
        subject=subject,
        subject_id=subject_id,
        name=f"{subject}.moved",
        at=now,
        actor="farm",
        cause="why it was done",
        changes=changes,
    )


def _printer(index: int) -> PrinterId:
    return PrinterId(f"printer-{index:03}")


async def prove(path: Path) -> dict[str, float]:
    """Prove a history, look at its end, archive half of it; return the figures."""
    async with open_store(path) as store:
        farm = new_farm(path.parent, store=store)
        found: dict[str, float] = {}
        await _look(farm, found)
        before_mib = _peak_mib()
        begun_s, longest = time.perf_counter(), asyncio.create_task(_longest_wait_s())
        verdict = await verify(farm)
        found["verify s"] = time.perf_counter() - begun_s
        found["verify MiB"] = _peak_mib() - before_mib
        longest.cancel()
        assert not verdict.faults, verdict.faults[0].words
        found["events"] = verdict.head.number
        found["rows compared"] = verdict.rows_count
        found["longest wait of others ms"] = 1000.0 * await longest
        begun_s, upto = time.perf_counter(), verdict.head.number // 2
        hashed = hashlib.sha256()
        async for part in sealing.archive(farm, upto):
            hashed.update(part)
        await sealing.seal(farm, upto=upto, archive_sha256=hashed.hexdigest(), actor="user:bench")
        found["archive half s"] = time.perf_counter() - begun_s
        begun_s = time.perf_counter()
        assert not (await verify(farm)).faults
        found["verify what is left s"] = time.perf_counter() - begun_s
        found["peak of all MiB"] = _peak_mib()
    return found


async def _look(farm: Farm, found: dict[str, float]) -> None:
    async with farm.store.read() as unit:
        last = datetime.fromisoformat((await unit.events(limit=1, newest=True))[0].at)
        begun_s = time.perf_counter()
        await unit.events(limit=500, since=last - timedelta(days=1))
        found["first page of the last day ms"] = 1000.0 * (time.perf_counter() - begun_s)


async def _longest_wait_s() -> float:
    """Return how long others on the loop had to wait at most, once cancelled."""
    longest_s, begun_s = 0.0, time.perf_counter()
    try:
        while True:
            await asyncio.sleep(0)
            longest_s = max(longest_s, time.perf_counter() - begun_s)
            begun_s = time.perf_counter()
    except asyncio.CancelledError:
        return longest_s


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def say(text: str) -> None:
    """Tell the person who waits."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
