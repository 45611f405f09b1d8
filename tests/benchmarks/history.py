"""What history costs, written and proved: `python -m tests.benchmarks.history [CHANGES]`.

Each change moves one job: its row is read and saved and its line of history appended, on a real
SQLite file in a temporary folder, first with a commit each, then many to a commit, which leaves
the disk out.
"""

import asyncio
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from coordinator.adapters.db.store import SqlStore, open_store
from coordinator.domain.effects import Note, Save
from coordinator.domain.jobs import Job
from coordinator.usecases.auditing import verify
from coordinator.usecases.performing import Writing
from protocols.wire.vocabulary import JobId
from tests.fakes.fake_farm import new_farm

NOW = datetime(2026, 1, 1, tzinfo=UTC)
JOB = Job(job_id=JobId("job-1"), name="n", created_at=NOW, updated_at=NOW)
PER_COMMIT = 100


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


async def main(count: int) -> None:
    """Measure and print."""
    with TemporaryDirectory() as folder:
        async with open_store(Path(folder) / "farm.sqlite3") as store:
            await change(store, PER_COMMIT, per_commit=PER_COMMIT)  # warm up
            for per_commit in (1, PER_COMMIT):
                took_ms, cpu_ms = await change(store, count, per_commit=per_commit)
                told = f"{took_ms:6.0f} ms, CPU {cpu_ms:6.0f} ms"
                print(f"{per_commit:4} changes a commit, 1,000 changes: {told}")  # noqa: T201

            begun_s = time.perf_counter()
            verdict = await verify(new_farm(Path(folder), store=store))
            assert not verdict.faults
            took_ms = (time.perf_counter() - begun_s) * 1e6 / verdict.head.number
            print(f"   verify {verdict.head.number}, 1,000 events: {took_ms:6.0f} ms")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000))
