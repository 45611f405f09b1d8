"""What people tell the farm, and what it answers in the wrong moment."""

from dataclasses import replace

import pytest

from coordinator.domain.jobs import JobState
from coordinator.domain.printers import BedState
from coordinator.domain.runs import RunState
from coordinator.errors import NotFound, NotNow, Refused
from coordinator.usecases.absorbing import absorb
from coordinator.usecases.controlling import (
    cancel_job,
    clear_printer,
    pause_job,
    resume_job,
    set_service,
    settle_run,
)
from coordinator.usecases.farm import Farm
from coordinator.usecases.reading import job_view, printer_view
from protocols.wire.to_agent import BedClearance
from protocols.wire.vocabulary import EventKind, JobId, Mode, PrinterId, RunId, RunPhase
from tests.fakes.fake_farm import order_gcode
from tests.fakes.model_agent import ModelAgent
from tests.fakes.recording_link import RecordingLink
from tests.fakes.story import arm, connect, end, names_in_history, say, start, the_run, work

ANNA = "user:anna"


async def test_a_job_that_did_not_start_is_cancelled_at_once(farm: Farm, agent: ModelAgent) -> None:
    job = await order_gcode(farm)
    await work(farm, agent)
    assert (await cancel_job(farm, job.job_id, ANNA)).state is JobState.CANCELLED
    assert (await the_run(farm)).state is RunState.REVOKED
    await work(farm, agent)
    assert agent.desired is not None
    assert (agent.desired.assignment, agent.epoch) == (None, 2)


async def test_a_job_that_prints_is_cancelled_when_it_has_stopped(
    farm: Farm, agent: ModelAgent
) -> None:
    job = await order_gcode(farm)
    await work(farm, agent)
    await start(farm, agent)
    assert (await cancel_job(farm, job.job_id, ANNA)).state is JobState.CANCELLING
    await work(farm, agent)
    assert agent.desired is not None
    assert agent.desired.mode is Mode.STOP
    assert (await cancel_job(farm, job.job_id, ANNA)).state is JobState.CANCELLING
    await end(farm, agent, EventKind.STOPPED)
    assert (await job_view(farm, job.job_id)).job.state is JobState.CANCELLED
    assert (await job_view(farm, job.job_id)).waits == ()
    with pytest.raises(NotNow, match="cancelled already"):
        await cancel_job(farm, job.job_id, ANNA)


async def test_a_permitted_run_is_not_revoked_by_cancelling_but_by_its_proof(
    farm: Farm, agent: ModelAgent
) -> None:
    job = await order_gcode(farm)
    await work(farm, agent)
    await arm(farm, agent, "n1")
    assert (await cancel_job(farm, job.job_id, ANNA)).state is JobState.CANCELLING
    assert (await the_run(farm)).state is RunState.PERMITTED
    await arm(farm, agent, "n2")
    assert (await the_run(farm)).state is RunState.REVOKED
    assert (await job_view(farm, job.job_id)).job.state is JobState.CANCELLED


async def test_an_agent_that_gives_a_cancelled_run_back_ends_it(
    farm: Farm, agent: ModelAgent
) -> None:
    job = await order_gcode(farm)
    await work(farm, agent)
    await arm(farm, agent, "n1")
    await cancel_job(farm, job.job_id, ANNA)
    agent.end(RunPhase.STOPPED, EventKind.RELEASED)
    await say(farm, agent)
    assert (await the_run(farm)).state is RunState.REVOKED
    assert (await job_view(farm, job.job_id)).job.state is JobState.CANCELLED


async def test_what_was_never_ordered_is_not_found(farm: Farm) -> None:
    for verb in (cancel_job, pause_job, resume_job):
        with pytest.raises(NotFound):
            await verb(farm, JobId("nobody"), ANNA)
    with pytest.raises(NotFound):
        await clear_printer(farm, PrinterId("nobody"), ANNA)
    with pytest.raises(NotFound):
        await settle_run(farm, RunId("nobody"), "finished", ANNA)


async def test_a_paused_job_pauses_what_prints_and_goes_on_when_resumed(
    farm: Farm, agent: ModelAgent
) -> None:
    job = await order_gcode(farm)
    await work(farm, agent)
    await start(farm, agent)
    await pause_job(farm, job.job_id, ANNA)
    await work(farm, agent)
    assert agent.desired is not None
    assert agent.desired.mode is Mode.PAUSE
    agent.note(EventKind.PAUSED)
    await say(farm, agent)
    assert (await the_run(farm)).state is RunState.PAUSED
    assert (await resume_job(farm, job.job_id, ANNA)).held is False
    await work(farm, agent)
    assert agent.desired.mode is Mode.RUN
    agent.note(EventKind.RESUMED)
    await say(farm, agent)
    assert (await the_run(farm)).state is RunState.PRINTING
    assert (await names_in_history(farm, "job", job.job_id))[-2:] == ["job.paused", "job.resumed"]


async def test_a_paused_job_gives_back_what_did_not_start(farm: Farm, agent: ModelAgent) -> None:
    job = await order_gcode(farm)
    await work(farm, agent)
    await pause_job(farm, job.job_id, ANNA)
    assert (await the_run(farm)).state is RunState.REVOKED
    await work(farm, agent)
    view = await job_view(farm, job.job_id)
    assert (view.job.state, view.copies_live) == (JobState.READY, 0)
    assert [wait.code for wait in view.waits] == ["held"]
    await resume_job(farm, job.job_id, ANNA)
    await work(farm, agent)
    assert (await the_run(farm)).state is RunState.LEASED


async def test_a_cancelled_job_does_not_resume_its_stopping_run(
    farm: Farm, agent: ModelAgent
) -> None:
    job = await order_gcode(farm)
    await work(farm, agent)
    await start(farm, agent)
    await pause_job(farm, job.job_id, ANNA)
    await cancel_job(farm, job.job_id, ANNA)
    await resume_job(farm, job.job_id, ANNA)
    assert (await the_run(farm)).mode is Mode.STOP


async def test_pausing_is_refused_where_the_printer_cannot(farm: Farm, agent: ModelAgent) -> None:
    stiff = replace(agent.presence().printers[0], can_pause=False)
    await absorb(farm, replace(agent.presence(), printers=(stiff,)))
    job = await order_gcode(farm)
    await work(farm, agent)
    await start(farm, agent)
    with pytest.raises(NotNow, match="can't pause"):
        await pause_job(farm, job.job_id, ANNA)
    assert not (await job_view(farm, job.job_id)).job.held


async def test_a_job_that_is_not_paused_is_not_resumed(farm: Farm) -> None:
    job = await order_gcode(farm)
    with pytest.raises(NotNow):
        await resume_job(farm, job.job_id, ANNA)


async def test_a_bed_is_not_cleared_under_a_live_run(farm: Farm, agent: ModelAgent) -> None:
    await order_gcode(farm)
    await work(farm, agent)
    with pytest.raises(NotNow, match="its bed is not clear"):
        await clear_printer(farm, agent.printer_id, ANNA)


async def test_a_bed_is_not_cleared_under_a_foreign_print(farm: Farm, agent: ModelAgent) -> None:
    await absorb(farm, replace(agent.reported(), foreign=True))
    with pytest.raises(NotNow, match="no agent started"):
        await clear_printer(farm, agent.printer_id, ANNA)


async def test_clearing_works_while_the_printer_is_off_and_is_told_later(
    farm: Farm, agent: ModelAgent
) -> None:
    await order_gcode(farm)
    await work(farm, agent)
    await start(farm, agent)
    await end(farm, agent)
    await absorb(farm, replace(agent.presence(), online=False))
    printer = await clear_printer(farm, agent.printer_id, ANNA)
    assert (printer.bed.state, printer.bed.changed_by) == (BedState.CLEAR, ANNA)
    await work(farm, agent)
    assert agent.desired is not None
    assert agent.desired.cleared == BedClearance(journal_id=agent.journal_id, occupation=1)


async def test_a_clearance_covers_only_what_was_known_then(farm: Farm, agent: ModelAgent) -> None:
    """Something was printed at the panel while the agent was away, and somebody cleared before."""
    agent.occupation += 1
    await absorb(farm, agent.reported())
    printer = (await printer_view(farm, agent.printer_id)).printer
    assert (printer.bed.state, printer.bed.cleared) == (BedState.OCCUPIED, 0)


@pytest.mark.parametrize(
    ("outcome", "run_state", "job_state"),
    [
        ("finished", RunState.FINISHED, JobState.FINISHED),
        ("failed", RunState.FAILED, JobState.READY),
        ("reprint", RunState.DISCARDED, JobState.READY),
    ],
)
async def test_a_person_settles_a_lost_run(
    farm: Farm, agent: ModelAgent, outcome: str, run_state: RunState, job_state: JobState
) -> None:
    job = await order_gcode(farm)
    await work(farm, agent)
    await start(farm, agent)
    await absorb(farm, ModelAgent(agent.name, journal=2, boot=2).presence())
    lost = await the_run(farm)
    assert lost.state is RunState.LOST
    run = await settle_run(farm, lost.run_id, outcome, ANNA)
    assert (run.state, run.reason) == (run_state, f"settled as {outcome} by {ANNA}")
    assert (await job_view(farm, job.job_id)).job.state is job_state


async def test_only_lost_runs_are_settled(farm: Farm, agent: ModelAgent) -> None:
    await order_gcode(farm)
    await work(farm, agent)
    run = await the_run(farm)
    with pytest.raises(NotNow, match="nothing to settle"):
        await settle_run(farm, run.run_id, "finished", ANNA)
    with pytest.raises(Refused, match="finished, failed, reprint"):
        await settle_run(farm, run.run_id, "perhaps", ANNA)


async def test_a_reprint_is_not_counted_as_a_failure(farm: Farm, agent: ModelAgent) -> None:
    job = await order_gcode(farm)
    for journal in (2, 3, 4):
        await work(farm, agent)
        await start(farm, agent)
        agent = ModelAgent(agent.name, journal=journal, boot=journal)
        await absorb(farm, agent.presence())
        await settle_run(farm, (await the_run(farm)).run_id, "reprint", ANNA)
        await work(farm, agent)
        await say(farm, agent)
        await clear_printer(farm, agent.printer_id, ANNA)
    assert (await job_view(farm, job.job_id)).job.state is JobState.READY


async def test_a_printer_in_service_gives_its_lease_back_and_gets_none(
    farm: Farm, agent: ModelAgent
) -> None:
    await order_gcode(farm)
    await work(farm, agent)
    await set_service(farm, agent.printer_id, True, ANNA)
    await work(farm, agent)
    assert (await the_run(farm)).state is RunState.REVOKED
    await set_service(farm, agent.printer_id, False, ANNA)
    await work(farm, agent)
    assert (await the_run(farm)).state is RunState.LEASED


async def test_giving_a_printer_back_ends_its_quarantine(farm: Farm, agent: ModelAgent) -> None:
    await order_gcode(farm)
    await work(farm, agent)
    await arm(farm, agent, "n1")
    assert agent.run is not None
    agent.run.nonces.clear()
    await arm(farm, agent, "n2")
    assert (await printer_view(farm, agent.printer_id)).printer.quarantine
    await set_service(farm, agent.printer_id, False, ANNA)
    assert not (await printer_view(farm, agent.printer_id)).printer.quarantine


async def test_every_change_tells_who_made_it(farm: Farm, agent: ModelAgent) -> None:
    job = await order_gcode(farm)
    await cancel_job(farm, job.job_id, "user:bert")
    async with farm.store.read() as unit:
        history = await unit.history("job", job.job_id)
    assert [event.actor for event in history][-1] == "user:bert"


async def test_a_cancelled_job_frees_its_printer_for_the_next(
    farm: Farm, agent: ModelAgent
) -> None:
    first = await order_gcode(farm)
    second = await order_gcode(farm)
    await connect(farm, "b")
    await work(farm, agent)
    await cancel_job(farm, first.job_id, ANNA)
    await work(farm, agent)
    assert isinstance(farm.link, RecordingLink)
    assert (await job_view(farm, second.job_id)).job.state is JobState.LEASED
