"""What every `Store` keeps to when it is asked for some of many jobs or printers."""

from dataclasses import replace
from datetime import timedelta

import pytest

from coordinator.domain.copies import tally
from coordinator.domain.jobs import Job, JobState
from coordinator.domain.planning import precedence
from coordinator.domain.plates import Plate, PlateState
from coordinator.domain.printers import Printer
from coordinator.domain.runs import Run, RunState
from coordinator.ports import Store
from protocols.wire.vocabulary import AgentId, Epoch, JobId, PrinterId, RunId
from tests.contracts.test_store_contract import JOB, NOW, PRINTER, RUN

# These have a place in the queue as well, and get no lease.
WAITING = (JobState.RECEIVED, JobState.PREPARING)


def job(name: str, **changes: object) -> Job:
    usual = {
        "held": False,
        "state": JobState.READY,
        "printer_id": None,
        "priority": 0,
        "due_at": None,
        "place_at": None,
        "place_due_at": None,
    }
    return replace(JOB, job_id=JobId(name), **{**usual, **changes})  # type: ignore[arg-type]


async def test_jobs_that_want_leases_come_by_precedence_and_in_pages(store: Store) -> None:
    jobs = [
        job("late", created_at=NOW + timedelta(seconds=9)),
        job("b"),
        job("a"),
        job("urgent", priority=5, created_at=NOW + timedelta(seconds=99)),
        job("due", due_at=NOW + timedelta(days=2), created_at=NOW + timedelta(seconds=99)),
        job("due soon", due_at=NOW + timedelta(days=1), created_at=NOW + timedelta(seconds=99)),
        job("moved up", place_at=NOW, place_due_at=NOW + timedelta(days=2)),
        job("moved down", due_at=NOW, place_at=NOW - timedelta(seconds=1)),
    ]
    async with store.write() as unit:
        for each in jobs:
            await unit.save_job(each)
    ordered = [each.job_id for each in sorted(jobs, key=precedence)]
    assert ordered == ["urgent", "due soon", "moved up", "due", "moved down", "a", "b", "late"]
    async with store.read() as unit:
        pages = [
            [each.job_id for each in await unit.jobs_wanting(offset=offset, limit=3)]
            for offset in (0, 3, 6, 9)
        ]
        queue = await unit.queue()
    assert pages == [ordered[:3], ordered[3:6], ordered[6:], []]
    assert queue == ordered


@pytest.mark.parametrize("state", list(RunState))
@pytest.mark.parametrize(("copies", "on_plate"), [(1, 1), (2, 1), (2, 2), (3, 2)])
async def test_a_job_wants_leases_while_its_runs_bring_fewer_copies_than_it_wants(
    store: Store, state: RunState, copies: int, on_plate: int
) -> None:
    wanted = job("wanted", copies=copies)
    run = replace(RUN, job_id=wanted.job_id, state=state, copies=on_plate)
    async with store.write() as unit:
        await unit.save_printer(PRINTER)
        await unit.save_job(wanted)
        await unit.save_run(run)
    async with store.read() as unit:
        found = await unit.jobs_wanting(offset=0, limit=10)
    assert found == ([wanted] if tally(wanted, [run]).wanted else [])


@pytest.mark.parametrize("state", list(JobState))
async def test_only_open_jobs_that_nobody_holds_want_leases(store: Store, state: JobState) -> None:
    async with store.write() as unit:
        await unit.save_job(job("free", state=state, printer_id=PrinterId("p7")))
        await unit.save_job(job("held", state=state, held=True))
    is_open = state in (JobState.READY, JobState.LEASED, JobState.PRINTING)
    async with store.read() as unit:
        found = [each.job_id for each in await unit.jobs_wanting(offset=0, limit=10)]
        insisted_on = await unit.printers_insisted_on()
        queue = await unit.queue()
    assert sorted(queue) == (["free", "held"] if is_open or state in WAITING else [])
    assert found == (["free"] if is_open else [])
    assert insisted_on == ({"p7"} if is_open else set())


async def test_printers_are_chosen_by_agent_presence_lease_and_number(store: Store) -> None:
    def printer(name: str, agent: str, *, online: bool, leased: bool) -> Printer:
        return replace(
            PRINTER,
            printer_id=PrinterId(name),
            agent_id=AgentId(agent),
            online=online,
            run_id=RunId("run-1") if leased else None,
        )

    async with store.write() as unit:
        await unit.save_printer(printer("p1", "a1", online=True, leased=False))
        await unit.save_printer(printer("p2", "a1", online=True, leased=True))
        await unit.save_printer(printer("p3", "a2", online=False, leased=True))
        await unit.save_printer(printer("p4", "a2", online=False, leased=False))
    async with store.read() as unit:
        found = {
            "all": await unit.printers(),
            "some": await unit.printers(limit=2),
            "mine": await unit.printers(AgentId("a2")),
            "free": await unit.printers(online=True, leased=False),
            "stranded": await unit.printers(online=False, leased=True),
        }
    names = {choice: [each.printer_id for each in some] for choice, some in found.items()}
    assert names == {
        "all": ["p1", "p2", "p3", "p4"],
        "some": ["p1", "p2"],
        "mine": ["p3", "p4"],
        "free": ["p1"],
        "stranded": ["p3"],
    }


async def test_a_jobs_runs_are_as_they_were_saved_a_moment_ago(store: Store) -> None:
    first = replace(RUN, run_id=RunId("run-1"), state=RunState.LEASED)
    second = replace(RUN, run_id=RunId("run-2"), epoch=Epoch(4))
    async with store.write() as unit:
        await unit.save_printer(PRINTER)
        await unit.save_job(JOB)
        assert await unit.runs(job_id=JOB.job_id) == []
        await unit.save_run(first)
        await unit.save_run(second)
        changed: Run = replace(first, state=RunState.REVOKED)
        await unit.save_run(changed)
        assert await unit.runs(job_id=JOB.job_id) == [changed, second]
    async with store.read() as unit:
        assert await unit.runs(job_id=JOB.job_id) == [changed, second]


async def test_wanted_plates_come_by_their_jobs_precedence_and_only_of_jobs_that_go_on(
    store: Store,
) -> None:
    jobs = [
        job("first"),
        job("urgent", priority=5),
        job("due", due_at=NOW + timedelta(days=1), created_at=NOW + timedelta(seconds=2)),
        job("lost", state=JobState.LOST, created_at=NOW + timedelta(seconds=1)),
        job("over", state=JobState.CANCELLED),
        job("ending", state=JobState.CANCELLING),
    ]
    plates = [
        Plate(job_id=each.job_id, printer_class=name, state=state)
        for each in jobs
        for name, state in (
            ("xl", PlateState.WANTED),
            ("mk4", PlateState.WANTED),
            ("mini", PlateState.MADE),
            ("s1", PlateState.REFUSED),
        )
    ]
    async with store.write() as unit:
        for each in jobs:
            await unit.save_job(each)
        for plate in plates:
            await unit.save_plate(plate)
    async with store.read() as unit:
        found = [(each.job_id, each.printer_class) for each in await unit.plates_wanted()]
    wanted = [(name, cls) for name in ("urgent", "due", "first", "lost") for cls in ("mk4", "xl")]
    assert found == wanted


async def test_runs_that_finished_tell_how_long_they_took_the_last_first(store: Store) -> None:
    facts = {"duration_s": 90.5}
    runs = [
        replace(
            RUN,
            run_id=RunId(f"run-{number}"),
            epoch=Epoch(number),
            job_id=JobId("timed"),
            plate_sha256="c" * 64,
            state=state,
            facts=its_facts,
        )
        for number, (state, its_facts) in enumerate(
            [
                (RunState.FINISHED, {"duration_s": 80}),
                (RunState.FINISHED, facts),
                (RunState.FAILED, facts),
                (RunState.FINISHED, {}),  # settled by a person
            ],
            start=1,
        )
    ]
    untold = replace(runs[1], run_id=RunId("run-9"), epoch=Epoch(9), plate_sha256="d" * 64)
    async with store.write() as unit:
        await unit.save_printer(PRINTER)
        await unit.save_job(job("timed"))
        plate = Plate(job_id=JobId("timed"), sha256="c" * 64, printer_class="mk4", time_s=60.0)
        await unit.save_plate(plate)
        await unit.save_plate(replace(plate, sha256="d" * 64, printer_class="xl", time_s=None))
        for run in [*runs, untold]:
            await unit.save_run(run)
    async with store.read() as unit:
        found = await unit.timings(10)
    assert [(each.foretold_s, each.measured_s) for each in found] == [(60.0, 90.5), (60.0, 80.0)]
    assert {(each.printer_id, each.printer_class) for each in found} == {
        (PRINTER.printer_id, PRINTER.printer_class)
    }
