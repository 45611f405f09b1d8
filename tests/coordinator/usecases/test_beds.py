"""What people say of beds, and what becomes of it when they say no more."""

from dataclasses import replace

import pytest

from coordinator.domain.printers import Bed, BedState
from coordinator.errors import NotNow
from coordinator.usecases import beds, controlling, reading
from coordinator.usecases.absorbing import absorb
from coordinator.usecases.dispatching import dispatch_jobs
from coordinator.usecases.farm import Farm
from protocols.wire.vocabulary import EventKind, PrinterState
from tests.fakes.fake_farm import order_gcode
from tests.fakes.model_agent import ModelAgent
from tests.fakes.story import end, start, work

ANNA = "user:anna"


async def the_bed(farm: Farm, agent: ModelAgent) -> Bed:
    async with farm.store.read() as unit:
        printer = await unit.printer(agent.printer_id)
    assert printer is not None
    return printer.bed


async def test_nothing_starts_while_somebody_is_at_the_bed(farm: Farm, agent: ModelAgent) -> None:
    await beds.claim_bed(farm, agent.printer_id, ANNA)
    bed = await the_bed(farm, agent)
    assert (bed.state, bed.changed_by) == (BedState.CLEARING, ANNA)
    job = await order_gcode(farm)
    assert await dispatch_jobs(farm) == 0
    waits = await reading.why_waiting(farm, job.job_id)
    assert f"{ANNA} is clearing its bed" in [wait.words for wait in waits]
    await controlling.clear_printer(farm, agent.printer_id, ANNA)
    assert await dispatch_jobs(farm) == 1


async def test_a_claim_is_taken_back(farm: Farm, agent: ModelAgent) -> None:
    await beds.claim_bed(farm, agent.printer_id, ANNA)
    await beds.abandon_bed(farm, agent.printer_id, ANNA)
    assert (await the_bed(farm, agent)).state is BedState.OCCUPIED
    with pytest.raises(NotNow, match="nobody is clearing"):
        await beds.abandon_bed(farm, agent.printer_id, ANNA)


async def test_a_claim_that_nobody_makes_good_ends_with_an_occupied_bed(
    farm: Farm, agent: ModelAgent
) -> None:
    await beds.claim_bed(farm, agent.printer_id, ANNA)
    farm.clock.advance(farm.policy.clearing_patience_s - 1)  # type: ignore[attr-defined]
    await dispatch_jobs(farm)
    assert (await the_bed(farm, agent)).state is BedState.CLEARING
    farm.clock.advance(2)  # type: ignore[attr-defined]
    await dispatch_jobs(farm)
    assert (await the_bed(farm, agent)).state is BedState.OCCUPIED
    async with farm.store.read() as unit:
        last = (await unit.history("printer", agent.printer_id))[-1]
    assert (last.name, last.actor) == ("bed.occupied", "farm")
    assert f"{ANNA} did not say" in last.cause


async def test_nobody_is_at_a_bed_on_which_something_prints(farm: Farm, agent: ModelAgent) -> None:
    await order_gcode(farm)
    await work(farm, agent)
    await start(farm, agent)
    with pytest.raises(NotNow, match="may start or go on"):
        await beds.claim_bed(farm, agent.printer_id, ANNA)


async def test_a_bed_is_cleared_while_its_printer_is_off(farm: Farm, agent: ModelAgent) -> None:
    await order_gcode(farm)
    await work(farm, agent)
    await start(farm, agent)
    await end(farm, agent, EventKind.FINISHED)
    await absorb(farm, replace(agent.presence(), online=False))
    await beds.claim_bed(farm, agent.printer_id, ANNA)
    await controlling.clear_printer(farm, agent.printer_id, ANNA)
    assert (await the_bed(farm, agent)).state is BedState.CLEAR


async def test_a_print_at_the_panel_occupies_a_bed_whoever_is_at_it(
    farm: Farm, agent: ModelAgent
) -> None:
    await beds.claim_bed(farm, agent.printer_id, ANNA)
    foreign = replace(agent.reported(), foreign=True, occupation=1, state=PrinterState.PRINTING)
    await absorb(farm, foreign)
    bed = await the_bed(farm, agent)
    assert (bed.state, bed.changed_by) == (BedState.OCCUPIED, f"agent:{agent.agent_id}")
    with pytest.raises(NotNow, match="no agent started"):
        await beds.claim_bed(farm, agent.printer_id, ANNA)
