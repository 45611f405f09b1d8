"""Leases handed over in advance: given, permitted, withdrawn, lost; and what people see of them."""

from dataclasses import replace

import pytest

from coordinator.domain.printers import BedState, Printer
from coordinator.domain.runs import Run, RunState
from coordinator.usecases import controlling, reading
from coordinator.usecases.absorbing import absorb
from coordinator.usecases.dispatching import dispatch_jobs
from coordinator.usecases.farm import Farm
from protocols.wire.from_agent import Reported, RunEvent, StagedReport
from protocols.wire.to_agent import Desired
from protocols.wire.vocabulary import BedPolicy, EventKind, Mode, RunPhase, nonce_of
from tests.fakes.fake_farm import order_gcode
from tests.fakes.model_agent import ModelAgent, ModelRun
from tests.fakes.recording_link import RecordingLink
from tests.fakes.story import end, start, work

ANNA = "user:anna"


@pytest.fixture
async def belt(farm: Farm, agent: ModelAgent) -> ModelAgent:
    """An agent with a printer that clears its bed; it prints, and four more copies are wanted."""
    presence = agent.presence()
    described = replace(presence.printers[0], bed_policy=BedPolicy.SELF_CLEARING)
    await absorb(farm, replace(presence, printers=(described,)))
    await order_gcode(farm, copies=5)
    await work(farm, agent)
    await start(farm, agent, nonce_of(agent.boot_id, "1"))
    return agent


async def the_printer(farm: Farm, agent: ModelAgent) -> Printer:
    async with farm.store.read() as unit:
        printer = await unit.printer(agent.printer_id)
    assert printer is not None
    return printer


async def runs(farm: Farm) -> list[Run]:
    async with farm.store.read() as unit:
        return await unit.runs()


async def states(farm: Farm) -> list[RunState]:
    return [run.state for run in await runs(farm)]


async def stage(farm: Farm, agent: ModelAgent, dispatches: int = 3) -> Desired:
    """Let the coordinator hand over what it will; return its document."""
    for _ in range(dispatches):
        await dispatch_jobs(farm)
    await work(farm, agent)
    link = farm.link
    assert isinstance(link, RecordingLink)
    return link.retained[agent.printer_id]


def holding(agent: ModelAgent, said: Desired, boot_id: str = "", **changes: object) -> Reported:
    """What an agent reports that holds these leases, each armed by a process."""
    staged = tuple(
        StagedReport(
            run_id=lease.assignment.run_id,
            epoch=lease.epoch,
            phase=RunPhase.READY,
            nonce=nonce_of(boot_id or agent.boot_id, lease.assignment.run_id),
        )
        for lease in said.staged
    )
    return replace(agent.reported(), staged=staged, **changes)  # type: ignore[arg-type]


async def permit_all(farm: Farm, agent: ModelAgent) -> Desired:
    said = await stage(farm, agent)
    await absorb(farm, holding(agent, said))
    return await stage(farm, agent, 1)


def event(agent: ModelAgent, run: Run, kind: EventKind, boot_id: str) -> RunEvent:
    agent.number += 1
    return RunEvent(
        agent_id=agent.agent_id,
        printer_id=agent.printer_id,
        journal_id=agent.journal_id,
        number=agent.number,
        epoch=run.epoch,
        run_id=run.run_id,
        job_id=run.job_id,
        event=kind,
        at=run.leased_at,
        occupation=agent.occupation,
        boot_id=boot_id,
    )


async def test_so_many_leases_are_handed_over_as_the_policy_says(
    farm: Farm, belt: ModelAgent
) -> None:
    said = await stage(farm, belt)
    assert len(said.staged) == farm.policy.leases_ahead == 2
    assert [lease.epoch for lease in said.staged] == [said.epoch + 1, said.epoch + 2]
    assert all(lease.permit is None and lease.mode is Mode.RUN for lease in said.staged)


async def test_an_attended_printer_is_handed_nothing_in_advance(
    farm: Farm, agent: ModelAgent
) -> None:
    await order_gcode(farm, copies=3)
    await work(farm, agent)
    await start(farm, agent)
    assert (await stage(farm, agent)).staged == ()


async def test_nobody_else_gets_what_is_handed_over(farm: Farm, belt: ModelAgent) -> None:
    await stage(farm, belt)
    given = [run for run in await runs(farm) if run.live]
    assert len({run.epoch for run in given}) == len(given) == 3
    await absorb(farm, replace(belt.presence(), online=False))
    assert await dispatch_jobs(farm) == 0


async def test_nonces_are_permitted_in_advance(farm: Farm, belt: ModelAgent) -> None:
    said = await permit_all(farm, belt)
    nonces = [nonce_of(belt.boot_id, lease.assignment.run_id) for lease in said.staged]
    assert [lease.permit for lease in said.staged] == nonces


async def test_permits_go_out_in_the_order_of_the_epochs(farm: Farm, belt: ModelAgent) -> None:
    said = await stage(farm, belt)
    report = holding(belt, said)
    unready = replace(report.staged[0], nonce=None)
    await absorb(farm, replace(report, staged=(unready, report.staged[1])))
    assert await states(farm) == [RunState.PRINTING, RunState.LEASED, RunState.LEASED]


@pytest.mark.parametrize("changes", [{"boot_id": "boot-of-a-copy"}, {"events_stored": 0}])
async def test_a_copy_is_permitted_nothing_in_advance(
    farm: Farm, belt: ModelAgent, changes: dict[str, object]
) -> None:
    said = await stage(farm, belt)
    if "boot_id" in changes:
        await absorb(farm, holding(belt, said, "boot-of-a-copy"))
    else:
        await absorb(farm, holding(belt, said, events_stored=0))
    assert RunState.PERMITTED not in await states(farm)


async def test_a_permit_that_was_not_heard_is_said_again(farm: Farm, belt: ModelAgent) -> None:
    said = await permit_all(farm, belt)
    await absorb(farm, holding(belt, said))
    async with farm.store.read() as unit:
        assert await unit.outbox(10)


async def test_the_next_one_has_its_turn_when_the_run_has_finished(
    farm: Farm, belt: ModelAgent
) -> None:
    before = await permit_all(farm, belt)
    await end(farm, belt)
    printer = await the_printer(farm, belt)
    assert printer.run_id == before.staged[0].assignment.run_id
    assert belt.desired is not None
    assert belt.desired.epoch == before.staged[0].epoch
    assert belt.desired.permit == before.staged[0].permit


async def test_what_started_unheard_is_told_by_its_events(farm: Farm, belt: ModelAgent) -> None:
    said = await permit_all(farm, belt)
    belt.end(RunPhase.FINISHED, EventKind.FINISHED)
    lease = said.staged[0]
    belt.run = ModelRun(lease.assignment.run_id, lease.assignment.job_id, lease.epoch)
    belt.epoch, belt.occupation = lease.epoch, 2
    belt.run.phase = RunPhase.PRINTING
    belt.note(EventKind.STARTED)
    await absorb(farm, belt.reported())  # ahead of its events: it has to wait for them
    assert await states(farm) == [RunState.PRINTING, RunState.PERMITTED, RunState.PERMITTED]
    for message in belt.outbox:
        await absorb(farm, message)
    assert await states(farm) == [RunState.FINISHED, RunState.PRINTING, RunState.PERMITTED]
    assert not (await the_printer(farm, belt)).quarantine


async def test_what_was_not_permitted_is_withdrawn_at_once(farm: Farm, belt: ModelAgent) -> None:
    await stage(farm, belt)
    await controlling.cancel_job(farm, (await runs(farm))[0].job_id, ANNA)
    assert await states(farm) == [RunState.PRINTING, RunState.REVOKED, RunState.REVOKED]


async def test_what_was_permitted_is_withdrawn_on_its_agents_word_only(
    farm: Farm, belt: ModelAgent
) -> None:
    await permit_all(farm, belt)
    await controlling.cancel_job(farm, (await runs(farm))[0].job_id, ANNA)
    said = await stage(farm, belt)
    assert [lease.mode for lease in said.staged] == [Mode.STOP, Mode.STOP]
    _, first, second = await runs(farm)
    for run in (first, second):
        await absorb(farm, event(belt, run, EventKind.RELEASED, belt.boot_id))
    assert await states(farm) == [RunState.PRINTING, RunState.REVOKED, RunState.REVOKED]


async def test_a_printer_in_service_gets_back_what_it_was_handed(
    farm: Farm, belt: ModelAgent
) -> None:
    await permit_all(farm, belt)
    await controlling.set_service(farm, belt.printer_id, True, ANNA)
    said = await stage(farm, belt)
    assert [lease.mode for lease in said.staged] == [Mode.STOP, Mode.STOP]


async def test_a_process_that_was_not_permitted_can_not_say_that_it_never_began(
    farm: Farm, belt: ModelAgent
) -> None:
    await permit_all(farm, belt)
    await end(farm, belt)
    _, following, _ = await runs(farm)
    await absorb(farm, event(belt, following, EventKind.RELEASED, "boot-b-2"))
    assert (await states(farm))[1] is RunState.LOST


async def test_behind_a_run_that_it_sees_any_process_may_give_up_what_follows(
    farm: Farm, belt: ModelAgent
) -> None:
    await permit_all(farm, belt)
    _, following, _ = await runs(farm)
    await absorb(farm, event(belt, following, EventKind.RELEASED, "boot-b-2"))
    assert (await states(farm))[1] is RunState.REVOKED


async def test_with_a_new_memory_what_was_permitted_is_lost(farm: Farm, belt: ModelAgent) -> None:
    said = await stage(farm, belt)
    report = holding(belt, said)
    await absorb(farm, replace(report, staged=report.staged[:1]))
    wiped = replace(belt, journal=belt.journal + 1, boot=belt.boot + 1)
    await absorb(farm, wiped.presence())
    assert await states(farm) == [RunState.LOST, RunState.LOST, RunState.REVOKED]
    printer = await the_printer(farm, belt)
    assert (printer.run_id, printer.staged) == (None, ())


@pytest.mark.parametrize(
    ("outcome", "becomes"), [("failed", RunState.DISCARDED), ("finished", RunState.LOST)]
)
async def test_what_was_to_follow_a_run_that_did_not_finish_is_settled_with_it(
    farm: Farm, belt: ModelAgent, outcome: str, becomes: RunState
) -> None:
    await permit_all(farm, belt)
    wiped = replace(belt, journal=belt.journal + 1, boot=belt.boot + 1)
    await absorb(farm, wiped.presence())
    first = (await runs(farm))[0]
    await controlling.settle_run(farm, first.run_id, outcome, ANNA)
    assert (await states(farm))[1:3] == [becomes, becomes]


async def test_an_agent_that_was_handed_more_than_the_database_knows_is_quarantined(
    farm: Farm, belt: ModelAgent
) -> None:
    printer = await the_printer(farm, belt)
    ahead = replace(belt.reported(), staged_epoch=printer.epoch + 2)
    await absorb(farm, ahead)
    after = await the_printer(farm, belt)
    assert "database only" in after.quarantine
    assert after.epoch > ahead.staged_epoch


async def test_an_ejection_is_seen_at_work_and_then_the_bed_is_clear(
    farm: Farm, belt: ModelAgent
) -> None:
    await end(farm, belt)
    await work(farm, belt)
    assert (await the_printer(farm, belt)).bed.state is BedState.OCCUPIED
    await absorb(farm, replace(belt.reported(), ejecting=True))
    assert (await the_printer(farm, belt)).bed.state is BedState.CLEARING
    await absorb(farm, replace(belt.reported(), ejected=belt.occupation))
    bed = (await the_printer(farm, belt)).bed
    assert (bed.state, bed.changed_by) == (BedState.CLEAR, f"agent:{belt.agent_id}")


async def test_an_ejection_that_broke_off_leaves_the_bed_occupied(
    farm: Farm, belt: ModelAgent
) -> None:
    await end(farm, belt)
    await work(farm, belt)
    await absorb(farm, replace(belt.reported(), ejecting=True))
    assert (await the_printer(farm, belt)).bed.state is BedState.CLEARING
    await absorb(farm, belt.reported())
    assert (await the_printer(farm, belt)).bed.state is BedState.OCCUPIED


async def test_people_may_clear_what_waits_for_a_bed_that_did_not_clear_itself(
    farm: Farm, belt: ModelAgent
) -> None:
    await permit_all(farm, belt)
    await end(farm, belt)
    await absorb(farm, belt.reported())
    assert (await states(farm))[1] is RunState.PERMITTED
    printer = await controlling.clear_printer(farm, belt.printer_id, ANNA)
    assert printer.bed.state is BedState.CLEAR


async def test_people_see_what_is_handed_over(farm: Farm, belt: ModelAgent) -> None:
    await permit_all(farm, belt)
    view = await reading.printer_view(farm, belt.printer_id)
    assert [staged.run.state for staged in view.staged] == [RunState.PERMITTED] * 2
    waits = await reading.why_waiting(farm, view.staged[0].job.job_id)
    staged = [wait.words for wait in waits if wait.code == "staged"]
    assert "behind 1 and may start by itself" in staged[0]
    assert "behind 2" in staged[1]


async def test_a_lease_that_was_never_permitted_expires_as_any_other(
    farm: Farm, belt: ModelAgent
) -> None:
    said = await stage(farm, belt)
    report = holding(belt, said)
    await absorb(farm, replace(report, staged=report.staged[:1]))
    await absorb(farm, replace(belt.presence(), online=False))
    clock = farm.clock
    clock.advance(10_000.0)  # type: ignore[attr-defined]
    await dispatch_jobs(farm)
    assert (await states(farm))[:3] == [RunState.PRINTING, RunState.PERMITTED, RunState.REVOKED]
