"""What every `Store` keeps to, of history and outbox."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from coordinator.domain.history import (
    FarmEvent,
    Head,
    LinesMeant,
    Thing,
    following,
    row_of,
    thing_of,
)
from coordinator.domain.plates import Artifact, ArtifactKind
from coordinator.domain.printers import Agent, Printer
from coordinator.domain.rebuilt import Told
from coordinator.domain.sealing import Checkpoint
from coordinator.ports import Store
from protocols.wire.vocabulary import AgentId, Epoch, JobId, JournalId, PrinterId, RunId
from tests.fakes.values import JOB, PLATE, PRINTER, RUN

NOW = datetime(2030, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)

AGENT = Agent(
    agent_id=AgentId("a1"),
    online=True,
    boot_id="b1",
    connection_id="c1",
    journal_id=JournalId("j1"),
    seen_at=NOW,
)
ARTIFACT = Artifact(
    sha256=PLATE.sha256, kind=ArtifactKind.PLATE, name="x.gcode", size_bytes=9, created_at=NOW
)


def printer(name: str) -> Printer:
    return Printer(
        printer_id=PrinterId(name),
        agent_id=AgentId("a1"),
        name=name,
        printer_class="mk4",
        driver="marlin_serial",
    )


def event(name: str, subject_id: str = "job-1") -> FarmEvent:
    return FarmEvent(
        subject="job",
        subject_id=subject_id,
        name=name,
        at=NOW,
        actor="user:anna",
        cause="because",
        facts={"count": 1, "ratio": 0.5, "text": "t", "flag": False, "none": None},
    )


async def test_history_is_kept_per_subject_in_order(store: Store) -> None:
    async with store.write() as unit:
        await unit.record(event("job.received"))
        await unit.record(event("job.received", "job-2"))
        await unit.record(event("job.ready"))
    async with store.write() as unit:
        await unit.record(event("job.leased"))
    async with store.read() as unit:
        found = await unit.history("job", "job-1")
        assert await unit.history("run", "job-1") == []
    assert found == [event("job.received"), event("job.ready"), event("job.leased")]


async def test_the_outbox_gives_the_oldest_notes_until_they_are_done(store: Store) -> None:
    first, second = PrinterId("p1"), PrinterId("p2")
    async with store.write() as unit:
        for printer_id in (first, second):
            await unit.save_printer(printer(printer_id))
        for printer_id in (first, second, first):
            await unit.mark_desired(printer_id)
    async with store.read() as unit:
        notes = await unit.outbox(2)
        assert [printer_id for _, printer_id in notes] == [first, second]
    async with store.write() as unit:
        await unit.mark_desired(second)
        await unit.outbox_done([number for number, _ in notes])
    async with store.read() as unit:
        left = await unit.outbox(10)
    assert [printer_id for _, printer_id in left][-1] == second
    assert {printer_id for _, printer_id in left} == {first, second}


async def test_a_note_made_after_reading_survives_the_older_ones(store: Store) -> None:
    """The document is read, changes, and only then is the first note done: it is said again."""
    async with store.write() as unit:
        await unit.save_printer(printer("p1"))
        await unit.mark_desired(PrinterId("p1"))
    async with store.read() as unit:
        notes = await unit.outbox(10)
    async with store.write() as unit:
        await unit.mark_desired(PrinterId("p1"))
    async with store.write() as unit:
        await unit.outbox_done([number for number, _ in notes])
    async with store.read() as unit:
        assert [printer_id for _, printer_id in await unit.outbox(10)] == [PrinterId("p1")]


async def test_lines_are_numbered_and_bound_across_transactions(store: Store) -> None:
    async with store.read() as unit:
        assert (await unit.head(), await unit.events(limit=10)) == (Head(), [])
    async with store.write() as unit:
        await unit.record(event("one"), event("two"))
        await unit.record()
        await unit.record(event("three"))
    async with store.write() as unit:
        await unit.record(event("four"))
    async with store.read() as unit:
        lines, head = await unit.events(limit=10), await unit.head()
    assert lines == following(Head(), [event(name) for name in ("one", "two", "three", "four")])
    assert head == Head(number=4, hash=lines[-1].hash)


async def test_a_transaction_that_failed_leaves_no_gap(store: Store) -> None:
    async def fail() -> None:
        async with store.write() as unit:
            await unit.record(event("never"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with store.write() as unit:
        await unit.record(event("one"))
    async with store.read() as unit:
        assert await unit.events(limit=10) == following(Head(), [event("one")])


async def test_lines_are_found_by_cursor_job_printer_and_time(store: Store) -> None:
    run = replace(RUN, run_id=RunId("run-1"))
    other = replace(RUN, run_id=RunId("run-2"), job_id=JobId("job-2"), epoch=Epoch(2))
    things = (
        ("job", "job-1"),
        ("plate", "job-1/mk4"),
        ("printer", "p1"),
        ("run", "run-1"),
        ("run", "run-2"),
        ("job", "job-2"),
        ("agent", "p1"),
        ("printer", "p2"),
    )
    async with store.write() as unit:
        for job_id in ("job-1", "job-2"):
            await unit.save_job(replace(JOB, job_id=JobId(job_id)))
        await unit.save_plate(replace(PLATE, job_id=JobId("job-1")))
        await unit.save_printer(PRINTER)
        await unit.save_run(run)
        await unit.save_run(other)
        for seconds, (subject, subject_id) in enumerate(things):
            at = NOW + timedelta(seconds=seconds)
            await unit.record(replace(event("x"), subject=subject, subject_id=subject_id, at=at))

    async def found(**wanted: Any) -> list[int]:
        async with store.read() as unit:
            return [line.number for line in await unit.events(**{"limit": 10, **wanted})]

    assert await found() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert await found(limit=2) == [1, 2]
    assert await found(limit=2, after=5) == [6, 7]
    assert await found(limit=2, newest=True) == [7, 8]
    assert await found(job_id="job-1") == [1, 2, 4]
    assert await found(job_id="job-1", limit=1, newest=True) == [4]
    assert await found(printer_id="p1") == [3, 4, 5]
    assert await found(printer_id="p1", job_id="job-1") == [4]
    east = timezone(timedelta(hours=1))
    assert await found(since=(NOW + timedelta(seconds=6)).astimezone(east)) == [7, 8]
    assert await found(job_id="nobody") == []


async def test_rows_are_told_as_values_are(store: Store) -> None:
    values = (ARTIFACT, AGENT, JOB, PLATE, PRINTER, RUN)
    async with store.write() as unit:
        await unit.save_artifact(ARTIFACT)
        await unit.save_agent(AGENT)
        await unit.save_job(JOB)
        await unit.save_plate(PLATE)
        await unit.save_printer(replace(PRINTER, epoch=Epoch(0)))
        await unit.raise_epoch(PRINTER.printer_id, expected=Epoch(0))
        await unit.save_run(RUN)
    raised = replace(PRINTER, epoch=Epoch(1))
    async with store.read() as unit:
        found = dict([row async for page in unit.rows() for row in page])
    told = {thing_of(value): row_of(value) for value in values} | {thing_of(raised): row_of(raised)}
    assert found == told


async def test_lines_behind_the_checkpoint_leave_and_the_others_go_on(store: Store) -> None:
    rows: list[tuple[Thing, Told]] = [
        (("job", f"job-{n}"), ({"state": "ready"}, n)) for n in (1, 2)
    ]
    lines = following(Head(), [event(f"e{number}") for number in range(5)])
    async with store.write() as unit:
        await unit.record(*(event(f"e{number}") for number in range(5)))
        assert await unit.checkpoint() is None
        assert await unit.drop_sealed(10) == 0
    for upto in (2, 3):
        made = Checkpoint(
            number=upto, hash=lines[upto - 1].hash, rows_sha256="r", archive_sha256="a"
        )
        async with store.write() as unit:
            await unit.put_checkpoint(made)
            await unit.keep_rows(rows[:1])
            await unit.keep_rows(rows[1:])
        async with store.read() as unit:
            assert await unit.checkpoint() == made
            assert sorted([kept async for page in unit.kept_rows() for kept in page]) == rows
    async with store.write() as unit:
        assert [await unit.drop_sealed(2) for _ in range(3)] == [2, 1, 0]
        await unit.record(event("e5"))
    async with store.read() as unit:
        assert [line.number for line in await unit.events(limit=10)] == [4, 5, 6]
        assert [line.number for line in await unit.events(limit=10, after=4)] == [5, 6]
        assert (await unit.head()).number == 6


async def test_lines_since_a_time_are_found_also_where_the_clock_jumped(store: Store) -> None:
    jumps = (0, 50, 10, 20, 60, 30, 70)
    async with store.write() as unit:
        for seconds in jumps:
            await unit.record(replace(event("x"), at=NOW + timedelta(seconds=seconds)))
    wanted = [number for number, seconds in enumerate(jumps, start=1) if seconds >= 30]
    async with store.read() as unit:
        for after in (0, 2, 3, 5):
            lines = await unit.events(limit=9, since=NOW + timedelta(seconds=30), after=after)
            assert [line.number for line in lines] == [each for each in wanted if each > after]
        assert await unit.events(limit=9, since=NOW + timedelta(seconds=71)) == []


async def test_all_artifacts_that_are_known_are_told_by_age(store: Store) -> None:
    young = replace(ARTIFACT, sha256="0" * 64, created_at=NOW + timedelta(hours=1))
    async with store.write() as unit:
        await unit.save_artifact(young)
        await unit.save_artifact(ARTIFACT)
    async with store.read() as unit:
        assert await unit.artifacts() == [ARTIFACT, young]


@pytest.mark.parametrize(
    ("meant", "numbers"),
    [
        (LinesMeant(), [1, 2, 3, 4]),
        (LinesMeant(before=3), [1, 2]),
        (LinesMeant(until=NOW + timedelta(seconds=1)), [1, 2]),
        (LinesMeant(actor="user:bert"), [4]),
        (LinesMeant(actor="people"), [1, 2, 4]),
        (LinesMeant(actor="agents"), [3]),
        (LinesMeant(name="job.received"), [1]),
        (LinesMeant(name="job.*"), [1, 2, 4]),
        (LinesMeant(name="j_b.*"), []),
        (LinesMeant(subject="printer"), [3]),
        (LinesMeant(subject="job", subject_id="job-2"), [4]),
        (LinesMeant(name="job.*", actor="user:anna", before=2), [1]),
    ],
)
async def test_lines_are_found_by_who_what_and_when(
    store: Store, meant: LinesMeant, numbers: list[int]
) -> None:
    later = NOW + timedelta(minutes=1)
    async with store.write() as unit:
        await unit.record(
            event("job.received"),
            replace(event("job.ready"), actor="key:anna/ci"),
            replace(event("bed.clear", "p1"), subject="printer", at=later, actor="agent:pi"),
            replace(event("job.cancelled", "job-2"), actor="user:bert", at=later),
        )
    async with store.read() as unit:
        found = await unit.events(limit=10, meant=meant)
        assert [line.number for line in found] == numbers
        newest = await unit.events(limit=1, newest=True, meant=meant)
        assert [line.number for line in newest] == numbers[-1:]
