"""What every `Store` keeps to, of history and outbox."""

from datetime import UTC, datetime

from coordinator.domain.printers import Printer
from coordinator.ports import FarmEvent, Store
from protocols.wire.vocabulary import AgentId, PrinterId

NOW = datetime(2030, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)


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
