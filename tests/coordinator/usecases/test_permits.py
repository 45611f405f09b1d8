"""Who asks to start a run, and what they get."""

import pytest

from coordinator.domain.printers import Printer
from coordinator.domain.runs import RunState
from coordinator.usecases.absorbing import absorb
from coordinator.usecases.farm import Farm
from protocols.wire.vocabulary import RunPhase
from tests.fakes.fake_farm import order_gcode
from tests.fakes.model_agent import ModelAgent
from tests.fakes.recording_link import RecordingLink
from tests.fakes.story import arm, start, the_run, work


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
