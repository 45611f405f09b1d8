"""What every `Store` keeps to where lists of jobs and receipts are concerned."""

from dataclasses import replace
from datetime import timedelta

import pytest

from coordinator.domain.jobs import JobState
from coordinator.domain.listing import JobsWanted, place_of
from coordinator.domain.receipts import Receipt
from coordinator.domain.runs import RunState
from coordinator.ports import Store
from protocols.wire.vocabulary import Epoch, JobId, PrinterId, RunId
from tests.contracts.test_store_contract import AGENT, ARTIFACT, JOB, NOW, PLATE, PRINTER, RUN

COUNT = 7
# Two of them arrived in the same microsecond.
JOBS = [
    replace(
        JOB,
        job_id=JobId(f"job-{number}"),
        created_at=NOW + timedelta(seconds=number // 2),
        updated_at=NOW + timedelta(minutes=number),
        material="PLA" if number % 2 else "PETG",
        state=JobState.FINISHED if number < 5 else JobState.READY,
    )
    for number in range(COUNT)
]
RECEIPT = Receipt(key="user:anna k", at=NOW, fingerprint="f" * 64, subject_id="job-1")


async def filled(store: Store) -> Store:
    async with store.write() as unit:
        for job in JOBS:
            await unit.save_job(job)
    return store


@pytest.mark.parametrize("newest", [False, True])
async def test_pages_one_after_the_other_are_the_whole_list(store: Store, newest: bool) -> None:
    wanted, seen, after = JobsWanted(newest=newest), [], None
    async with (await filled(store)).read() as unit:
        while page := await unit.jobs_page(wanted, after=after, limit=3):
            seen += page
            after = place_of(page[-1])
    assert seen == (JOBS[::-1] if newest else JOBS)


async def test_a_job_that_comes_meanwhile_moves_nothing_between_pages(store: Store) -> None:
    wanted = JobsWanted(newest=True)
    async with (await filled(store)).read() as unit:
        first = await unit.jobs_page(wanted, after=None, limit=3)
    async with store.write() as unit:
        await unit.save_job(replace(JOB, job_id=JobId("late"), created_at=NOW + timedelta(days=1)))
        rest = await unit.jobs_page(wanted, after=place_of(first[-1]), limit=COUNT)
    assert first + rest == JOBS[::-1]


async def test_a_list_holds_what_is_wanted_and_is_counted_up_to_a_limit(store: Store) -> None:
    wanted = JobsWanted(
        states=(JobState.FINISHED,), material="PLA", since=NOW + timedelta(minutes=2)
    )
    async with (await filled(store)).read() as unit:
        page = await unit.jobs_page(wanted, after=None, limit=COUNT)
        assert [job.job_id for job in page] == ["job-3"]
        assert await unit.jobs_count(wanted, limit=COUNT) == 1
        assert await unit.jobs_count(JobsWanted(), limit=COUNT - 1) == COUNT - 1
        assert not await unit.jobs_page(JobsWanted(printer_class="other"), after=None, limit=9)
        assert await unit.job_states() == {JobState.FINISHED: 5, JobState.READY: 2}


async def test_runs_that_ended_are_counted_by_printer_and_outcome(store: Store) -> None:
    ended = {3: RunState.FINISHED, 4: RunState.FINISHED, 5: RunState.FAILED, 6: None}
    async with store.write() as unit:
        await unit.save_agent(AGENT)
        await unit.save_printer(PRINTER)
        await unit.save_artifact(ARTIFACT)
        await unit.save_job(JOB)
        for number, state in ended.items():
            run = replace(RUN, run_id=RunId(f"run-{number}"), epoch=Epoch(number))
            done = state and replace(run, state=state, ended_at=NOW)
            await unit.save_run(done or run)
        assert await unit.runs_ended() == [
            (PRINTER.printer_id, RunState.FAILED, 1),
            (PRINTER.printer_id, RunState.FINISHED, 2),
        ]


async def test_a_receipt_is_kept_until_it_is_too_old(store: Store) -> None:
    answered = replace(RECEIPT, answer='{"status": 201}')
    async with store.write() as unit:
        await unit.save_receipt(RECEIPT)
        await unit.save_receipt(answered)
    async with store.write() as unit:
        assert await unit.receipt(RECEIPT.key) == answered
        await unit.drop_receipts(NOW)
        assert await unit.receipt(RECEIPT.key) == answered
        await unit.drop_receipts(NOW + timedelta(microseconds=1))
        assert await unit.receipt(RECEIPT.key) is None


async def test_jobs_are_found_by_owner_model_and_words_of_their_name(store: Store) -> None:
    odd = replace(JOB, name="100% Hub_1", owner="user:bert", model_id="model-1", model_version=2)
    async with store.write() as unit:
        for number, job in enumerate(
            (odd, replace(odd, name="100 hubs", owner=""), replace(JOB, model_id=""))
        ):
            await unit.save_job(replace(job, job_id=JobId(f"job-{number}")))

    async def found(**wanted: str) -> list[str]:
        async with store.read() as unit:
            jobs = await unit.jobs_page(JobsWanted(**wanted), after=None, limit=9)  # type: ignore[arg-type]
        return [job.job_id for job in jobs]

    assert await found(owner="user:bert") == ["job-0"]
    assert await found(model_id="model-1") == ["job-0", "job-1"]
    assert await found(text="hUb") == ["job-0", "job-1"]
    assert await found(text="0% h") == ["job-0"]
    assert await found(text="hub_") == ["job-0"]


async def test_a_printers_last_runs_are_those_with_the_highest_epochs(store: Store) -> None:
    runs = [
        replace(RUN, run_id=RunId(f"run-{number}"), epoch=Epoch(number)) for number in range(1, 6)
    ]
    other = replace(PRINTER, printer_id=PrinterId("p2"))
    async with store.write() as unit:
        await unit.save_artifact(ARTIFACT)
        await unit.save_agent(AGENT)
        await unit.save_printer(PRINTER)
        await unit.save_printer(other)
        await unit.save_job(JOB)
        for run in (runs[2], runs[0], runs[4], runs[1], runs[3]):
            await unit.save_run(run)
        elsewhere = replace(RUN, run_id=RunId("run-0"), printer_id=other.printer_id)
        await unit.save_run(elsewhere)
    async with store.read() as unit:
        assert await unit.last_runs(PRINTER.printer_id, 3) == [runs[4], runs[3], runs[2]]
        assert await unit.last_runs(other.printer_id, 3) == [elsewhere]
        assert await unit.last_runs(PrinterId("p3"), 3) == []


async def test_runs_and_plates_of_many_jobs_are_those_of_each_of_them(store: Store) -> None:
    async with (await filled(store)).write() as unit:
        await unit.save_agent(AGENT)
        await unit.save_artifact(ARTIFACT)
        await unit.save_printer(PRINTER)
        for number in (5, 1, 3):
            job_id = JobId(f"job-{number % 4}")
            run_id = RunId(f"run-{number}")
            await unit.save_run(replace(RUN, run_id=run_id, job_id=job_id, epoch=Epoch(number)))
        for printer_class in ("xl", "mk4", ""):
            await unit.save_plate(
                replace(PLATE, job_id=JOBS[1].job_id, printer_class=printer_class)
            )
        await unit.save_plate(replace(PLATE, job_id=JOBS[2].job_id))
    wanted = [JOBS[3].job_id, JOBS[1].job_id, JOBS[0].job_id]
    async with store.read() as unit:
        each = {job_id: await unit.runs(job_id=job_id) for job_id in wanted}
        assert await unit.runs_of(wanted) == each
        assert [len(those) for those in each.values()] == [1, 2, 0]
        plates = {job_id: await unit.plates(job_id) for job_id in wanted}
        assert await unit.plates_of(wanted) == plates
        assert [len(those) for those in plates.values()] == [0, 3, 0]
        jobs = {job.job_id: job for job in JOBS if job.job_id in wanted}
        assert await unit.jobs_of([*wanted, JobId("nobody's")]) == jobs
        assert await unit.jobs_of([]) == await unit.runs_of([]) == await unit.plates_of([]) == {}


async def test_more_jobs_than_a_statement_takes_are_looked_up_as_well(store: Store) -> None:
    many = [replace(JOB, job_id=JobId(f"job-{number:04}")) for number in range(1000)]
    async with store.write() as unit:
        for job in many:
            await unit.save_job(job)
    async with store.read() as unit:
        assert await unit.jobs_of([job.job_id for job in many]) == {job.job_id: job for job in many}
