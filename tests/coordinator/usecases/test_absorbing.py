"""What agents say changes what it should, once; and nothing else."""

from dataclasses import replace

import pytest

from coordinator.domain.history import moment
from coordinator.domain.jobs import JobState
from coordinator.domain.printers import BedState, Printer
from coordinator.domain.runs import RunState
from coordinator.usecases import absorbing, controlling, reading
from coordinator.usecases.absorbing import absorb
from coordinator.usecases.auditing import verify
from coordinator.usecases.farm import Farm
from protocols.wire.from_agent import CommandResult, Refusal, Telemetry
from protocols.wire.from_agent import PrinterSample as Told
from protocols.wire.to_agent import Sync
from protocols.wire.vocabulary import AgentId, Epoch, EventKind, PrinterState, RunPhase
from tests.fakes.fake_farm import order_gcode
from tests.fakes.memory_store import MemoryStore
from tests.fakes.model_agent import ModelAgent
from tests.fakes.recording_link import RecordingLink
from tests.fakes.story import arm, end, names_in_history, say, start, the_run, work


async def the_printer(farm: Farm, agent: ModelAgent) -> Printer:
    async with farm.store.read() as unit:
        printer = await unit.printer(agent.printer_id)
    assert printer is not None
    return printer


def writes(farm: Farm) -> int:
    assert isinstance(farm.store, MemoryStore)
    return farm.store.writes


async def test_a_print_from_lease_to_occupied_bed(farm: Farm, agent: ModelAgent) -> None:
    job = await order_gcode(farm)
    await work(farm, agent)
    assert (await the_run(farm)).state is RunState.LEASED
    await start(farm, agent)
    assert (await reading.job_view(farm, job.job_id)).job.state is JobState.PRINTING
    await end(farm, agent)
    view = await reading.job_view(farm, job.job_id)
    assert (view.job.state, view.copies_finished) == (JobState.FINISHED, 1)
    printer = await the_printer(farm, agent)
    assert (printer.bed.state, printer.run_id) == (BedState.OCCUPIED, None)
    assert agent.outbox == []  # acknowledged
    assert await names_in_history(farm, "run", (await the_run(farm)).run_id) == [
        "run.leased",
        "run.permitted",
        "run.printing",
        "run.finished",
    ]


async def test_a_new_printer_has_a_bed_that_nobody_knows(farm: Farm) -> None:
    arrived = ModelAgent("a")
    await absorb(farm, arrived.presence())
    printer = await the_printer(farm, arrived)
    assert (printer.online, printer.bed.state) == (True, BedState.UNKNOWN)
    assert await names_in_history(farm, "printer", printer.printer_id) == ["printer.registered"]


async def test_a_printer_that_is_announced_twice_is_registered_once(farm: Farm) -> None:
    arrived = ModelAgent("a")
    presence = arrived.presence()
    await absorb(farm, replace(presence, printers=presence.printers * 2))
    history = await names_in_history(farm, "printer", arrived.printer_id)
    assert history == ["printer.registered"]


async def test_a_report_without_news_writes_nothing(farm: Farm, agent: ModelAgent) -> None:
    await work(farm, agent)
    await absorb(farm, agent.reported())
    before = writes(farm)
    for _ in range(5):
        await absorb(farm, agent.reported())
    assert writes(farm) == before


async def test_a_presence_without_news_leaves_no_history(farm: Farm, agent: ModelAgent) -> None:
    before = await names_in_history(farm, "agent", agent.agent_id)
    await absorb(farm, agent.presence())
    assert await names_in_history(farm, "agent", agent.agent_id) == before == ["agent.online"]


async def test_the_death_of_an_older_connection_says_nothing(farm: Farm, agent: ModelAgent) -> None:
    will = replace(agent.presence(), online=False)
    agent.boot = 2
    await absorb(farm, agent.presence())
    await absorb(farm, will)
    assert (await the_printer(farm, agent)).online
    await absorb(farm, replace(agent.presence(), online=False))
    assert not (await the_printer(farm, agent)).online


async def test_going_offline_leaves_a_print_alone(farm: Farm, agent: ModelAgent) -> None:
    await order_gcode(farm)
    await work(farm, agent)
    await start(farm, agent)
    await absorb(farm, replace(agent.presence(), online=False, printers=()))
    await work(farm)
    assert (await the_run(farm)).state is RunState.PRINTING


async def test_another_agents_printer_is_refused_and_untouched(
    farm: Farm, agent: ModelAgent
) -> None:
    before = await the_printer(farm, agent)
    thief = replace(agent.presence(), agent_id=AgentId("thief"))
    await absorb(farm, thief)
    await absorb(farm, thief)
    assert await the_printer(farm, agent) == before
    history = await names_in_history(farm, "printer", agent.printer_id)
    assert history.count("printer.claimed_twice") == 1
    # Nor does its word about the printer count.
    await absorb(farm, replace(agent.reported(), agent_id=AgentId("thief"), foreign=True))
    assert await the_printer(farm, agent) == before


async def test_an_agent_of_another_protocol_gets_nothing(farm: Farm) -> None:
    arrived = ModelAgent("a")
    old = replace(arrived.presence(), protocol_min=7, protocol_max=8)
    await absorb(farm, old)
    await absorb(farm, old)
    async with farm.store.read() as unit:
        assert await unit.printers() == []
    history = await names_in_history(farm, "agent", arrived.agent_id)
    assert history.count("agent.unsupported") == 1


async def test_a_known_agent_that_is_downgraded_counts_as_offline(
    farm: Farm, agent: ModelAgent
) -> None:
    await absorb(farm, replace(agent.presence(), protocol_min=7, protocol_max=8))
    assert not (await the_printer(farm, agent)).online


async def test_a_printer_that_is_not_announced_any_more_is_offline(
    farm: Farm, agent: ModelAgent
) -> None:
    await absorb(farm, replace(agent.presence(), printers=()))
    assert not (await the_printer(farm, agent)).online


async def test_reports_of_an_old_lease_are_dropped(farm: Farm, agent: ModelAgent) -> None:
    await order_gcode(farm)
    await work(farm)  # leased, but the agent has not heard of it
    await absorb(farm, replace(agent.reported(), state=PrinterState.HALTED))
    assert (await the_printer(farm, agent)).seen is PrinterState.IDLE


async def test_reports_of_an_older_process_are_dropped(farm: Farm, agent: ModelAgent) -> None:
    old = replace(agent.reported(), foreign=True)
    agent.boot = 2
    await absorb(farm, agent.presence())
    await absorb(farm, old)
    assert not (await the_printer(farm, agent)).foreign


async def test_of_reports_of_one_process_the_youngest_counts(farm: Farm, agent: ModelAgent) -> None:
    older = replace(agent.reported(), message="older")
    await absorb(farm, replace(agent.reported(), message="younger"))
    await absorb(farm, older)
    assert (await the_printer(farm, agent)).message == "younger"


async def test_what_no_agent_started_occupies_the_bed(farm: Farm, agent: ModelAgent) -> None:
    agent.occupation += 1
    await absorb(farm, replace(agent.reported(), foreign=True))
    printer = await the_printer(farm, agent)
    assert (printer.foreign, printer.bed.state) == (True, BedState.OCCUPIED)
    assert "bed.occupied" in await names_in_history(farm, "printer", agent.printer_id)


async def test_a_lease_on_a_bed_that_was_occupied_meanwhile_is_revoked(
    farm: Farm, agent: ModelAgent
) -> None:
    job = await order_gcode(farm)
    await work(farm, agent)
    agent.occupation += 1
    await absorb(farm, agent.reported())
    assert (await the_run(farm)).state is RunState.REVOKED
    assert (await reading.job_view(farm, job.job_id)).job.state is JobState.READY
    await controlling.clear_printer(farm, agent.printer_id, "user:anna")
    await work(farm, agent)
    assert (await the_run(farm)).state is RunState.LEASED


async def test_events_apply_once_and_in_order(farm: Farm, agent: ModelAgent) -> None:
    await order_gcode(farm)
    await work(farm, agent)
    await arm(farm, agent, "n1")
    await work(farm, agent)
    agent.note(EventKind.STARTED)
    agent.note(EventKind.PAUSED)
    started, paused = agent.outbox
    await absorb(farm, paused)  # a gap: the start is still on its way
    assert (await the_run(farm)).state is RunState.PERMITTED
    for event in (started, started, paused, started):
        await absorb(farm, event)
    assert (await the_run(farm)).state is RunState.PAUSED
    assert (await the_printer(farm, agent)).events_applied == 2


async def test_a_repeated_event_is_acknowledged_again(farm: Farm, agent: ModelAgent) -> None:
    await order_gcode(farm)
    await work(farm, agent)
    await start(farm, agent)
    assert isinstance(farm.link, RecordingLink)
    said = len(farm.link.said)
    agent.note(EventKind.STARTED)
    await absorb(farm, replace(agent.outbox[0], number=1))
    await work(farm)
    acknowledged = farm.link.retained[agent.printer_id].acknowledged
    assert len(farm.link.said) == said + 1
    assert acknowledged is not None
    assert acknowledged.number == 1


async def test_events_of_another_memory_are_not_applied(farm: Farm, agent: ModelAgent) -> None:
    await order_gcode(farm)
    await work(farm, agent)
    agent.note(EventKind.FINISHED)
    agent.journal = 9
    stranger = replace(agent.outbox[0], journal_id=agent.journal_id)
    await absorb(farm, stranger)
    assert (await the_run(farm)).state is RunState.LEASED


async def test_a_start_of_a_revoked_run_is_kept_and_quarantines_the_printer(
    farm: Farm, agent: ModelAgent
) -> None:
    job = await order_gcode(farm)
    await work(farm, agent)
    await controlling.cancel_job(farm, job.job_id, "user:anna")
    agent.note(EventKind.STARTED)
    await absorb(farm, agent.outbox[0])
    run, printer = await the_run(farm), await the_printer(farm, agent)
    assert run.state is RunState.REVOKED
    assert printer.quarantine
    assert printer.events_applied == 1
    assert "run.contradicted" in await names_in_history(farm, "run", run.run_id)


async def test_an_event_of_an_unknown_run_is_kept_and_acknowledged(
    farm: Farm, agent: ModelAgent
) -> None:
    await order_gcode(farm)
    await work(farm, agent)
    agent.note(EventKind.STARTED)
    await absorb(farm, replace(agent.outbox[0], run_id="run-of-yesterday"))
    printer = await the_printer(farm, agent)
    assert (printer.events_applied, printer.bed.state) == (1, BedState.OCCUPIED)
    assert "printer.unknown_run" in await names_in_history(farm, "printer", agent.printer_id)


@pytest.mark.parametrize(("permitted", "state"), [(False, RunState.REVOKED), (True, RunState.LOST)])
async def test_a_new_memory_ends_what_the_old_one_held(
    farm: Farm, agent: ModelAgent, permitted: bool, state: RunState
) -> None:
    await order_gcode(farm)
    await work(farm, agent)
    if permitted:
        await arm(farm, agent, "n1")
    epoch = (await the_printer(farm, agent)).epoch
    fresh = ModelAgent(agent.name, journal=2, boot=2)
    await absorb(farm, fresh.presence())
    run, printer = await the_run(farm), await the_printer(farm, agent)
    assert (run.state, run.reason) == (state, "the agent's memory is new")
    assert (printer.bed.state, printer.bed.cleared) == (BedState.UNKNOWN, None)
    assert (printer.run_id, printer.events_applied) == (None, 0)
    assert printer.epoch == epoch + 1


async def test_a_lost_run_waits_for_a_person_and_no_other_printer_gets_it(
    farm: Farm, agent: ModelAgent
) -> None:
    job = await order_gcode(farm)
    await work(farm, agent)
    await arm(farm, agent, "n1")
    await absorb(farm, ModelAgent(agent.name, journal=2, boot=2).presence())
    await controlling.clear_printer(farm, agent.printer_id, "user:anna")
    await work(farm)
    view = await reading.job_view(farm, job.job_id)
    assert view.job.state is JobState.LOST
    assert len(view.runs) == 1
    assert [wait.code for wait in view.waits] == ["lost"]


async def test_an_agent_ahead_of_the_database_is_caught_up_with_and_quarantined(
    farm: Farm, agent: ModelAgent
) -> None:
    await order_gcode(farm)
    await work(farm, agent)
    agent.epoch, agent.revision = Epoch(7), 90
    await absorb(farm, agent.reported())
    printer = await the_printer(farm, agent)
    assert printer.epoch == 8
    assert printer.revision > 90
    assert "look what it prints" in printer.quarantine
    assert (await the_run(farm)).state is RunState.LOST


async def test_a_refused_document_is_recorded_once(farm: Farm, agent: ModelAgent) -> None:
    refusal = Refusal(epoch=Epoch(0), revision=3, reason="older")
    for _ in range(3):
        await absorb(farm, replace(agent.reported(), refused=refusal))
    history = await names_in_history(farm, "printer", agent.printer_id)
    assert history.count("desired.refused") == 1


async def test_telemetry_stays_in_memory(farm: Farm, agent: ModelAgent) -> None:
    before = writes(farm)
    sample = Told(printer_id=agent.printer_id, state=PrinterState.PRINTING, line=7)
    telemetry = Telemetry(agent_id=agent.agent_id, at_unix_s=0.0, printers=(sample,))
    await absorb(farm, telemetry)
    kept = farm.live.sample(agent.printer_id)
    assert kept is not None
    assert (kept.printer, kept.seen_at) == (sample, farm.clock.now())
    assert writes(farm) == before


async def test_other_messages_change_nothing(farm: Farm, agent: ModelAgent) -> None:
    before = writes(farm)
    await absorb(farm, CommandResult(id="c1", agent_id=agent.agent_id, ok=True))
    await absorb(farm, Sync(id="s1", spread_s=1.0))
    await absorb(farm, replace(agent.reported(), printer_id="nobody"))
    await absorbing.absorb(farm, replace(ModelAgent("stranger").presence(), online=False))
    assert writes(farm) == before


async def test_a_failed_run_is_replaced_until_the_retries_are_used_up(
    farm: Farm, agent: ModelAgent
) -> None:
    job = await order_gcode(farm)
    for number, state in ((1, JobState.READY), (2, JobState.FAILED)):
        await work(farm, agent)
        await start(farm, agent, f"n{number}")
        agent.end(RunPhase.FAILED, EventKind.FAILED)
        agent.outbox[-1] = replace(agent.outbox[-1], reason="it came loose")
        await say(farm, agent)
        view = await reading.job_view(farm, job.job_id)
        assert view.job.state is state
        await controlling.clear_printer(farm, agent.printer_id, "user:anna")
    assert "it came loose" in view.job.reason
    assert len(view.runs) == 2


async def test_what_was_heard_last_of_a_run_is_written_down_when_it_is_lost(
    farm: Farm, agent: ModelAgent
) -> None:
    await order_gcode(farm)
    await work(farm, agent)
    await start(farm, agent)
    run = await the_run(farm)
    sample = Told(
        printer_id=agent.printer_id,
        state=PrinterState.PRINTING,
        run_id=run.run_id,
        line=4711,
        layer=12,
        progress=0.5,
    )
    telemetry = Telemetry(agent_id=agent.agent_id, at_unix_s=0.0, printers=(sample,))
    await absorb(farm, telemetry)
    heard_at = farm.clock.now()
    farm.clock.advance(600)  # type: ignore[attr-defined]
    await absorb(farm, ModelAgent(agent.name, journal=2, boot=2).presence())
    lost = await the_run(farm)
    assert (lost.state, lost.line, lost.layer) == (RunState.LOST, 4711, 12)
    assert lost.facts == {"heard_at": moment(heard_at), "progress": 0.5}
    assert (await verify(farm)).faults == ()
