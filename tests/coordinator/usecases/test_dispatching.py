"""Leases go where they should, and documents are said as things are now."""

from dataclasses import replace

import pytest

from coordinator.domain.jobs import JobState
from coordinator.domain.listing import JobsWanted
from coordinator.domain.policy import Policy
from coordinator.domain.runs import RunState
from coordinator.errors import NotNow
from coordinator.usecases import starting
from coordinator.usecases.absorbing import absorb
from coordinator.usecases.controlling import clear_printer
from coordinator.usecases.dispatching import dispatch_jobs, flush_outbox
from coordinator.usecases.farm import Farm
from coordinator.usecases.health import health
from coordinator.usecases.live import Live
from coordinator.usecases.reading import (
    PRINTERS_TOLD_MAX,
    JobsPage,
    job_view,
    jobs_page,
    printer_views,
    why_waiting,
)
from protocols.wire.to_agent import Assignment
from protocols.wire.vocabulary import Epoch, Nonce, PrinterId
from tests.fakes.fake_farm import order_gcode, order_model
from tests.fakes.manual_clock import ManualClock
from tests.fakes.memory_store import MemoryStore
from tests.fakes.model_agent import ModelAgent
from tests.fakes.recording_link import RecordingLink
from tests.fakes.story import arm, connect, the_run, work


def link_of(farm: Farm) -> RecordingLink:
    assert isinstance(farm.link, RecordingLink)
    return farm.link


def pass_time(farm: Farm, seconds: float) -> None:
    assert isinstance(farm.clock, ManualClock)
    farm.clock.advance(seconds)


async def waiting(farm: Farm) -> int:
    figures = (await health(farm)).figures
    assert figures is not None
    return figures.outbox_waiting


async def first_page(farm: Farm, *states: JobState) -> JobsPage:
    return await jobs_page(farm, JobsWanted(states=states or None), after=None, limit=10)


async def test_copies_go_to_different_printers(farm: Farm) -> None:
    for name in ("a", "b", "c"):
        await connect(farm, name)
    job = await order_gcode(farm, copies=2)
    assert await dispatch_jobs(farm) == 2
    assert await dispatch_jobs(farm) == 0
    view = await job_view(farm, job.job_id)
    assert len({run.printer_id for run in view.runs}) == view.copies_live == 2
    assert view.job.state is JobState.LEASED


async def test_all_free_printers_get_work_in_one_call(farm: Farm) -> None:
    """Transactions are small, but a call goes on until nothing is left to be leased."""
    farm = replace(farm, policy=Policy(leases_per_commit=2))
    for name in "abcde":
        await connect(farm, name)
    for _ in range(4):
        await order_gcode(farm, copies=2)
    assert await dispatch_jobs(farm) == 5


async def test_a_document_carries_lease_plate_and_clearance(farm: Farm, agent: ModelAgent) -> None:
    job = await order_gcode(farm)
    await dispatch_jobs(farm)
    await flush_outbox(farm)
    document = link_of(farm).retained[agent.printer_id]
    run = await the_run(farm)
    assert isinstance(document.assignment, Assignment)
    assert (document.assignment.run_id, document.assignment.job_id) == (run.run_id, job.job_id)
    assert (document.epoch, document.permit) == (run.epoch, None) == (1, None)
    plate = document.assignment.plate
    assert plate.url == f"/api/v1/plates/{plate.sha256}"
    assert document.cleared is not None
    assert document.cleared.occupation == 0


async def test_documents_are_never_said_before_they_are_saved(
    farm: Farm, agent: ModelAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    await flush_outbox(farm)
    await order_gcode(farm)
    said = len(link_of(farm).said)

    async def fail(self: object, printer_id: PrinterId, *, expected: Epoch) -> bool:
        return False

    monkeypatch.setattr("tests.fakes.memory_store.MemoryUnit.raise_epoch", fail)
    with pytest.raises(NotNow, match="leased meanwhile"):
        await dispatch_jobs(farm)
    await flush_outbox(farm)
    assert len(link_of(farm).said) == said
    async with farm.store.read() as unit:
        assert await unit.runs() == []


async def test_without_a_broker_everything_waits_and_is_said_later(
    farm: Farm, agent: ModelAgent
) -> None:
    link_of(farm).connected = False
    await order_gcode(farm)
    await dispatch_jobs(farm)
    assert await flush_outbox(farm) == 0
    assert await waiting(farm) > 0
    link_of(farm).connected = True
    assert await flush_outbox(farm) == 1
    assert link_of(farm).retained[agent.printer_id].epoch == 1
    assert await waiting(farm) == 0


async def test_a_document_that_is_due_some_times_over_is_said_once(farm: Farm) -> None:
    for name in ("a", "b", "c"):
        await connect(farm, name)
    for _ in range(3):
        await starting.repeat_desired(farm)
    farm.policy = replace(farm.policy, documents_per_flush=2)
    assert await flush_outbox(farm) == 3
    assert await waiting(farm) == 0


async def test_what_changes_while_a_document_is_said_is_said_again(
    farm: Farm, agent: ModelAgent
) -> None:
    await flush_outbox(farm)
    link = link_of(farm)
    await order_gcode(farm)
    said = link.publish_desired

    async def meanwhile(agent_id: object, document: object) -> None:
        link.publish_desired = said  # type: ignore[method-assign]
        await said(agent_id, document)  # type: ignore[arg-type]
        await dispatch_jobs(farm)

    link.publish_desired = meanwhile  # type: ignore[method-assign, assignment]
    await starting.repeat_desired(farm)
    await flush_outbox(farm)
    assert [document.epoch for _, document in link.said][-2:] == [0, 1]


async def test_documents_of_one_printer_have_growing_revisions(
    farm: Farm, agent: ModelAgent
) -> None:
    await order_gcode(farm)
    await work(farm, agent)
    await arm(farm, agent, "n1")
    await work(farm, agent)
    revisions = [document.revision for _, document in link_of(farm).said]
    assert revisions == sorted(revisions)
    assert agent.desired is not None
    assert agent.desired.permit == Nonce("n1")


async def test_an_unpermitted_lease_of_a_gone_agent_goes_elsewhere(
    farm: Farm, agent: ModelAgent
) -> None:
    job = await order_gcode(farm)
    await work(farm, agent)
    await absorb(farm, replace(agent.presence(), online=False))
    other = await connect(farm, "b")
    pass_time(farm, 59)
    assert await dispatch_jobs(farm) == 0
    pass_time(farm, 2)
    assert await dispatch_jobs(farm) == 1
    first, second = (await job_view(farm, job.job_id)).runs
    assert (first.state, second.printer_id) == (RunState.REVOKED, other.printer_id)


async def test_a_permitted_run_of_a_gone_agent_stays_with_it(farm: Farm, agent: ModelAgent) -> None:
    await order_gcode(farm)
    await work(farm, agent)
    await arm(farm, agent, "n1")
    await absorb(farm, replace(agent.presence(), online=False))
    await connect(farm, "b")
    pass_time(farm, 10**7)
    assert await dispatch_jobs(farm) == 0
    assert (await the_run(farm)).state is RunState.PERMITTED


async def test_a_restart_does_not_expire_leases_at_once(farm: Farm, agent: ModelAgent) -> None:
    await order_gcode(farm)
    await work(farm, agent)
    pass_time(farm, 3600)
    restarted = replace(farm, live=Live())
    await starting.recover(restarted)
    assert not (await printer_views(restarted))[0].printer.online
    await dispatch_jobs(restarted)
    assert (await the_run(farm)).state is RunState.LEASED
    assert await flush_outbox(restarted) == 1


async def test_every_reason_to_wait_is_told_printer_by_printer(
    farm: Farm, agent: ModelAgent
) -> None:
    dirty = ModelAgent("b")
    await absorb(farm, dirty.presence())
    await absorb(farm, dirty.reported())
    job = await order_gcode(farm, copies=2, material="PETG")
    waits = await why_waiting(farm, job.job_id)
    assert {(wait.printer_id, wait.code) for wait in waits} == {
        (agent.printer_id, "material_differs"),
        (dirty.printer_id, "material_differs"),
        (dirty.printer_id, "bed_not_clear"),
    }


async def test_of_many_printers_a_job_tells_some_and_that_there_are_more(farm: Farm) -> None:
    for number in range(PRINTERS_TOLD_MAX + 1):
        await connect(farm, f"{number:02d}")
    job = await order_gcode(farm, printer_class="another")
    told = (await job_view(farm, job.job_id)).waits
    assert told == (await first_page(farm)).views[0].waits
    assert {wait.code for wait in told} >= {"other_class", "more_printers"}
    assert len({wait.printer_id for wait in told} - {None}) == PRINTERS_TOLD_MAX
    every = await why_waiting(farm, job.job_id)
    assert len({wait.printer_id for wait in every}) == PRINTERS_TOLD_MAX + 1


async def test_a_job_says_when_there_is_no_printer(farm: Farm) -> None:
    job = await order_gcode(farm)
    assert [wait.code for wait in await why_waiting(farm, job.job_id)] == ["no_printers"]
    model = await order_model(farm)
    assert [wait.code for wait in await why_waiting(farm, model.job_id)] == ["not_prepared"]


async def test_the_agents_own_reason_is_told_while_it_does_not_start(
    farm: Farm, agent: ModelAgent
) -> None:
    job = await order_gcode(farm)
    await work(farm, agent)
    await absorb(farm, replace(agent.reported(), waits_for="its plate"))
    (wait,) = await why_waiting(farm, job.job_id)
    assert (wait.printer_id, wait.code, wait.words) == (agent.printer_id, "leased", "its plate")


async def test_views_show_what_there_is(farm: Farm, agent: ModelAgent) -> None:
    job = await order_gcode(farm)
    await work(farm, agent)
    (printer,) = await printer_views(farm)
    assert (printer.status, printer.job and printer.job.job_id) == ("reserved", job.job_id)
    assert [view.job.job_id for view in (await first_page(farm)).views] == [job.job_id]
    assert (await first_page(farm, JobState.FAILED)).views == ()
    found = await health(farm)
    assert found.ok
    assert found.figures is not None
    assert (found.figures.agents_online, found.figures.printers) == (1, {"reserved": 1})
    assert found.figures.jobs == {"leased": 1}


async def test_idle_work_writes_nothing(farm: Farm, agent: ModelAgent) -> None:
    await order_gcode(farm, material="PETG")
    await work(farm, agent)
    assert isinstance(farm.store, MemoryStore)
    before = farm.store.writes
    assert await dispatch_jobs(farm) == 0
    assert await flush_outbox(farm) == 0
    assert farm.store.writes == before


async def test_nothing_is_leased_on_a_bed_that_is_not_clear(farm: Farm) -> None:
    arrived = ModelAgent("a")
    await absorb(farm, arrived.presence())
    await absorb(farm, arrived.reported())
    await order_gcode(farm)
    assert await dispatch_jobs(farm) == 0
    await clear_printer(farm, arrived.printer_id, "user:anna")
    assert await dispatch_jobs(farm) == 1
