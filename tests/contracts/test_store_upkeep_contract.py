"""What every `Store` keeps to with maintenance."""

from dataclasses import replace
from datetime import timedelta

from coordinator.domain.history import row_of, thing_of
from coordinator.domain.runs import RunState
from coordinator.domain.upkeep import Upkeep
from coordinator.ports import Store
from protocols.wire.vocabulary import Epoch, PrinterId, RunId
from tests.contracts.test_store_contract import JOB, NOW, PRINTER, RUN

TASK = Upkeep(
    upkeep_id="upkeep-1",
    printer_id=PRINTER.printer_id,
    name="oil the rods",
    every_h=200.5,
    since=NOW,
    created_at=NOW,
)


async def test_tasks_come_back_as_they_were_saved_last(store: Store) -> None:
    done = replace(TASK, every_days=30.0, every_h=None, done_by="user:anna", version=1)
    other = replace(TASK, upkeep_id="upkeep-0", printer_id=PrinterId("p2"), archived=True)
    async with store.write() as unit:
        for task in (TASK, done, other):
            await unit.save_upkeep(task)
    async with store.read() as unit:
        assert await unit.upkeep("upkeep-1") == done
        assert await unit.upkeep("upkeep-2") is None
        assert await unit.upkeeps() == await unit.upkeeps(PRINTER.printer_id) == [done]
        assert await unit.upkeeps(archived=True) == [other, done]
        rows = dict([told async for page in unit.rows() for told in page])
    assert rows == {thing_of(task): row_of(task) for task in (done, other)}


async def test_only_time_that_a_printer_printed_since_then_counts(store: Store) -> None:
    hour = timedelta(hours=1)
    spans = (
        (NOW - 3 * hour, NOW - hour),  # before
        (NOW - hour, NOW + hour),  # half of it
        (NOW + hour, NOW + 3 * hour),
        (NOW + 4 * hour, None),
        (None, NOW + 5 * hour),
    )
    async with store.write() as unit:
        await unit.save_job(JOB)
        await unit.save_printer(PRINTER)
        await unit.save_printer(replace(PRINTER, printer_id=PrinterId("p2")))
        for number, (started, ended) in enumerate(spans):
            run = replace(RUN, run_id=RunId(f"run-{number}"), epoch=Epoch(number + 1))
            run = replace(run, state=RunState.FINISHED, started_at=started, ended_at=ended)
            await unit.save_run(run)
            await unit.save_run(
                replace(run, run_id=RunId(f"other-{number}"), printer_id=PrinterId("p2"))
            )
    async with store.read() as unit:
        assert await unit.printed_s(PRINTER.printer_id, NOW) == 3 * 3600
        assert await unit.printed_s(PrinterId("p9"), NOW) == 0
