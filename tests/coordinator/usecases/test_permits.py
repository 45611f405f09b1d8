"""Who asks to start a run, and what they get."""

from dataclasses import replace

import pytest

from coordinator.domain.printers import Printer
from coordinator.domain.runs import RunState
from coordinator.usecases.absorbing import absorb
from coordinator.usecases.controlling import clear_printer
from coordinator.usecases.farm import Farm
from protocols.wire.vocabulary import JournalId, RunPhase, nonce_of
from tests.fakes.fake_farm import order_gcode
from tests.fakes.model_agent import ModelAgent
from tests.fakes.recording_link import RecordingLink
from tests.fakes.story import arm, end, start, the_run, work


async def the_printer(farm: Farm, agent: ModelAgent) -> Printer:
    async with farm.store.read() as unit:
        printer = await unit.printer(agent.printer_id)
    assert printer is not None
    return printer


async def test_a_permit_is_for_exactly_the_nonce_that_asked(farm: Farm, agent: ModelAgent) -> None:
    await order_gcode(farm)
    await work(farm, agent)
    await arm(farm, agent, "n1")
    await work(farm, agent)
    assert agent.desired is not None
    assert agent.desired.permit == "n1"


async def test_asking_anew_with_proof_is_permitted_anew(farm: Farm, agent: ModelAgent) -> None:
    await order_gcode(farm)
    await work(farm, agent)
    await arm(farm, agent, "n1")
    await arm(farm, agent, "n2")
    run = await the_run(farm)
    assert (run.state, run.nonce) == (RunState.PERMITTED, "n2")


async def test_asking_anew_without_proof_is_a_clone(farm: Farm, agent: ModelAgent) -> None:
    await order_gcode(farm)
    await work(farm, agent)
    await arm(farm, agent, "n1")
    assert agent.run is not None
    agent.run.nonces.clear()
    await arm(farm, agent, "n2")
    run, printer = await the_run(farm), await the_printer(farm, agent)
    assert (run.state, run.nonce) == (RunState.PERMITTED, "n1")
    assert "another agent" in printer.quarantine


@pytest.mark.parametrize("proof", [True, False])
async def test_whoever_asks_for_a_run_that_prints_is_a_clone(
    farm: Farm, agent: ModelAgent, proof: bool
) -> None:
    """With proof it is a copy of a card from before the start; it must not start again either."""
    await order_gcode(farm)
    await work(farm, agent)
    await start(farm, agent)
    assert agent.run is not None
    agent.run.phase = RunPhase.READY
    if not proof:
        agent.run.nonces.clear()
    await arm(farm, agent, "n2")
    assert (await the_run(farm)).nonce == "n1"
    assert (await the_printer(farm, agent)).quarantine


async def test_asking_again_with_the_same_nonce_says_the_permit_again(
    farm: Farm, agent: ModelAgent
) -> None:
    await order_gcode(farm)
    await work(farm, agent)
    await arm(farm, agent, "n1")
    await work(farm)
    assert isinstance(farm.link, RecordingLink)
    said = len(farm.link.said)
    await absorb(farm, agent.reported())
    await work(farm)
    assert len(farm.link.said) == said + 1
    assert (await the_printer(farm, agent)).quarantine == ""


async def test_a_copied_card_is_not_permitted_where_the_original_may_print(
    farm: Farm, agent: ModelAgent
) -> None:
    """The copy holds the proof as well; only the process that was permitted may ask anew."""
    await order_gcode(farm)
    await work(farm, agent)
    await arm(farm, agent, nonce_of(agent.boot_id, "n1"))
    agent.boot += 1
    await absorb(farm, agent.presence())
    await arm(farm, agent, nonce_of(agent.boot_id, "n2"))
    run = await the_run(farm)
    assert (run.state, run.nonce) == (RunState.LOST, nonce_of("boot-a-1", "n1"))
    assert "began anew" in run.reason


async def test_a_nonce_of_the_process_before_is_not_permitted(
    farm: Farm, agent: ModelAgent
) -> None:
    """It could not be used; permitting it would make a later, honest nonce look like a copy's."""
    await order_gcode(farm)
    await work(farm, agent)
    agent.boot += 1
    await absorb(farm, agent.presence())
    await arm(farm, agent, nonce_of("boot-a-1", "n1"))
    assert (await the_run(farm)).state is RunState.LEASED
    await arm(farm, agent, nonce_of(agent.boot_id, "n2"))
    assert (await the_run(farm)).state is RunState.PERMITTED


async def test_a_card_that_forgot_what_it_told_is_not_permitted(
    farm: Farm, agent: ModelAgent
) -> None:
    await order_gcode(farm, copies=2)
    await work(farm, agent)
    await start(farm, agent)
    await end(farm, agent)
    await clear_printer(farm, agent.printer_id, "user:anna")
    await work(farm, agent)
    agent.number = 0
    await arm(farm, agent, "n2")
    assert (await the_run(farm)).state is RunState.LEASED
    assert "does not know what it told" in (await the_printer(farm, agent)).quarantine


async def test_a_permitted_run_gives_way_when_something_comes_onto_the_bed(
    farm: Farm, agent: ModelAgent
) -> None:
    """Else the run waits for a clear bed, and whoever clears it for the run."""
    await order_gcode(farm)
    await work(farm, agent)
    await arm(farm, agent, "n1")
    agent.occupation += 1
    await absorb(farm, agent.reported())
    assert (await the_run(farm)).state is RunState.REVOKED
    await clear_printer(farm, agent.printer_id, "user:anna")
    await work(farm, agent)
    await start(farm, agent, "n2")
    assert (await the_run(farm)).state is RunState.PRINTING


async def test_events_that_were_stored_once_are_not_waited_for(
    farm: Farm, agent: ModelAgent
) -> None:
    """A broker that brings back an old presence makes us forget the count, not the agent."""
    await order_gcode(farm)
    await work(farm, agent)
    await start(farm, agent)
    await absorb(farm, replace(agent.presence(), journal_id=JournalId("an-old-one")))
    await absorb(farm, agent.presence())
    assert (await the_printer(farm, agent)).events_applied == 0
    await work(farm, agent)
    await absorb(farm, replace(agent.reported(), events_acknowledged=1))
    assert (await the_printer(farm, agent)).events_applied == 1
    agent.outbox.clear()
    await end(farm, agent)
    assert (await the_run(farm)).state is RunState.FINISHED
