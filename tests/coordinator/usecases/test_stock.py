"""Spools are loaded, drawn from by runs that end, and told to be short of a plate."""

from dataclasses import replace

import pytest

from coordinator.domain.runs import Run, RunState
from coordinator.domain.stock import Spool, drawn_g
from coordinator.errors import NotNow, Refused
from coordinator.usecases import auditing, stock
from coordinator.usecases.absorbing import absorb
from coordinator.usecases.controlling import settle_run
from coordinator.usecases.farm import Farm
from coordinator.usecases.reading import job_view, printer_view
from tests.fakes.fake_farm import order_model
from tests.fakes.model_agent import ModelAgent
from tests.fakes.story import connect, end, names_in_history, start, the_run, work
from tests.fakes.values import NOW, PLATE, RUN

ANNA = "user:anna"
# What the fake slicer says that a plate takes.
PLATE_G = 0.03


async def a_spool(farm: Farm, material: str = "PLA", weight_g: float = 1000.0) -> Spool:
    return await stock.make_spool(farm, {"material": material, "weight_g": weight_g}, ANNA)


async def test_a_run_that_ended_has_drawn_from_the_spool(farm: Farm, agent: ModelAgent) -> None:
    spool = await a_spool(farm)
    await stock.load_spool(farm, spool.spool_id, agent.printer_id, 0, ANNA)
    await order_model(farm)
    await work(farm, agent)
    await start(farm, agent)
    assert (await stock.spool_of(farm, spool.spool_id)).remaining_g == 1000.0
    await end(farm, agent)
    assert (await stock.spool_of(farm, spool.spool_id)).remaining_g == 1000.0 - PLATE_G
    async with farm.store.read() as unit:
        drawn = (await unit.history("spool", spool.spool_id))[-1]
    run = await the_run(farm)
    assert drawn.name == "spool.drawn"
    assert drawn.facts == {"run_id": run.run_id, "job_id": run.job_id, "grams": PLATE_G}
    assert drawn.changes["remaining_g"] == 1000.0 - PLATE_G
    assert not (await auditing.verify(farm)).faults


async def test_a_lost_run_draws_once_somebody_says_how_it_ended(
    farm: Farm, agent: ModelAgent
) -> None:
    spool = await a_spool(farm, weight_g=PLATE_G / 2)
    await stock.load_spool(farm, spool.spool_id, agent.printer_id, 0, ANNA)
    await order_model(farm)
    await work(farm, agent)
    await start(farm, agent)
    await absorb(farm, ModelAgent(agent.name, journal=2, boot=2).presence())
    assert (await stock.spool_of(farm, spool.spool_id)).remaining_g == PLATE_G / 2
    await settle_run(farm, (await the_run(farm)).run_id, "finished", ANNA)
    assert (await stock.spool_of(farm, spool.spool_id)).remaining_g == 0.0


@pytest.mark.parametrize(
    ("state", "layer", "grams"),
    [
        (RunState.FINISHED, 0, 40.0),
        (RunState.FAILED, 25, 10.0),
        (RunState.STOPPED, 200, 40.0),
        (RunState.DISCARDED, 0, 0.0),
        (RunState.LOST, 100, 0.0),
        (RunState.REVOKED, 0, 0.0),
        (RunState.PRINTING, 50, 0.0),
    ],
)
def test_a_run_takes_as_much_as_it_came_through(state: RunState, layer: int, grams: float) -> None:
    plate = replace(PLATE, filament_g=40.0, layer_count=100)
    run: Run = replace(RUN, state=state, layer=layer, started_at=NOW)
    assert drawn_g(run, plate) == grams
    assert drawn_g(replace(run, started_at=None), plate) == 0.0
    assert drawn_g(run, replace(plate, filament_g=None)) == 0.0


async def test_a_printer_holds_what_is_on_its_spool(farm: Farm, agent: ModelAgent) -> None:
    petg, pla = await a_spool(farm, "PETG"), await a_spool(farm)
    await stock.load_spool(farm, petg.spool_id, agent.printer_id, 0, ANNA)
    await absorb(farm, agent.presence())  # whose configuration says PLA
    printer = (await printer_view(farm, agent.printer_id)).printer
    assert (printer.material, printer.spool_id) == ("PETG", petg.spool_id)
    await stock.load_spool(farm, pla.spool_id, agent.printer_id, 0, ANNA)
    assert (await stock.spool_of(farm, petg.spool_id)).printer_id is None
    printer = (await printer_view(farm, agent.printer_id)).printer
    assert (printer.material, printer.spool_id) == ("PLA", pla.spool_id)
    await stock.unload_spool(farm, pla.spool_id, ANNA)
    await stock.unload_spool(farm, pla.spool_id, ANNA)
    printer = (await printer_view(farm, agent.printer_id)).printer
    assert (printer.material, printer.spool_id) == ("", "")
    told = await names_in_history(farm, "spool", pla.spool_id)
    assert told == ["spool.created", "spool.loaded", "spool.unloaded"]
    assert not (await auditing.verify(farm)).faults


async def test_a_spool_that_moves_to_another_printer_leaves_the_first(
    farm: Farm, agent: ModelAgent
) -> None:
    other, spool = await connect(farm, "b"), await a_spool(farm, "PETG")
    await stock.load_spool(farm, spool.spool_id, agent.printer_id, 0, ANNA)
    await stock.load_spool(farm, spool.spool_id, other.printer_id, 0, ANNA)
    left = (await printer_view(farm, agent.printer_id)).printer
    there = (await printer_view(farm, other.printer_id)).printer
    assert (left.material, there.material) == ("", "PETG")
    moved = await stock.load_spool(farm, spool.spool_id, other.printer_id, 1, ANNA)
    assert (moved.printer_id, moved.tool) == (other.printer_id, 1)
    assert (await printer_view(farm, other.printer_id)).printer.spool_id == ""
    assert not (await auditing.verify(farm)).faults


async def test_a_job_is_warned_of_a_spool_that_does_not_last(farm: Farm, agent: ModelAgent) -> None:
    spool = await a_spool(farm, weight_g=PLATE_G / 2)
    await stock.load_spool(farm, spool.spool_id, agent.printer_id, 0, ANNA)
    job = await order_model(farm)
    await work(farm, agent)
    [words] = (await job_view(farm, job.job_id)).warnings
    assert spool.spool_id in words
    refilled = {"weight_g": 1000.0, "remaining_g": 900.0}
    await stock.change_spool(farm, spool.spool_id, refilled, ANNA)  # type: ignore[arg-type]
    assert (await job_view(farm, job.job_id)).warnings == ()


async def test_what_a_printer_holds_is_not_renamed_under_it(farm: Farm, agent: ModelAgent) -> None:
    spool = await a_spool(farm)
    await stock.load_spool(farm, spool.spool_id, agent.printer_id, 0, ANNA)
    for said in ({"material": "ABS"}, {"archived": True}):
        with pytest.raises(NotNow, match="unload"):
            await stock.change_spool(farm, spool.spool_id, said, ANNA)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="remains"):
        await stock.change_spool(farm, spool.spool_id, {"remaining_g": 1000.5}, ANNA)


async def test_a_material_is_one_whatever_its_capitals(farm: Farm, agent: ModelAgent) -> None:
    await a_spool(farm)
    [supply] = await stock.materials(farm)
    assert (supply.name, supply.printers, supply.spools) == ("pla", [agent.printer_id], 1)
    assert supply.profile is not None
    assert supply.remaining_g == 1000.0
