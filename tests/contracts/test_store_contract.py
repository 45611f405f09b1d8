"""What every `Store` keeps to."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from coordinator.domain.jobs import Job, JobState
from coordinator.domain.plates import Artifact, ArtifactKind, Plate
from coordinator.domain.printers import Agent, Bed, BedState, Printer
from coordinator.domain.runs import Run, RunState
from coordinator.ports import FarmEvent, Store
from protocols.wire.vocabulary import (
    AgentId,
    Epoch,
    JobId,
    JournalId,
    Mode,
    Nonce,
    PrinterId,
    PrinterState,
    RunId,
)

NOW = datetime(2030, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)

JOB = Job(
    job_id=JobId("job-1"),
    name="benchy ⛵",
    model_sha256="a" * 64,
    copies=3,
    material="PLA",
    quality="draft",
    printer_class="mk4",
    printer_group="lab",
    printer_tags=("enclosed", "fast"),
    printer_id=PrinterId("p1"),
    overrides={"infill": 0.2, "brim": True, "layers": 3, "pattern": "grid"},
    priority=-2,
    due_at=NOW + timedelta(days=1),
    model_id="model-1",
    model_version=3,
    held=True,
    retries_max=4,
    state=JobState.LEASED,
    reason="waits",
    created_at=NOW,
    updated_at=NOW + timedelta(seconds=1),
    version=7,
)
PLATE = Plate(
    job_id=JOB.job_id,
    sha256="b" * 64,
    name="benchy.gcode",
    size_bytes=2**40,
    printer_class="mk4",
    material="PLA",
    time_s=12.5,
    filament_mm=1.5,
    filament_g=None,
    layer_count=9,
    line_count=None,
    engine="slicer 1",
    copies=3,
    cost=0.75,
    remarks=("line 3: so long ⛵",),
    pictures={"plate-400": "c" * 64},
)
PRINTER = Printer(
    printer_id=PrinterId("p1"),
    agent_id=AgentId("a1"),
    name="first",
    printer_class="mk4",
    driver="marlin_serial",
    material="PLA",
    spool_id="spool-1",
    printer_group="lab",
    tags=("enclosed", "fast"),
    location="room 1",
    notes="squeaks",
    can_pause=False,
    online=True,
    seen=PrinterState.PRINTING,
    message="hello",
    foreign=True,
    in_service=True,
    bed=Bed(
        state=BedState.OCCUPIED,
        journal_id=JournalId("j1"),
        occupation=4,
        cleared=3,
        changed_by="user:anna",
        changed_at=NOW,
    ),
    revision=12,
    run_id=RunId("run-1"),
    journal_id=JournalId("j1"),
    events_applied=31,
    quarantine="two of them",
)
RUN = Run(
    run_id=RunId("run-1"),
    job_id=JOB.job_id,
    printer_id=PRINTER.printer_id,
    agent_id=PRINTER.agent_id,
    epoch=Epoch(3),
    plate_sha256=PLATE.sha256,
    state=RunState.PAUSED,
    mode=Mode.PAUSE,
    nonce=Nonce("n1"),
    leased_at=NOW,
    started_at=NOW + timedelta(seconds=2),
    ended_at=None,
    line=5,
    layer=1,
    reason="filament",
    facts={"duration_s": 1.5, "resends": 2, "note": "é", "ok": True, "none": None},
)
AGENT = Agent(
    agent_id=AgentId("a1"),
    online=True,
    boot_id="b1",
    connection_id="c1",
    journal_id=JournalId("j1"),
    build="0.1.0",
    seen_at=NOW,
)
ARTIFACT = Artifact(
    sha256="b" * 64, kind=ArtifactKind.PLATE, name="x.gcode", size_bytes=9, created_at=NOW
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


async def test_values_come_back_as_they_were_saved(store: Store) -> None:
    async with store.write() as unit:
        await unit.save_artifact(ARTIFACT)
        await unit.save_agent(AGENT)
        await unit.save_printer(PRINTER)
        await unit.save_job(JOB)
        await unit.save_plate(PLATE)
        await unit.save_run(RUN)
    async with store.read() as unit:
        assert await unit.artifact(ARTIFACT.sha256) == ARTIFACT
        assert await unit.agent(AGENT.agent_id) == AGENT
        assert await unit.printer(PRINTER.printer_id) == PRINTER
        assert await unit.job(JOB.job_id) == JOB
        assert await unit.plates(JOB.job_id) == [PLATE]
        assert await unit.run(RUN.run_id) == RUN


async def test_times_come_back_aware(store: Store) -> None:
    async with store.write() as unit:
        await unit.save_job(JOB)
    async with store.read() as unit:
        found = await unit.job(JOB.job_id)
    assert found is not None
    assert found.created_at.utcoffset() == timedelta(0)


async def test_what_is_not_there_is_none_or_nothing(store: Store) -> None:
    async with store.read() as unit:
        assert await unit.job(JobId("nobody")) is None
        assert await unit.run(RunId("nobody")) is None
        assert await unit.printer(PrinterId("nobody")) is None
        assert await unit.agent(AgentId("nobody")) is None
        assert await unit.artifact("c" * 64) is None
        assert await unit.plates(JobId("nobody")) == []
        assert await unit.jobs() == []
        assert await unit.history("job", "nobody") == []
        assert await unit.outbox(10) == []


async def test_saving_again_replaces(store: Store) -> None:
    changed = replace(JOB, state=JobState.FINISHED, version=8)
    async with store.write() as unit:
        await unit.save_job(JOB)
        await unit.save_job(changed)
    async with store.write() as unit:
        await unit.save_printer(PRINTER)
        await unit.save_run(RUN)
        await unit.save_run(replace(RUN, line=6))
    async with store.read() as unit:
        assert await unit.jobs() == [changed]
        assert await unit.run(RUN.run_id) == replace(RUN, line=6)


async def test_a_plate_of_the_same_class_replaces_the_old_one(store: Store) -> None:
    other = replace(PLATE, printer_class="xl", sha256="d" * 64)
    newer = replace(PLATE, sha256="e" * 64)
    async with store.write() as unit:
        await unit.save_job(JOB)
        for plate in (PLATE, other, newer):
            await unit.save_plate(plate)
    async with store.read() as unit:
        found = await unit.plates(JOB.job_id)
    assert sorted(found, key=lambda plate: plate.printer_class) == [newer, other]


async def test_a_known_artifact_stays_as_it_is(store: Store) -> None:
    async with store.write() as unit:
        await unit.save_artifact(ARTIFACT)
        await unit.save_artifact(replace(ARTIFACT, name="other.gcode"))
    async with store.read() as unit:
        assert await unit.artifact(ARTIFACT.sha256) == ARTIFACT


async def test_an_error_leaves_nothing_behind(store: Store) -> None:
    async def fail() -> None:
        async with store.write() as unit:
            await unit.save_job(JOB)
            await unit.save_printer(PRINTER)
            await unit.record(event("job.received"))
            await unit.mark_desired(PRINTER.printer_id)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with store.read() as unit:
        assert await unit.jobs() == []
        assert await unit.printers() == []
        assert await unit.history("job", "job-1") == []
        assert await unit.outbox(10) == []


async def test_a_transaction_sees_what_it_saved(store: Store) -> None:
    async with store.write() as unit:
        await unit.save_job(JOB)
        await unit.save_printer(PRINTER)
        assert await unit.job(JOB.job_id) == JOB
        assert await unit.raise_epoch(PRINTER.printer_id, expected=Epoch(0))
        assert (await unit.printers())[0].epoch == 1


async def test_jobs_come_in_order_of_arrival_and_by_state(store: Store) -> None:
    arrived = [
        replace(JOB, job_id=JobId(name), created_at=NOW + timedelta(seconds=seconds), state=state)
        for name, seconds, state in (
            ("job-c", 0, JobState.READY),
            ("job-a", 1, JobState.LOST),
            ("job-b", 2, JobState.READY),
        )
    ]
    async with store.write() as unit:
        for job in reversed(arrived):
            await unit.save_job(job)
    async with store.read() as unit:
        assert [job.job_id for job in await unit.jobs()] == ["job-c", "job-a", "job-b"]
        ready = await unit.jobs((JobState.READY, JobState.PRINTING))
        assert [job.job_id for job in ready] == ["job-c", "job-b"]
        assert await unit.jobs(()) == []


async def test_runs_are_found_by_job_printer_and_life_oldest_first(store: Store) -> None:
    runs = [
        replace(
            RUN,
            run_id=RunId(f"run-{number}"),
            printer_id=PrinterId("p2" if number == 3 else "p1"),
            job_id=JobId("job-2" if number == 2 else "job-1"),
            leased_at=NOW + timedelta(seconds=number),
            epoch=Epoch(number),
            state=state,
            ended_at=None,
        )
        for number, state in enumerate(RunState, start=1)
    ]
    async with store.write() as unit:
        await unit.save_job(JOB)
        await unit.save_job(replace(JOB, job_id=JobId("job-2")))
        await unit.save_printer(PRINTER)
        await unit.save_printer(replace(PRINTER, printer_id=PrinterId("p2")))
        for run in reversed(runs):
            await unit.save_run(run)
    async with store.read() as unit:
        assert await unit.runs() == runs
        assert await unit.runs(job_id=JobId("job-2")) == [runs[1]]
        assert await unit.runs(printer_id=PrinterId("p2")) == [runs[2]]
        assert await unit.runs(live=True) == [run for run in runs if run.live]
        ended = [run for run in runs if not run.live and run.printer_id == "p1"]
        assert await unit.runs(printer_id=PrinterId("p1"), live=False) == ended


async def test_printers_and_agents_come_by_id(store: Store) -> None:
    async with store.write() as unit:
        for name, agent in (("p2", "a1"), ("p1", "a2"), ("p3", "a1")):
            await unit.save_printer(
                replace(PRINTER, printer_id=PrinterId(name), agent_id=AgentId(agent))
            )
        for name in ("a2", "a1"):
            await unit.save_agent(replace(AGENT, agent_id=AgentId(name)))
    async with store.read() as unit:
        assert [each.printer_id for each in await unit.printers()] == ["p1", "p2", "p3"]
        assert [each.printer_id for each in await unit.printers(AgentId("a1"))] == ["p2", "p3"]
        assert [each.agent_id for each in await unit.agents()] == ["a1", "a2"]


async def test_what_is_retired_is_left_out_unless_it_is_asked_for(store: Store) -> None:
    async with store.write() as unit:
        for name, retired_at in (("p1", None), ("p2", NOW)):
            gone = replace(PRINTER, printer_id=PrinterId(name), retired_at=retired_at)
            await unit.save_printer(gone)
            await unit.save_agent(replace(AGENT, agent_id=AgentId(name), retired_at=retired_at))
    async with store.read() as unit:
        for asked, ids in ((False, ["p1"]), (True, ["p2"]), (None, ["p1", "p2"])):
            assert [each.printer_id for each in await unit.printers(retired=asked)] == ids
            assert [each.agent_id for each in await unit.agents(retired=asked)] == ids


async def test_only_raising_changes_an_epoch(store: Store) -> None:
    async with store.write() as unit:
        await unit.save_printer(PRINTER)
        assert await unit.raise_epoch(PRINTER.printer_id, expected=Epoch(0))
        await unit.save_printer(replace(PRINTER, name="renamed", epoch=Epoch(0)))
    async with store.write() as unit:
        await unit.save_printer(replace(PRINTER, name="renamed", epoch=Epoch(99)))
    async with store.read() as unit:
        found = await unit.printer(PRINTER.printer_id)
    assert found is not None
    assert (found.name, found.epoch) == ("renamed", 1)


async def test_an_epoch_is_raised_only_from_what_is_expected(store: Store) -> None:
    async with store.write() as unit:
        await unit.save_printer(PRINTER)
        assert await unit.raise_epoch(PRINTER.printer_id, expected=Epoch(0))
        assert not await unit.raise_epoch(PRINTER.printer_id, expected=Epoch(0))
        assert not await unit.raise_epoch(PRINTER.printer_id, expected=Epoch(2))
        assert not await unit.raise_epoch(PrinterId("nobody"), expected=Epoch(0))
    async with store.read() as unit:
        found = await unit.printer(PRINTER.printer_id)
    assert found is not None
    assert found.epoch == 1


async def test_of_writers_at_once_exactly_one_raises_an_epoch(store: Store) -> None:
    async with store.write() as unit:
        await unit.save_printer(PRINTER)

    async def raise_it() -> bool:
        async with store.write() as unit:
            found = await unit.printer(PRINTER.printer_id)
            assert found is not None
            await asyncio.sleep(0)
            return await unit.raise_epoch(PRINTER.printer_id, expected=Epoch(0))

    assert sorted(await asyncio.gather(*(raise_it() for _ in range(5)))) == [False] * 4 + [True]


async def test_writers_do_not_overlap(store: Store) -> None:
    async with store.write() as unit:
        await unit.save_job(replace(JOB, version=0))

    async def count_up() -> None:
        async with store.write() as unit:
            job = await unit.job(JOB.job_id)
            assert job is not None
            await asyncio.sleep(0)
            await unit.save_job(replace(job, version=job.version + 1))

    await asyncio.gather(*(count_up() for _ in range(8)))
    async with store.read() as unit:
        job = await unit.job(JOB.job_id)
    assert job is not None
    assert job.version == 8


async def test_a_reader_sees_one_state_while_somebody_writes(store: Store) -> None:
    async with store.write() as unit:
        await unit.save_job(JOB)
    async with store.read() as reader:
        assert len(await reader.jobs()) == 1
        async with store.write() as unit:
            await unit.save_job(replace(JOB, job_id=JobId("job-2")))
        assert len(await reader.jobs()) == 1
    async with store.read() as reader:
        assert len(await reader.jobs()) == 2
